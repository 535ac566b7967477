/** A scripted reviewer, against the clock: signs in, sees each hold come, reads it, releases it; the workload goes on. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdsToolCalls, launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

const rounds = 5;
const seenMsMax = 1_000;
const deliveredMsMax = 100;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

describe.skipIf(missingBrowser !== '')(`a reviewer (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let token: string;
  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
    token = stage.token('rita', 'reviewer');
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  /** One hold from call to answer: when it was seen after the call, and when it was delivered after the key that rules. */
  async function round(page: Page, customer: number): Promise<{ seenMs: number; deliveredMs: number }> {
    const askedAt = performance.now();
    const answer = stage
      .workload()
      .chat.completions.create(question(`Delete all records of customer ${customer}.`))
      .then(({ choices }) => ({ at: performance.now(), call: choices[0]?.message.tool_calls?.[0] }));
    const line = page.locator('.lines:not(.lines-quiet) .line', { hasText: 'delete_records' }).first();
    await line.waitFor();
    const seenMs = performance.now() - askedAt;
    await line.click();
    await page.getByRole('row', { name: /^customer / }).waitFor();
    await page.keyboard.press('r');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('reason');
    await page.keyboard.type('The customer asked for it.');
    const ruledAt = performance.now();
    await page.keyboard.press('Control+Enter');
    const { at, call } = await answer;
    expect(call?.type === 'function' && call.function.name).toBe('delete_records');
    await page.locator('.over', { hasText: 'Released by rita' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.app:not(.app-open)').waitFor();
    return { seenMs, deliveredMs: at - ruledAt };
  }

  // A shared machine has bad moments; a product that is too slow is so each time.
  it('sees a hold within a second of the call, and the workload has its answer within 100 ms of the ruling', {
    retry: 2,
  }, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
    const times: { seenMs: number; deliveredMs: number }[] = [];
    for (let customer = 0; customer < rounds; customer += 1) times.push(await round(page, 1000 + customer));
    await context.close();
    expect(median(times.map(({ seenMs }) => seenMs))).toBeLessThan(seenMsMax);
    expect(median(times.map(({ deliveredMs }) => deliveredMs))).toBeLessThan(deliveredMsMax);
  });
});
