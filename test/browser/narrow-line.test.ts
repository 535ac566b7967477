/**
 * The inbox where there is little room: of a line, who and until when are seen, however long what would happen is; of the
 * bar, every page and the keys.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  holdsToolCalls,
  launchBrowser,
  missingBrowser,
  question,
  type Stage,
  setStage,
  startFixedProvider,
} from './stage.ts';

const args = JSON.stringify({ to: 'DE89 3704 0044 0532 0130 00', memo: 'x'.repeat(2_000) });
const message = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'transfer_funds', arguments: args } }],
};

describe.skipIf(missingBrowser !== '')(`a narrow inbox (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let provider: Awaited<ReturnType<typeof startFixedProvider>>;
  const left = new AbortController();
  let asked: Promise<unknown>;
  beforeAll(async () => {
    [browser, provider] = await Promise.all([launchBrowser(), startFixedProvider(message)]);
    stage = await setStage(holdsToolCalls, provider.url);
    asked = stage
      .workload()
      .chat.completions.create(question('Pay.'), { signal: left.signal })
      .catch(() => null);
  });
  afterAll(async () => {
    left.abort();
    await asked;
    await browser.close();
    await stage.close();
    await provider.close();
  });

  it.each([
    ['beside a hold', 1200],
    ['on a phone', 390],
  ])('shows the workload and the time left within its pane (%s)', async (where, width) => {
    const page = await browser.newPage({ viewport: { width, height: 850 } });
    page.setDefaultTimeout(10_000);
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token(`rita-${width}`, 'reviewer'));
    await page.keyboard.press('Enter');
    const line = page.locator('.lines .line');
    await line.waitFor();
    if (where === 'beside a hold') {
      await line.click();
      await page.getByText('Why it is held').waitFor();
    }
    const [whole, who, time] = await Promise.all(
      [line, line.locator('.line-who'), line.locator('.line-left')].map((part) => part.boundingBox()),
    );
    if (!whole || !who || !time) throw new Error('a part of the line is not drawn');
    expect(whole.x + whole.width).toBeLessThanOrEqual(width);
    expect(time.x + time.width).toBeLessThanOrEqual(whole.x + whole.width);
    expect(await line.locator('.line-left').textContent()).toMatch(/left$/);
    expect(who.width).toBeGreaterThan(40);
    await page.close();
  });

  it.each([390, 375, 360, 320])('shows every page and the keys in its bar at %i pixels', async (width) => {
    const page = await browser.newPage({ viewport: { width, height: 850 } });
    page.setDefaultTimeout(10_000);
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token(`otto-${width}`, 'reviewer'));
    await page.keyboard.press('Enter');
    await page.locator('.lines .line').waitFor();
    // As many wait as ever fit in a tab.
    await page.locator('.pages-count').evaluate((count) => count.firstChild?.replaceWith('20,000'));
    const names = ['Inbox', 'Decisions', 'Ledger', 'Policy', 'Overview'];
    const nav = page.getByRole('navigation', { name: 'Pages' });
    const shown = [
      ...names.map((name) => nav.getByRole('link', { name })),
      page.getByRole('button', { name: 'Keys' }),
      page.getByRole('button', { name: 'Sign out' }),
    ];
    for (const one of shown) {
      const box = await one.boundingBox();
      if (box === null) throw new Error(`${one} is not drawn`);
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.height).toBeGreaterThanOrEqual(24);
    }
    // Nothing is to be found by scrolling sideways.
    expect(await nav.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    await page.getByRole('button', { name: 'Keys' }).click();
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await page.close();
  });
});
