/** A reading of many parts ends when its page is left: what nobody looks at is not read, nor sealed as read. */
import type { Browser, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { goToHash } from './pages.ts';
import { launchBrowser, missingBrowser, type Stage, setStage } from './stage.ts';

const policy = JSON.stringify({ version: '2026-11-28', rules: [] });
const headers = { 'holdpoint-session': 'talk-1' };

describe.skipIf(missingBrowser !== '')(`a reading that is left (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let token: string;
  let page: Page;

  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(policy)]);
    token = stage.token('olga', 'admin');
    for (const content of ['What is a hold point?', 'And who releases one?']) {
      const asked = { model: 'gpt-4.1', messages: [{ role: 'user' as const, content }] };
      await stage.workload().chat.completions.create(asked, { headers });
    }
  });
  beforeEach(async () => {
    const context = await browser.newContext();
    context.setDefaultTimeout(8_000);
    page = await context.newPage();
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
  });
  afterEach(() => page.context().close());
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  it.each([
    ['the conversation', '#/sessions/talk-1', 'Read the conversation', '**/exchange'],
    ['every entry', '#/ledger', 'Hash every entry', '**/tile/entries/**'],
    ['proofs', '#/decisions', 'Prove it in this browser', '**/proofs/inclusion?*'],
  ])('ends with its page: %s', async (what, hash, button, part) => {
    await goToHash(page, hash);
    if (what === 'proofs') await page.locator('.records tbody a').first().press('Enter');
    const sent = Promise.withResolvers<Request>();
    let parts = 0;
    // The first part stays unanswered.
    await page.route(part, (_, request) => {
      parts += 1;
      sent.resolve(request);
    });
    await page.getByRole('button', { name: button }).press('Enter');
    const first = await sent.promise;
    const ended = page.waitForEvent('requestfailed', (request) => request === first);
    await goToHash(page, '#/policy');
    await ended;
    await page.getByRole('heading', { name: 'Policy', exact: true }).waitFor();
    expect(parts).toBe(1);
  });

  it('goes on with the conversation past a part that is damaged', async () => {
    await goToHash(page, '#/sessions/talk-1');
    const answer = { status: 500, json: { code: 'ledger_damaged', detail: 'Entry 4 is damaged.' } };
    await page.route('**/exchange', (route) => route.fulfill(answer), { times: 1 });
    await page.getByRole('button', { name: 'Read the conversation' }).press('Enter');
    await page.getByText('Entry 4 is damaged.').waitFor();
    await page.getByText('And who releases one?').waitFor();
  });

  it('says once that the sidecar cannot be reached, and reads what is left of the conversation when asked again', async () => {
    await goToHash(page, '#/sessions/talk-1');
    let parts = 0;
    await page.route('**/exchange', (route) => {
      parts += 1;
      return parts === 2 ? route.abort() : route.continue();
    });
    await page.getByRole('button', { name: 'Read the conversation' }).press('Enter');
    await page.getByText('The sidecar cannot be reached.').waitFor();
    expect(await page.locator('.turn .message').count()).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Read 1 more' }).press('Enter');
    await page.getByText('And who releases one?').waitFor();
    expect(await page.getByText('The sidecar cannot be reached.').count()).toBe(0);
  });
});
