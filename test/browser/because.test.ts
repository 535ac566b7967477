/** The hold page's account of what made the rule hold, and the marks beside what it was true of. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from './pages.ts';
import {
  launchBrowser,
  missingBrowser,
  question,
  type Stage,
  setStage,
  startFixedProvider,
  toolCallRule,
} from './stage.ts';

const rule = {
  ...toolCallRule,
  when: 'response.toolCalls.exists(c, c.name == "pay" && (c.arguments.to.startsWith("DE") || num(c.arguments.amount) > 1000.0))',
  tests: [
    {
      name: 'big',
      expect: 'match',
      response: { toolCalls: [{ name: 'pay', arguments: { amount: 2000, to: 'FR' } }] },
    },
    { name: 'none', expect: 'no-match', response: { text: 'hello' } },
  ],
};
/** What it says turns the reading direction and hides a space, and would be markup. */
const to = 'DE<b>89</b>\u202e\u200b';
const args = JSON.stringify({ amount: 5, to, memo: 'rent' });
const message = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'pay', arguments: args } }],
};

describe.skipIf(missingBrowser !== '')(`the page of a hold (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let provider: Awaited<ReturnType<typeof startFixedProvider>>;
  const left = new AbortController();
  let asked: Promise<unknown>;
  beforeAll(async () => {
    [browser, provider] = await Promise.all([launchBrowser(), startFixedProvider(message)]);
    stage = await setStage(JSON.stringify({ version: '2026-11-22', rules: [rule] }), provider.url);
    asked = stage
      .workload()
      .chat.completions.create(question('Pay the rent.'), { signal: left.signal })
      .catch(() => null);
  });
  afterAll(async () => {
    left.abort();
    await asked;
    await browser.close();
    await stage.close();
    await provider.close();
  });

  it.each(['light', 'dark'] as const)(
    'says why it is held and marks what the rule was true of (%s)',
    async (scheme) => {
      const page = await browser.newPage({ colorScheme: scheme, reducedMotion: 'reduce' });
      page.setDefaultTimeout(10_000);
      await page.goto(stage.sidecar.controlUrl);
      await page.getByLabel('Your token').fill(stage.token(`rita-${scheme}`, 'reviewer'));
      await page.keyboard.press('Enter');
      await page.locator('.lines .line').click();
      await page.getByText('Why it is held').waitFor();
      expect(await page.locator('.because li').allTextContents()).toEqual([
        'because c.name == "pay": pay',
        'because c.arguments.to.startsWith("DE"): DE<b>89</b>⟨U+202E⟩⟨U+200B⟩',
      ]);
      expect(await page.locator('.args-matched').allTextContents()).toEqual([
        'totextDE<b>89</b>⟨U+202E⟩⟨U+200B⟩ matched',
      ]);
      expect(await page.locator('.call-name').textContent()).toBe('call pay matched');
      expect(await seriousFindings(page)).toEqual([]);
      await page.close();
    },
  );

  it('says nothing of it to a viewer', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token('vera', 'viewer'));
    await page.keyboard.press('Enter');
    await page.locator('.lines .line').click();
    await page.getByText('Why it is held').waitFor();
    expect(await page.locator('.because').count()).toBe(0);
    await page.close();
  });
});
