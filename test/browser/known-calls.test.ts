/** A released call that is read back: the decision's page says why no rule held it, and where it was released. */
import { createServer } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createControl } from '../support/control-client.ts';
import { listeningOn } from '../support/listening-on.ts';
import { holdsToolCalls, launchBrowser, missingBrowser, type Stage, setStage } from './stage.ts';

const item = {
  type: 'function_call',
  id: 'fc_4b8C1gkQ92mTzPq7',
  call_id: 'call_4b8C1gkQ92mTzPq7',
  name: 'transfer_funds',
  arguments: '{"amount":25000}',
};
const answer = JSON.stringify({ id: 'resp_1', object: 'response', status: 'completed', output: [item] });

describe.skipIf(missingBrowser !== '')(`the page of a decision (${missingBrowser || 'Chromium'})`, () => {
  const provider = createServer((req, res) => {
    req.resume();
    req.once('end', () => res.writeHead(200, { 'content-type': 'application/json' }).end(answer));
  });
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => {
    [browser, stage] = await Promise.all([
      launchBrowser(),
      listeningOn(provider).then(({ url }) => setStage(holdsToolCalls, url)),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
    provider.close();
    provider.closeAllConnections();
  });

  it('says that a call in it was released before, and leads to where', async () => {
    const { proxyUrl, controlUrl } = stage.sidecar;
    const token = stage.token('rita', 'reviewer');
    const rita = createControl(controlUrl, token);
    const asked = fetch(`${proxyUrl}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5', input: 'Pay Ada.' }),
    });
    await rita.rule(await rita.nextHold(), { verdict: 'release' });
    const { status, headers } = await asked;
    expect(status).toBe(200);
    const [request] = (await rita.decision(headers.get('holdpoint-decision') ?? '')).entries;
    const read = await fetch(`${proxyUrl}/v1/responses/resp_1`);
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(`${controlUrl}/#/decisions/${read.headers.get('holdpoint-decision')}`);
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    const line = page.locator('.story li', { hasText: 'the answer was sealed' });
    const where = `entry ${request?.seq}`;
    expect(await line.textContent()).toContain(
      `the rules said pass without a call that was released to the same caller before, in the decision of ${where}`,
    );
    await line.getByRole('link', { name: where, exact: true }).click();
    await page.waitForURL((url) => url.hash === `#/ledger/${request?.seq}`);
    await page.close();
  });
});
