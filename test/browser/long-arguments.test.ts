/** Arguments of more values than a browser draws as a table in good time: they are there, whole, and can be ruled on. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atFirstHold } from './pages.ts';
import { holdsToolCalls, launchBrowser, missingBrowser, setStage, startFixedProvider } from './stage.ts';

const calls = (sources: readonly string[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: sources.map((source, i) => ({
    id: `call_${i}`,
    type: 'function',
    function: { name: 'pay', arguments: source },
  })),
});

describe.skipIf(missingBrowser !== '')(`long arguments (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  /** What the hold's page shows of an answer with these calls. */
  async function shown(sources: readonly string[], look: (page: Page) => Promise<void>): Promise<void> {
    const provider = await startFixedProvider(calls(sources));
    const stage = await setStage(holdsToolCalls, provider.url);
    const left = new AbortController();
    const asked = stage
      .workload()
      .chat.completions.create(
        { model: 'gpt-4.1', messages: [{ role: 'user', content: 'Pay.' }] },
        { signal: left.signal },
      )
      .catch(() => null);
    const page = await atFirstHold(browser, stage);
    await page.locator('.ruling-bar').waitFor();
    await look(page);
    left.abort();
    await asked;
    await page.close();
    await stage.close();
    await provider.close();
  }

  it('are laid out as JSON to their end, and told to have a name twice', async () => {
    const pad = Array<number>(50_000).fill(1).join();
    const source = `{"pad":[${pad}],"to":"a","to":"b\u202e","amount":9007199254740993}`;
    await shown([source], async (page) => {
      const text = await page.locator('.what pre.raw').textContent();
      expect(text).toMatch(
        /1\n {2}\],\n {2}"to": "a",\n {2}"to": "b\\u202e",\n {2}"amount": 9007199254740993\n}$/,
      );
      await expect(page.locator('.what .note').allTextContents()).resolves.toEqual([
        expect.stringContaining('has the key "to" more than once'),
        '50,004 values, more than a table shows here. This is all of them as JSON.',
      ]);
      expect(await page.locator('.what table').count()).toBe(0);
    });
  });

  it('are a table up to 2,000 values, of which many calls have a share each', async () => {
    const list = (length: number): string => JSON.stringify(Array<number>(length).fill(1));
    await shown([list(2_000)], async (page) => {
      expect(await page.locator('.what tbody tr').count()).toBe(2_000);
    });
    await shown([list(1_000), list(1_001)], async (page) => {
      expect(await page.locator('.what tbody tr').count()).toBe(1_000);
      expect(await page.locator('.what pre.raw').count()).toBe(1);
    });
    const few = Array<string>(200).fill(list(20));
    await shown([...few, list(21)], async (page) => {
      expect(await page.locator('.what .args').count()).toBe(200);
      expect(await page.locator('.what pre.raw').count()).toBe(1);
    });
  });
});
