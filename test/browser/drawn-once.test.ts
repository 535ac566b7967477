/** A long answer on the page is not drawn again for what happens beside it: the reviewer goes on typing meanwhile. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  holdsToolCalls,
  launchBrowser,
  missingBrowser,
  type Stage,
  setStage,
  startFixedProvider,
} from './stage.ts';

const marked = 'customer-of-the-drawing';
const answer = {
  role: 'assistant',
  content: null,
  tool_calls: ['one', 'two'].map((id) => ({
    id,
    type: 'function',
    function: { name: 'delete_records', arguments: JSON.stringify({ id, customer: marked }) },
  })),
};

describe.skipIf(missingBrowser !== '')(`what is held (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let provider: Awaited<ReturnType<typeof startFixedProvider>>;

  beforeAll(async () => {
    provider = await startFixedProvider(answer);
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls, provider.url)]);
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
    await provider.close();
  });

  async function call(prompt: string): Promise<void> {
    const sent = await fetch(`${stage.sidecar.proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: prompt }] }),
    });
    await sent.arrayBuffer();
  }

  /** How often the arguments were read to be drawn. */
  const drawings = (page: Page): Promise<number> => page.evaluate(() => Reflect.get(window, 'drawings'));

  it('is drawn once, whatever is typed, chosen elsewhere or comes in, and again where it changes', async () => {
    await call('The first.');
    const page = await browser.newPage();
    page.setDefaultTimeout(8_000);
    await page.addInitScript((word) => {
      const parse = JSON.parse;
      Reflect.set(window, 'drawings', 0);
      JSON.parse = (text: string) => {
        if (text.startsWith('{"id":"one"') && text.includes(word))
          Reflect.set(window, 'drawings', Number(Reflect.get(window, 'drawings')) + 1);
        return parse(text);
      };
    }, marked);
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token('rita', 'reviewer'));
    await page.keyboard.press('Enter');
    await page.locator('.line').first().click();
    await page.getByRole('heading', { name: 'Who rules' }).waitFor();
    await page.locator('.link-live').waitFor();
    const drawn = await drawings(page);
    expect(drawn).toBeGreaterThan(0);

    await page.keyboard.press('/');
    await page.keyboard.type('delete');
    await call('The second.');
    await expect.poll(() => page.locator('.lines .line').count()).toBe(2);
    await page.locator('.lines .line').nth(1).focus();
    await page.locator('#hold-title').focus();
    await page.keyboard.press('d');
    await page.locator('#reason').fill('Not these.');
    expect(await drawings(page)).toBe(drawn);

    await page.keyboard.press('Escape');
    await page.keyboard.press('r');
    await page.locator('.call-choice input').first().uncheck();
    await page.locator('.call-withheld').waitFor();
    expect(await drawings(page)).toBeGreaterThan(drawn);
    await page.locator('#reason').fill('Only the other one.');
    const chosen = await drawings(page);
    await page.keyboard.press('Control+Enter');
    await page.locator('.over').getByText('withheld').waitFor();
    await page.getByRole('heading', { name: 'What was held' }).waitFor();
    const over = await drawings(page);
    expect(over).toBeGreaterThan(chosen);
    await page.keyboard.press('/');
    await page.keyboard.type('delete');
    expect(await drawings(page)).toBe(over);
  });
});
