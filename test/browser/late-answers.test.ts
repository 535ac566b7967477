/** Answers that come when the reviewer has turned elsewhere, or after newer ones: they change nothing on what is shown then. */
import type { Browser, Page, Request, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { goToHash } from './pages.ts';
import {
  deletingRecords,
  launchBrowser,
  missingBrowser,
  type Stage,
  setStage,
  startFixedProvider,
  toolCallRule,
} from './stage.ts';

const policy = JSON.stringify({
  version: '2026-11-28',
  rules: [
    {
      ...toolCallRule,
      when: 'request.model != "unwatched" && size(response.toolCalls) > 0',
      hold: { breakGlass: { roles: ['admin'], collectIn: '5m' } },
      tests: [
        { name: 'one', expect: 'match', response: { toolCalls: [{ name: 'anything' }] } },
        { name: 'none', expect: 'no-match', request: { model: 'unwatched' } },
      ],
    },
  ],
});

/** What fills a page of decisions, and one more. */
const decisions = 51;

describe.skipIf(missingBrowser !== '')(`late answers (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let provider: Awaited<ReturnType<typeof startFixedProvider>>;
  const opened: Page[] = [];
  let people = 0;
  let calls = 0;

  beforeAll(async () => {
    provider = await startFixedProvider(deletingRecords);
    [browser, stage] = await Promise.all([launchBrowser(), setStage(policy, provider.url)]);
  });
  afterEach(async () => {
    for (const page of opened.splice(0)) await page.context().close();
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
    await provider.close();
  });

  /** A call that nobody waits for; its answer is held unless its model is not watched. */
  async function call(model = 'gpt-4.1'): Promise<void> {
    calls += 1;
    const sent = await fetch(`${stage.sidecar.proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: `Call ${calls}.` }] }),
    });
    await sent.arrayBuffer();
  }

  async function signedIn(
    role = 'reviewer',
    prepare: (page: Page) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<Page> {
    const context = await browser.newContext();
    context.setDefaultTimeout(8_000);
    const page = await context.newPage();
    opened.push(page);
    await prepare(page);
    people += 1;
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token(`person${people}`, role));
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
    return page;
  }

  /** The first answer to such a request waits; `given` resolves once it is there, with what lets it through. */
  async function late(
    page: Page,
    wanted: (request: Request) => boolean,
  ): Promise<{ readonly given: Promise<() => Promise<void>> }> {
    const { promise, resolve } = Promise.withResolvers<() => Promise<void>>();
    let isFirst = true;
    await page.route('**', async (route: Route, request: Request) => {
      if (!isFirst || !wanted(request)) return route.continue();
      isFirst = false;
      const response = await route.fetch();
      resolve(async () => {
        const finished = page.waitForEvent('requestfinished', (one) => one === request);
        await route.fulfill({ response });
        await finished;
        // What the page makes of it is drawn.
        await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
      });
    });
    return { given: promise };
  }

  const lines = (page: Page) => page.locator('.lines:not(.lines-quiet) .line');

  it('older decisions do not come among those of the next search', async () => {
    for (let count = 0; count < decisions; count += 1) await call('unwatched');
    const page = await signedIn();
    await goToHash(page, '#/decisions');
    const older = await late(page, (request) => request.url().includes('before='));
    await page.getByRole('button', { name: 'Show older ones' }).press('Enter');
    const letThrough = await older.given;
    await goToHash(page, '#/decisions?model=nobodys');
    await page.getByText('Nothing recorded has all of this').waitFor();
    await letThrough();
    expect(await page.locator('.records tbody tr').count()).toBe(0);
    await goToHash(page, '#/decisions');
    await page.getByRole('button', { name: 'Show older ones' }).press('Enter');
    // The button is gone; what it brought is read next.
    await page.locator('.records tbody tr').nth(50).locator('a:focus').waitFor();
  });

  it('a ruling on many says nothing on the page of another hold, and closes no panel there', async () => {
    for (let count = 0; count < 3; count += 1) await call();
    const page = await signedIn();
    await lines(page).nth(2).waitFor();
    await lines(page).first().press('Enter');
    await page.keyboard.press('d');
    await page.locator('#reason:focus').waitFor();
    await page.keyboard.type('No.');
    await page.getByText('One by one').press('Enter');
    await page.locator('.identical details input').first().press('Space');
    const ruled = await late(page, (request) => request.url().endsWith('/api/v1/rulings'));
    await page.getByRole('button', { name: 'Deny now, all 2' }).press('Enter');
    const letThrough = await ruled.given;
    await lines(page).last().press('Enter');
    await page.locator('#hold-title:focus').waitFor();
    await page.keyboard.press('r');
    await page.locator('#reason:focus').waitFor();
    await page.keyboard.type('As I was saying');
    await letThrough();
    await page.keyboard.type(', yes.');
    expect(await page.locator('#reason').inputValue()).toBe('As I was saying, yes.');
    expect(await page.locator('.over').count()).toBe(0);
  });

  it('a ruling that got no answer after the reviewer turned elsewhere is told there', async () => {
    for (let count = 0; count < 2; count += 1) await call();
    const page = await signedIn();
    await lines(page).nth(1).waitFor();
    await lines(page).first().press('Enter');
    await page.keyboard.press('r');
    await page.locator('#reason:focus').waitFor();
    const first = await page.locator('.line-open').getAttribute('href');
    const turned = lines(page).last();
    await page.route('**/rulings', async (route) => {
      await expect.poll(() => turned.getAttribute('aria-current')).toBe('true');
      await route.abort();
    });
    await page.evaluate(() => {
      document.querySelector<HTMLElement>('.send-release')?.click();
      document.querySelector<HTMLElement>('.lines:not(.lines-quiet) li:last-child .line')?.click();
    });
    const told = page.getByRole('alert').filter({ hasText: 'Your ruling may not have been taken' });
    await told.getByText('The sidecar cannot be reached.').waitFor();
    expect(await told.getByRole('link').getAttribute('href')).toBe(first);
    await told.getByRole('button', { name: 'Seen' }).press('Enter');
    await told.waitFor({ state: 'detached' });
  });

  it('a review that comes due while they are first asked for is not missed', async () => {
    await call();
    const glass = await signedIn('admin');
    await lines(glass).first().press('Enter');
    await glass.keyboard.press('b');
    await glass.locator('#reason:focus').waitFor();
    await glass.keyboard.type('Nobody was there.');
    await glass.keyboard.press('Control+Enter');
    await glass.locator('h2.panel-title:focus').waitFor();
    const asked = Promise.withResolvers<() => Promise<void>>();
    const page = await signedIn('reviewer', async (fresh) => {
      const isWanted = (request: Request) => request.url().endsWith('/api/v1/reviews?state=open');
      (await late(fresh, isWanted)).given.then(asked.resolve, asked.reject);
    });
    const letThrough = await asked.promise;
    await glass.keyboard.press('Control+Enter');
    await page.getByText('The glass was broken').waitFor();
    await letThrough();
    await page.getByText('1 release by one person alone waits for a review').waitFor();
  });

  it('open reviews are asked for once when one signs in, and once when one comes back to the inbox', async () => {
    let asked = 0;
    const answered = Promise.withResolvers<void>();
    const page = await signedIn('reviewer', async (fresh) => {
      fresh.on('response', (response) => {
        if (!response.url().endsWith('/api/v1/reviews?state=open')) return;
        asked += 1;
        answered.resolve();
      });
    });
    await answered.promise;
    // A page elsewhere is drawn later than whatever follows from the sign-in.
    await goToHash(page, '#/policy');
    await page.getByRole('heading', { name: 'Policy', exact: true }).waitFor();
    expect(asked).toBe(1);
    await goToHash(page, '#/');
    await expect.poll(() => asked).toBe(2);
    await goToHash(page, '#/policy');
    await page.getByRole('heading', { name: 'Policy', exact: true }).waitFor();
    expect(asked).toBe(2);
  });

  it('who else looks at a hold is what was heard last', async () => {
    await call();
    const [rita, otto] = [await signedIn(), await signedIn()];
    const alone = await late(rita, (request) => request.url().endsWith('/looking'));
    await lines(rita).first().press('Enter');
    const letThrough = await alone.given;
    await lines(otto).first().press('Enter');
    await rita.getByText('also looks at it.').waitFor();
    await letThrough();
    expect(await rita.locator('.also-looking').textContent()).toContain('also looks at it.');
  });
});
