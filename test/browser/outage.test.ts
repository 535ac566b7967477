/** What is opened while the sidecar cannot be reached is read by itself once the desk is connected again. */
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from 'vitest';
import { firstHold, goToHash } from './pages.ts';
import {
  holdsToolCalls,
  launchBrowser,
  layWire,
  missingBrowser,
  question,
  type Stage,
  setStage,
} from './stage.ts';

const unreachable = 'The sidecar cannot be reached.';

describe.skipIf(missingBrowser !== '')(`an outage (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let token: string;
  let hold: string;
  let asked: Promise<unknown>;
  let wire: Awaited<ReturnType<typeof layWire>>;
  let page: Page;

  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
    const calls = stage.workload().chat.completions;
    asked = calls.create(question('Delete all records of customer 1001.')).then(String, String);
    token = stage.token('olga', 'admin');
    hold = (await firstHold(stage, token)).id;
  });
  beforeEach(async () => {
    wire = await layWire(stage.sidecar.controlUrl);
    const context = await browser.newContext();
    context.setDefaultTimeout(15_000);
    page = await context.newPage();
    await page.goto(wire.url);
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
  });
  afterEach(async () => {
    await page.context().close();
    wire.close();
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
    await asked;
  });

  const told = (text: string): Promise<void> => page.locator('main').getByText(text).first().waitFor();

  it.each([
    ['the ledger', '#/ledger', 'The signed checkpoint'],
    ['decisions', '#/decisions', 'That is all.'],
    ['a hold', () => `#/holds/${hold}`, 'Why it is held'],
  ])('is over for the page of %s without anybody asking again', async (_, hash, words) => {
    wire.cut();
    await page.locator('.link-lost').waitFor();
    await goToHash(page, typeof hash === 'string' ? hash : hash());
    await told(unreachable);
    wire.mend();
    await told(words);
    await page.locator('main').getByText(unreachable).waitFor({ state: 'detached' });
  });

  it.each([
    ['the ledger', '**/ledger/checkpoint', '#/ledger', 'The signed checkpoint'],
    ['decisions', '**/decisions?*', '#/decisions', 'That is all.'],
    ['a hold', '**/holds/h-*', () => `#/holds/${hold}`, 'Why it is held'],
  ])('is over for the page of %s whose reading fails only then', async (_, wanted, hash, words) => {
    const sent = Promise.withResolvers<Route>();
    await page.route(wanted, (route) => sent.resolve(route), { times: 1 });
    await goToHash(page, typeof hash === 'string' ? hash : hash());
    const route = await sent.promise;
    wire.cut();
    await page.locator('.link-lost').waitFor();
    wire.mend();
    await page.locator('.link-live').waitFor();
    await route.abort();
    await told(words);
  });
});
