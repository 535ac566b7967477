/** "Verify now" in the browser believes bytes and signatures, not the sidecar: whatever is changed on the way is named. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goToHash } from './pages.ts';
import { launchBrowser, missingBrowser, type Stage, setStage } from './stage.ts';

const policy = JSON.stringify({ version: '2026-11-26', rules: [] });

describe.skipIf(missingBrowser !== '')(`verify now (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let token: string;
  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(policy)]);
    token = stage.token('grace', 'auditor');
    await stage.workload().chat.completions.create({
      model: 'gpt-4.1',
      messages: [{ role: 'user', content: 'What is a hold point?' }],
    });
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  /** What the ledger page reports after a press of the button. */
  async function report(prepare: (page: Page) => Promise<unknown>, button = 'Verify now'): Promise<string> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
    await goToHash(page, '#/ledger');
    await page.getByRole('button', { name: 'Verify now' }).waitFor();
    await prepare(page);
    await page.getByRole('button', { name: button }).click();
    await page.locator('.steps').waitFor();
    const text = (await page.locator('.steps').textContent()) ?? '';
    await context.close();
    return text;
  }

  /** Verifies once, so that the browser remembers the checkpoint. */
  async function verifyOnce(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Verify now' }).click();
    await page.getByText('Intact, as far as').waitFor();
  }

  it('finds an untouched ledger intact, every entry hashed', async () => {
    const text = await report(async () => undefined, 'Hash every entry');
    expect(text).toContain('Intact');
    expect(text).toContain('Every entry: holds.');
  });

  it('finds a word changed in an entry', async () => {
    const text = await report((page) =>
      page.route('**/api/v1/decisions/d-*', async (route) => {
        const answer = await route.fetch();
        await route.fulfill({
          response: answer,
          body: (await answer.text()).replaceAll('billing-agent', 'billing-agenT'),
        });
      }),
    );
    expect(text).toContain('Not intact');
    expect(text).toMatch(/Entry \d+ does not lead to the root/);
  });

  it('finds a byte changed in a bundle of entries', async () => {
    const text = await report(
      (page) =>
        page.route('**/tile/entries/**', async (route) => {
          const answer = await route.fetch();
          const body = Buffer.from(
            (await answer.body()).toString('latin1').replace('"strict"', '"sTrict"'),
            'latin1',
          );
          await route.fulfill({ response: answer, body });
        }),
      'Hash every entry',
    );
    expect(text).toContain('Every entry: fails.');
  });

  it('finds that a ledger does not go on from what this browser saw', async () => {
    const text = await report(async (page) => {
      await verifyOnce(page);
      await page.evaluate(() => {
        const name = Object.keys(localStorage).find((key) => key.startsWith('holdpoint.checkpoint.')) ?? '';
        const kept = JSON.parse(localStorage.getItem(name) ?? '{}');
        localStorage.setItem(name, JSON.stringify({ ...kept, size: kept.size - 1 }));
      });
    });
    expect(text).toContain('is not what this browser saw then');
  });

  it('finds a ledger that became shorter', async () => {
    const text = await report(async (page) => {
      await verifyOnce(page);
      await page.evaluate(() => {
        const name = Object.keys(localStorage).find((key) => key.startsWith('holdpoint.checkpoint.')) ?? '';
        const kept = JSON.parse(localStorage.getItem(name) ?? '{}');
        localStorage.setItem(name, JSON.stringify({ ...kept, size: 1_000_000 }));
      });
    });
    expect(text).toContain('it was rolled back');
  });

  it('finds a checkpoint that another key signed', async () => {
    const other = await setStage(policy);
    const key = other.sidecar.ledger.verifierKey;
    await other.close();
    const text = await report((page) => page.getByLabel(/^Verifier key/).fill(key));
    expect(text).toContain('Checkpoint: fails.');
  });
});
