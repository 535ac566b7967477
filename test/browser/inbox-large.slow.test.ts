/** 10 000 pending holds: the first page is there at once, and the list scrolls without a stop. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

const holds = 10_000;
const callsAtOnce = 24;
const firstPageMsMax = 300;
/** From the token to the first line on the screen, the median of so many: what else the machine does is not the console's. */
const firstLineMsMax = 300;
const signIns = 5;
/** The first of them, when nothing was ever run before. */
const firstEverMsMax = 1_500;
/** Longer is seen as a stop. */
const frameMsMax = 100;
const heapMbMax = 40;
const keyPresses = 400;
const wheelPixels = 2_000;
const wheelSteps = 240;
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

  describe('in the browser', () => {
    let context: BrowserContext;
    let page: Page;
    const firstLineMs: number[] = [];

    beforeAll(async () => {
      for (let count = 0; count < signIns; count += 1) {
        if (count > 0) await context.close();
        context = await browser.newContext({ viewport: { width: 1360, height: 850 } });
        page = await context.newPage();
        await page.goto(stage.sidecar.controlUrl);
        await page.getByLabel('Your token').fill(token);
        const startMs = performance.now();
        await page.keyboard.press('Enter');
        await page.locator('.line').first().waitFor({ timeout: 3_000 });
        firstLineMs.push(performance.now() - startMs);
      }
    }, 60_000);
    afterAll(() => context.close());

    it(
      'is on the screen at once, and whole in the background',
      async () => {
        const startMs = performance.now();
        expect(await page.locator('#inbox-title .num').textContent()).toBe('10,000');
        await page.locator('.lines-more').waitFor({ state: 'detached', timeout: readWholeMsMax });
        const [firstEverMs = Number.NaN] = firstLineMs;
        tell('first line, the first time', firstEverMs, 'ms');
        const medianMs = firstLineMs.toSorted((a, b) => a - b)[signIns >> 1] ?? Number.NaN;
        tell('first line, median', medianMs, 'ms');
        tell('whole queue', performance.now() - startMs, 'ms');
        expect(firstEverMs).toBeLessThan(firstEverMsMax);
        expect(medianMs).toBeLessThan(firstLineMsMax);
      },
      readWholeMsMax,
    );

    it('draws only what is near the screen, and scrolls through all of it by the wheel without a stop', async () => {
      await page.locator('.inbox').hover();
      const spans = await whileMoving(page, async () => {
        for (let step = 0; step < wheelSteps; step += 1) await page.mouse.wheel(0, wheelPixels);
        await page.locator('.line', { hasText: 'delete_records' }).last().waitFor();
      });
      const lines = await page.locator('.line').count();
      const left = await page.evaluate(() => {
        const list = document.querySelector('.inbox');
        return list === null ? -1 : list.scrollHeight - list.scrollTop - list.clientHeight;
      });
      tell('frame while wheeling, p95', p95(spans), 'ms');
      expect(left).toBeLessThan(wheelPixels);
      expect(lines).toBeLessThan(linesDrawnMax);
      expect(p95(spans)).toBeLessThan(frameMsMax);
    }, 300_000);

    it('moves through it by keys without a stop, the line under the cursor in sight', async () => {
      await page.evaluate(() => document.querySelector('.inbox')?.scrollTo(0, 0));
      await page.keyboard.press('j');
      const spans = await whileMoving(page, async () => {
        for (let presses = 0; presses < keyPresses; presses += 1) await page.keyboard.press('j');
      });
      const isInSight = await page.evaluate(() => {
        const at = document.querySelector('.line-cursor')?.getBoundingClientRect();
        return at !== undefined && at.top >= 0 && at.bottom <= innerHeight;
      });
      tell('frame while moving by keys, p95', p95(spans), 'ms');
      expect(isInSight).toBe(true);
      expect(p95(spans)).toBeLessThan(frameMsMax);
    }, 300_000);

    it('keeps the tab small', async () => {
      const session = await context.newCDPSession(page);
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = await session.send('Runtime.getHeapUsage');
      tell('memory of the tab', usedSize / 1e6, 'MB');
      expect(usedSize / 1e6).toBeLessThan(heapMbMax);
    });
  });
});

/** How long each frame took while something moved, in milliseconds. */
async function whileMoving(page: Page, move: () => Promise<void>): Promise<readonly number[]> {
  await page.evaluate(() => {
    const spans: number[] = [];
    let before = performance.now();
    const frame = (): void => {
      const now = performance.now();
      spans.push(now - before);
      before = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    Object.assign(globalThis, { spans });
  });
  await move();
  return z.array(z.number()).parse(await page.evaluate('globalThis.spans.splice(0)'));
}

function p95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
}

function tell(what: string, value: number, unit: string): void {
  process.stdout.write(`${what}: ${value.toFixed(1)} ${unit}\n`);
}
