/** A line of the queue where there is little room: who and until when are seen, however long what would happen is. */
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

describe.skipIf(missingBrowser !== '')(`a narrow line of the queue (${missingBrowser || 'Chromium'})`, () => {
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
});
