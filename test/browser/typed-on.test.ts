/** What a reviewer types or ticks is taken for nothing else than what they meant by it, and is not lost. */
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { goToHash } from './pages.ts';
import {
  deletingRecords,
  holdsToolCalls,
  launchBrowser,
  missingBrowser,
  type Stage,
  setStage,
  startFixedProvider,
} from './stage.ts';

describe.skipIf(missingBrowser !== '')(`typing on (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let provider: Awaited<ReturnType<typeof startFixedProvider>>;
  let page: Page;
  let token = '';
  let calls = 0;

  beforeAll(async () => {
    provider = await startFixedProvider(deletingRecords);
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls, provider.url)]);
    token = stage.token('rita', 'reviewer');
  });
  afterEach(async () => {
    await page.context().close();
    for (const { id } of await pending()) await deny(id);
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
    await provider.close();
  });

  const control = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${stage.sidecar.controlUrl}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });

  async function pending(): Promise<readonly { id: string; digest: string }[]> {
    const { items } = await (await control('/api/v1/holds?state=pending')).json();
    return items;
  }

  /** As somebody at another console does. */
  async function deny(id: string): Promise<void> {
    const { digest } = await (await control(`/api/v1/holds/${id}`)).json();
    const body = JSON.stringify({ verdict: 'deny', reason: 'Not this one.', digest });
    expect((await control(`/api/v1/holds/${id}/rulings`, { method: 'POST', body })).status).toBe(201);
  }

  async function call(): Promise<void> {
    calls += 1;
    const sent = await fetch(`${stage.sidecar.proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: `Call ${calls}.` }] }),
    });
    await sent.arrayBuffer();
  }

  /** Calls that are held, and a reviewer at the queue. */
  async function atQueue(count: number): Promise<readonly string[]> {
    for (let i = 0; i < count; i += 1) await call();
    const context = await browser.newContext();
    context.setDefaultTimeout(8_000);
    page = await context.newPage();
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
    const lines = page.locator('.lines:not(.lines-quiet) .line');
    await expect.poll(() => lines.count()).toBe(count);
    return lines.evaluateAll((all) => all.map(({ id }) => id.replace('line-', '')));
  }

  async function open(id: string): Promise<void> {
    await page.locator(`#line-${id}`).press('Enter');
    await page.getByRole('heading', { name: 'Who rules' }).waitFor();
  }

  const panel = (): Promise<string> =>
    page
      .locator('.verdicts [aria-pressed="true"]')
      .evaluateAll((all) => all.map((one) => one.className).join());

  it('before the hold is there goes into the reason of the panel that was asked for', async () => {
    const [first = ''] = await atQueue(2);
    const late = Promise.withResolvers<Route>();
    await page.route(`**/api/v1/holds/${first}`, late.resolve);
    await page.locator(`#line-${first}`).focus();
    await page.keyboard.press('d');
    const route = await late.promise;
    await page.keyboard.type('A fraudster! 1 jerk');
    await route.continue();
    await page.locator('#reason').waitFor();
    expect(await panel()).toContain('verdict-deny');
    await page.keyboard.type('er');
    expect(await page.locator('#reason').inputValue()).toBe('A fraudster! 1 jerker');
    expect(page.url()).toContain(first);
  });

  it('when somebody else has ruled meanwhile opens no panel of another hold', async () => {
    const [first = '', second = ''] = await atQueue(2);
    await open(first);
    await page.keyboard.press('d');
    await page.locator('#reason:focus').waitFor();
    await page.keyboard.type('Re');
    await deny(first);
    await page.locator('.over').waitFor();
    await page.keyboard.type('jected: 1 fraudster');
    await page.keyboard.press('Control+Enter');
    expect(page.url()).toContain(first);
    expect((await pending()).map(({ id }) => id)).toEqual([second]);
    await page.getByText('What you type goes nowhere').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('What you type goes nowhere').waitFor({ state: 'detached' });
    await page.keyboard.press('j');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe(`line-${second}`);
  });

  it('is still there when one comes back from another page', async () => {
    const [first = '', second = ''] = await atQueue(2);
    await open(first);
    await page.keyboard.press('e');
    await page.locator('#edit-call-0').fill('{"customer":"1002"}');
    await page.locator('#reason').fill('The other one was meant.');
    await page.locator('#say').fill('I ask them first.');
    await page.locator('.signed a').click();
    await page.getByRole('heading', { name: 'Decision' }).first().waitFor();
    await goToHash(page, `#/holds/${second}`);
    await page.getByRole('heading', { name: 'Who rules' }).waitFor();
    await page.keyboard.press('e');
    expect(await page.locator('#reason').inputValue()).toBe('');
    await goToHash(page, `#/holds/${first}`);
    await page.getByRole('heading', { name: 'Who rules' }).waitFor();
    expect(await page.locator('#say').inputValue()).toBe('I ask them first.');
    await page.locator('#hold-title').focus();
    await page.keyboard.press('e');
    expect(await page.locator('#edit-call-0').inputValue()).toBe('{"customer":"1002"}');
    expect(await page.locator('#reason').inputValue()).toBe('The other one was meant.');
    await page.keyboard.press('Control+Enter');
    await page.locator('.over').waitFor();
    expect((await pending()).map(({ id }) => id)).toEqual([second]);
  });

  it('ticked for all others with the same bytes is ticked no more once another one came in place of one of them', async () => {
    const ids = await atQueue(3);
    const [first = '', second = ''] = ids;
    await open(first);
    await page.keyboard.press('r');
    const all = page.locator('.identical > .choice input');
    await all.check();
    await page.getByRole('button', { name: 'Release now, all 3' }).waitFor();
    await deny(second);
    await page.getByRole('button', { name: 'Release now, all 2' }).waitFor();
    expect(await all.isChecked()).toBe(true);
    await call();
    await page.getByLabel('All 2 other holds').waitFor();
    expect(await all.isChecked()).toBe(false);
    await page.getByRole('button', { name: 'Release now, all 2' }).waitFor();
  });

  it('or pasted beyond what a reason and a comment may have stays whole, is not sent, and is counted', async () => {
    const [first = ''] = await atQueue(1);
    await open(first);
    const long = 'x'.repeat(4_012);
    await page.locator('#say').fill(long);
    await page.getByText('12 characters too many: 4,000 at most.').waitFor();
    await page.keyboard.press('Control+Enter');
    await page.getByText('Shorten it.').waitFor();
    await page.locator('#say').fill('');
    await page.keyboard.press('Escape');
    await page.locator('.verdict-deny').click();
    await page.locator('#reason:focus').waitFor();
    await page.keyboard.insertText(long);
    await page.getByText('12 characters too many: 4,000 at most.').waitFor();
    await page.keyboard.press('Control+Enter');
    await page.getByText('Shorten the reason.').waitFor();
    expect(await page.locator('#reason').inputValue()).toBe(long);
    expect(await pending()).toMatchObject([{ id: first, commentCount: 0 }]);
    await page.locator('#reason').fill(long.slice(12));
    await page.keyboard.press('Control+Enter');
    await page.locator('.over-denied').waitFor();
  });

  it('is gone once the session is over', async () => {
    const [first = ''] = await atQueue(1);
    await open(first);
    await page.keyboard.press('d');
    await page.locator('#reason').fill('Not for the next one to read.');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Who rules' }).waitFor();
    await page.locator('#hold-title').focus();
    await page.keyboard.press('d');
    expect(await page.locator('#reason').inputValue()).toBe('');
  });
});
