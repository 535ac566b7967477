/** A hold on paper, where nothing can be scrolled. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atFirstHold } from './pages.ts';
import {
  deletingRecords,
  launchBrowser,
  missingBrowser,
  question,
  type Stage,
  setStage,
  startFixedProvider,
  toolCallRule,
} from './stage.ts';

const when = toolCallRule.when + '\n  || response.text == "x"'.repeat(30);

describe.skipIf(missingBrowser !== '')(`a hold on paper (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let provider: Awaited<ReturnType<typeof startFixedProvider>>;
  beforeAll(async () => {
    [browser, provider] = await Promise.all([launchBrowser(), startFixedProvider(deletingRecords)]);
    stage = await setStage(
      JSON.stringify({ version: '2026-11-22', rules: [{ ...toolCallRule, when }] }),
      provider.url,
    );
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
    await provider.close();
  });

  it('has a long rule to its end', async () => {
    const left = new AbortController();
    const asked = stage
      .workload()
      .chat.completions.create(question('Delete them.'), { signal: left.signal })
      .catch(() => null);
    const page = await atFirstHold(browser, stage);
    const rule = page.locator('.when');
    await rule.waitFor();
    const cut = () => rule.evaluate((element) => element.scrollHeight - element.clientHeight);
    expect(await cut()).toBeGreaterThan(0);
    await page.emulateMedia({ media: 'print' });
    expect(await cut()).toBe(0);
    await page.close();
    left.abort();
    await asked;
  });
});
