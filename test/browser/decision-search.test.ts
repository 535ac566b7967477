/** The search for decisions on a phone: results come first, terms are a tap away. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goToHash } from './pages.ts';
import { holdsToolCalls, launchBrowser, missingBrowser, type Stage, setStage } from './stage.ts';

const phone = { width: 390, height: 844 };

describe.skipIf(missingBrowser !== '')(`on a phone (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let page: Page;
  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
    for (const model of ['gpt-4.1', 'gpt-4.1', 'gpt-4.1-mini'])
      await stage
        .workload()
        .chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello' }] });
    page = await browser.newPage({ viewport: phone, reducedMotion: 'reduce' });
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token('grace', 'auditor'));
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  const bottomOf = async (locator: ReturnType<Page['locator']>): Promise<number> => {
    const box = await locator.boundingBox();
    return box === null ? Number.POSITIVE_INFINITY : box.y + box.height;
  };

  it('every decision is on the first screen, and the terms are folded', async () => {
    await goToHash(page, '#/decisions');
    await page.getByText('That is all.').waitFor();
    expect(await page.getByLabel('Model').isVisible()).toBe(false);
    expect(await bottomOf(page.locator('.records tbody tr').nth(2))).toBeLessThan(phone.height);
  });

  it('a search folds them again and says what was searched for', async () => {
    await page.getByText('Search', { exact: true }).first().click();
    await page.getByLabel('Model').fill('gpt-4.1-mini');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('Search: model gpt-4.1-mini').waitFor();
    // The rows of before may still be there, or be gone while these are on their way.
    await expect.poll(() => page.locator('.records tbody tr').count()).toBe(1);
    expect(await page.getByLabel('Model').isVisible()).toBe(false);
    expect(await bottomOf(page.locator('.records tbody tr').first())).toBeLessThan(phone.height);
  });

  it('turned to a wide screen they are all shown', async () => {
    await page.setViewportSize({ width: 1360, height: 850 });
    await page.getByLabel('Model').waitFor();
    expect(await page.getByLabel('Model').inputValue()).toBe('gpt-4.1-mini');
  });
});
