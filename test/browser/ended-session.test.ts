/** What was asked in a session that ended says nothing in the next one, whenever its answer comes. */
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { goToHash } from './pages.ts';
import { holdsToolCalls, launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

describe.skipIf(missingBrowser !== '')(`a session that ended (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let page: Page;
  let people = 0;
  let asked: Promise<unknown>;

  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
    asked = stage
      .workload()
      .chat.completions.create(question('Delete all records of customer 1001.'))
      .then(String, String);
  });
  afterEach(() => page.context().close());
  afterAll(async () => {
    await browser.close();
    await stage.close();
    await asked;
  });

  async function signIn(): Promise<string> {
    people += 1;
    const name = `person${people}`;
    await page.getByLabel('Your token').fill(stage.token(name, 'reviewer'));
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
    return name;
  }

  /** What is asked so in the first session is answered by the sidecar once that is over, and heard once the next one is there. */
  async function hearLate(wanted: string, ask: () => Promise<unknown>): Promise<string> {
    const context = await browser.newContext();
    context.setDefaultTimeout(8_000);
    page = await context.newPage();
    await page.goto(stage.sidecar.controlUrl);
    await signIn();
    const sent = Promise.withResolvers<Route>();
    await page.route(wanted, (route) => sent.resolve(route), { times: 1 });
    await ask();
    const route = await sent.promise;
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('#token:enabled').waitFor();
    const response = await route.fetch();
    expect(response.status()).toBe(401);
    const name = await signIn();
    const finished = page.waitForEvent('requestfinished', (one) => one === route.request());
    await route.fulfill({ response });
    await finished;
    // What the page makes of it is drawn.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
    return name;
  }

  it.each([
    ['a page', '**/api/v1/decisions?*', () => goToHash(page, '#/decisions')],
    [
      'a hold that was left',
      '**/api/v1/holds/h-*',
      async () => {
        await page.locator('.lines .line').first().press('Enter');
        await page.locator('#hold-title').waitFor();
        await goToHash(page, '#/');
      },
    ],
  ])('does not end the next one by its refusal, asked for by %s', async (_, wanted, ask) => {
    const name = await hearLate(wanted, ask);
    expect(await page.locator('.who strong').textContent()).toBe(name);
  });
});
