/** 10 000 pending holds: the first page is there at once, and the list scrolls without a stop. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

const holds = 10_000;
const callsAtOnce = 24;
const firstPageMsMax = 300;
/** Longer is seen as a stop. */
const frameMsMax = 100;
const linesDrawnMax = 400;
/** The rest of the queue is read behind the first page; nobody waits for it. */
const readWholeMsMax = 300_000;

const policy = JSON.stringify({
  version: '2026-11-26',
  rules: [
    {
      id: 'tool-call',
      title: 'A tool call needs a reviewer',
      phase: 'response',
      when: 'size(response.toolCalls) > 0',
      action: 'hold',
      hold: { expiresIn: '7d' },
      tests: [
        { name: 'one', expect: 'match', response: { toolCalls: [{ name: 'anything' }] } },
        { name: 'none', expect: 'no-match', response: { text: 'hello' } },
      ],
    },
  ],
});

describe.skipIf(missingBrowser !== '')(`a long queue (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let token: string;

  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(policy)]);
    token = stage.token('rita', 'reviewer');
    let next = 0;
    async function call(): Promise<void> {
      for (let i = next++; i < holds; i = next++) {
        const answer = await fetch(`${stage.sidecar.proxyUrl}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', prefer: 'respond-async' },
          body: JSON.stringify(question(`Delete all records of customer ${i}.`)),
        });
        await answer.arrayBuffer();
        if (answer.status !== 202) throw new Error(`call ${i} was answered ${answer.status}`);
      }
    }
    await Promise.all(Array.from({ length: callsAtOnce }, call));
  }, 600_000);
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  it('gives its first page within 300 ms', async () => {
    const times: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      const startMs = performance.now();
      const answer = await fetch(`${stage.sidecar.controlUrl}/api/v1/holds?limit=100`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const { items, total } = z
        .object({ items: z.array(z.unknown()), total: z.number() })
        .parse(await answer.json());
      times.push(performance.now() - startMs);
      expect([items.length, total]).toEqual([100, holds]);
    }
    expect(times.toSorted((a, b) => a - b)[2]).toBeLessThan(firstPageMsMax);
  });

  it('is read whole in the background, drawn only near the screen, and scrolls without a stop', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.line').first().waitFor({ timeout: 3_000 });
    await page.locator('#inbox-title .num', { hasText: String(holds) }).waitFor({ timeout: readWholeMsMax });
    const frames = await page.evaluate(async () => {
      const list = document.querySelector('.inbox');
      if (list === null) throw new Error('there is no list');
      const spans: number[] = [];
      let before = performance.now();
      for (let step = 0; step < 120; step += 1) {
        list.scrollBy(0, 400);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        spans.push(now - before);
        before = now;
      }
      return { spans, lines: document.querySelectorAll('.line').length, top: list.scrollTop };
    });
    await page.evaluate(() => document.querySelector('.inbox')?.scrollTo(0, 1e9));
    await page.locator('.line', { hasText: 'delete_records' }).last().waitFor();
    await context.close();
    expect(frames.top).toBeGreaterThan(20_000);
    expect(frames.lines).toBeLessThan(linesDrawnMax);
    const late = frames.spans.toSorted((a, b) => a - b)[Math.floor(frames.spans.length * 0.95)];
    expect(late).toBeLessThan(frameMsMax);
  });
});
