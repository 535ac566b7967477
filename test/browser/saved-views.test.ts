/** Searches that a reviewer keeps under a name in their browser. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goToHash, seriousFindings } from './pages.ts';
import { holdsToolCalls, launchBrowser, missingBrowser, type Stage, setStage } from './stage.ts';

describe.skipIf(missingBrowser !== '')(`a saved search (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let page: Page;
  const tokens: Record<string, string> = {};
  const signIn = async (who: string): Promise<void> => {
    await page.getByLabel('Your token').fill(tokens[who] ?? '');
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
  };
  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
    for (const who of ['grace', 'mia']) tokens[who] = stage.token(who, 'auditor');
    for (const model of ['gpt-4.1', 'gpt-4.1-mini'])
      await stage
        .workload()
        .chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello' }] });
    page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(stage.sidecar.controlUrl);
    await signIn('grace');
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  const saved = () => page.getByRole('list', { name: 'Saved searches' });

  it('is kept under a name, by keys alone, and leads back to what it finds', async () => {
    await goToHash(page, '#/decisions?model=gpt-4.1-mini');
    await page.getByRole('button', { name: 'Save this search …' }).press('Enter');
    await page.getByLabel('Under the name').waitFor();
    await page.keyboard.type('small models');
    await page.keyboard.press('Enter');
    await saved().getByRole('link', { name: 'small models' }).waitFor();
    await goToHash(page, '#/decisions');
    await expect.poll(() => page.locator('.records tbody tr').count()).toBe(2);
    await saved().getByRole('link', { name: 'small models' }).click();
    await expect.poll(() => page.locator('.records tbody tr').count()).toBe(1);
    expect(await saved().getByRole('link').getAttribute('aria-current')).toBe('page');
    expect(await seriousFindings(page)).toEqual([]);
  });

  it('is not kept where it names a data subject, which the page says', async () => {
    await goToHash(page, '#/decisions?subject=patient-7');
    await page.getByText('not kept in the browser, where an erasure would not reach it').waitFor();
    expect(await page.getByRole('button', { name: 'Save this search …' }).count()).toBe(0);
  });

  it('is there after a reload, is nobody else’s, and can be removed', async () => {
    await page.reload();
    await saved().getByRole('link', { name: 'small models' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn('mia');
    await goToHash(page, '#/decisions');
    await page.getByText('That is all.').waitFor();
    expect(await saved().count()).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn('grace');
    await goToHash(page, '#/decisions');
    await page.getByRole('button', { name: 'Remove the saved search small models' }).click();
    await expect.poll(() => saved().count()).toBe(0);
  });
});
