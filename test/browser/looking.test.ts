/** Two reviewers on one hold see each other. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdsToolCalls, launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

describe.skipIf(missingBrowser !== '')(`a hold that two look at (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  async function reviewer(name: string): Promise<Page> {
    const context = await browser.newContext();
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token(name, 'reviewer'));
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
    return page;
  }

  it('names on each page the other one, and no longer once that one has left', async () => {
    const asked = stage
      .workload()
      .chat.completions.create(question('Delete all records of customer 1001.'))
      .then(() => 'an answer', String);
    const [rita, otto] = await Promise.all([reviewer('rita'), reviewer('otto')]);
    await rita.locator('.lines .line').click();
    const onRitas = rita.locator('.also-looking');
    await onRitas.waitFor({ state: 'attached' });
    expect(await onRitas.textContent()).toBe('');
    await otto.locator('.lines .line').click();
    await otto.getByText('rita also looks at it.').waitFor();
    await rita.getByText('otto also looks at it.').waitFor();
    await otto.keyboard.press('Escape');
    await expect.poll(() => onRitas.textContent()).toBe('');
    await otto.locator('.lines .line').click();
    await rita.getByText('otto also looks at it.').waitFor();
    // The page is closed without a word of its own making: the browser still says it.
    await otto.close({ runBeforeUnload: true });
    await expect.poll(() => onRitas.textContent()).toBe('');
    await stage.sidecar.stop('seen');
    expect(await asked).toContain('503');
  });
});
