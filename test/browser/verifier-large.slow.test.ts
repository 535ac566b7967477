/** The verifier's page on an export of 100 000 entries: the page answers meanwhile, and its memory stays bounded. */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportBulkLedger } from '../support/bulk-ledger.ts';
import { launchBrowser, missingBrowser } from './stage.ts';
import { setVerifierStage, type VerifierPage, type VerifierStage } from './verifier-stage.ts';

const entries = 100_000;
/** A file of some 190 MB: were it held in memory, that would show. */
const bodyBytes = 1024;
const addedBytesMax = 150_000_000;
const silenceMsMax = 1_000;

/** The most memory that any of the browser's page processes ever had, in bytes. */
async function peakOf(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const peaks = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? '0');
  return Math.max(...peaks.map(Number)) * 1024;
}

/** Begins to note the longest time in which the page did nothing else; the function it returns tells it. */
async function watchSilence(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    let last = performance.now();
    let longest = 0;
    setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      document.documentElement.dataset['silence'] = String(longest);
    }, 20);
  });
  return async () => Number(await page.evaluate(() => document.documentElement.dataset['silence']));
}

describe.skipIf(missingBrowser !== '')("the verifier's page on a large export", () => {
  let browser: Browser;
  let stage: VerifierStage;
  let file: string;
  let opened: VerifierPage;

  beforeAll(async () => {
    browser = await launchBrowser();
    stage = await setVerifierStage(browser);
    file = stage.write('large.hpj', await exportBulkLedger(entries, bodyBytes));
    opened = await stage.open();
  }, 600_000);

  afterAll(async () => {
    await browser?.close();
    stage?.close();
  });

  it('works in a worker, stops when told to, and verifies when asked again', async () => {
    const { page, choose } = opened;
    await choose(file);
    expect(page.workers().length).toBe(1);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('progress').waitFor({ state: 'detached' });
    expect(await page.locator('#verdict').count()).toBe(0);
    const before = await peakOf(browser);
    const silence = await watchSilence(page);
    await page.getByRole('button', { name: 'Verify', exact: true }).click();
    await page.locator('#verdict').waitFor({ timeout: 600_000 });
    expect(await page.locator('#verdict').textContent()).toBe('Intact');
    expect(await silence()).toBeLessThan(silenceMsMax);
    expect((await peakOf(browser)) - before).toBeLessThan(addedBytesMax);
    process.stdout.write(
      `${await page.locator('.verdict .facts').first().innerText()}\nsilent at most ${await silence()} ms, ${Math.round(((await peakOf(browser)) - before) / 1e6)} MB more\n`,
    );
  });

  it('goes from page to page of its decisions, and to any of them by number', async () => {
    const { page } = opened;
    await page.getByText(/^1 to 50 of /).waitFor();
    await page.getByRole('button', { name: 'Later' }).click();
    await page.getByText(/^51 to 100 of /).waitFor();
    const last = page.getByLabel('Decision by its id or number');
    const id = await page.locator('.open').last().textContent();
    await last.fill(id ?? '');
    await last.press('Enter');
    await page.getByRole('heading', { name: id ?? '', exact: true }).waitFor();
  });
});
