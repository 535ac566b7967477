/** A call on a server that the provider calls: the hold's page says what that server calls it. */
import { createServer } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listeningOn } from '../support/listening-on.ts';
import { seriousFindings } from './pages.ts';
import { launchBrowser, missingBrowser, type Stage, setStage, toolCallRule } from './stage.ts';

const call = { name: 'transfer_funds', server_label: 'bank', arguments: '{"amount":25000}' };
const answer = JSON.stringify({
  id: 'r',
  status: 'completed',
  output: [{ type: 'mcp_call', id: 'm', ...call }],
});

const holdsTransfers = JSON.stringify({
  version: '2026-11-22',
  rules: [
    {
      ...toolCallRule,
      when: 'response.toolCalls.exists(c, c.name == "bank.transfer_funds")',
      tests: [
        {
          name: 'one',
          expect: 'match',
          response: { toolCalls: [{ name: 'bank.transfer_funds' }] },
        },
        { name: 'none', expect: 'no-match', response: { text: 'hello' } },
      ],
    },
  ],
});

describe.skipIf(missingBrowser !== '')(`the page of a hold (${missingBrowser || 'Chromium'})`, () => {
  const provider = createServer((req, res) => {
    req.resume();
    req.once('end', () => res.writeHead(200, { 'content-type': 'application/json' }).end(answer));
  });
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => {
    [browser, stage] = await Promise.all([
      launchBrowser(),
      listeningOn(provider).then(({ url }) => setStage(holdsTransfers, url)),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
    provider.close();
    provider.closeAllConnections();
  });

  it('names the tool as its server does, and marks the name that a rule is true of', async () => {
    const left = new AbortController();
    const asked = fetch(`${stage.sidecar.proxyUrl}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5', input: 'Pay Ada.' }),
      signal: left.signal,
    }).catch(() => null);
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token('rita', 'reviewer'));
    await page.keyboard.press('Enter');
    await page.locator('.lines .line').click();
    await page.locator('.other-names').waitFor();
    expect(await page.locator('.other-names').textContent()).toBe(
      'also known as transfer_funds, bank.transfer_funds matched',
    );
    expect(await page.locator('.other-reading').count()).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
    left.abort();
    await asked;
  });
});
