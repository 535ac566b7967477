/**
 * What the verifier's page tells of a ledger: the stories of its decisions, found and read by keyboard too, recorded text as
 * text, and no way out for any of it.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { streamOf } from '../second-opinion/ledgers.ts';
import { launchBrowser, missingBrowser } from './stage.ts';
import { buildStories, hostile, setVerifierStage, type VerifierStage } from './verifier-stage.ts';

const verdictOn = (page: Page) => page.locator('#verdict');

describe.skipIf(missingBrowser !== '')("the stories on the verifier's page", () => {
  let browser: Browser;
  let stage: VerifierStage;

  beforeAll(async () => {
    browser = await launchBrowser();
    stage = await setVerifierStage(browser);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    stage?.close();
  });

  it('tells how a held decision came about, with what was said once the key is given', async () => {
    const stories = buildStories();
    const { page, choose } = await stage.open();
    await choose(stage.write('stories.hpj', streamOf(stories.records)));
    await page.getByRole('button', { name: 'held', exact: false }).first().click();
    await page.getByRole('button', { name: 'Story of decision 2' }).click();
    const titles = page.locator('.step h3');
    await titles.first().waitFor();
    expect(await titles.allTextContents()).toEqual([
      'Asked',
      'Answered, and held',
      'The answer waited for a person',
      'Released',
      'Handed to the workload',
      'Closed as delivered',
    ]);
    expect(await page.locator('.step').nth(2).innerText()).toContain(
      'large-transfer: Transfers above 10 000',
    );
    expect(await page.locator('.step').nth(3).innerText()).toContain('rita');
    expect(await page.locator('.step').first().innerText()).toContain('give the key-encryption key');

    await page.locator('summary', { hasText: 'What you know' }).click();
    await page.getByLabel('Key-encryption key').fill(stories.kek.toString('base64'));
    await page.getByRole('button', { name: 'Verify again with these' }).click();
    await page.getByRole('button', { name: 'Story of decision 2' }).click();
    await page.getByRole('button', { name: 'Read the reason' }).click();
    await page.getByText('Matches invoice 4711.').waitFor();
    await page.getByRole('button', { name: 'Read the request' }).click();
    await page.getByText('Please transfer 25000 EUR.').waitFor();
    await page.context().close();
  });

  it('shows markup, scripts and hidden characters in what was recorded as text', async () => {
    const stories = buildStories();
    const { page, choose, complaints, requested } = await stage.open();
    await choose(
      stage.write('hostile.hpj', streamOf(stories.records)),
      stage.write('hostile.key', stories.kek.toString('base64')),
    );
    await page.getByRole('button', { name: 'Story of decision 7' }).click();
    await page.getByRole('button', { name: 'Read the request' }).click();
    await page.locator('.part .source').nth(1).waitFor();
    const text = await page.locator('.story').innerText();
    expect(text).toContain('<script>document.title=2</script>');
    expect(text).toContain('⟨U+202E⟩');
    expect(text).not.toContain('\u202e');
    expect(hostile).toContain('\u202e');
    expect(await page.locator('.story img, .story script').count()).toBe(0);
    expect(await page.title()).toBe('Holdpoint ledger verifier');
    expect(complaints).toEqual([]);
    expect(requested.filter((url) => !url.startsWith('blob:'))).toEqual([]);
    await page.context().close();
  });

  it('lets no script of its own out: its policy blocks every kind of connection', async () => {
    const { page, complaints } = await stage.open();
    const fetched = await page.evaluate(() =>
      fetch('http://127.0.0.1:9/').then(
        () => 'got out',
        () => 'blocked',
      ),
    );
    expect(fetched).toBe('blocked');
    expect(complaints.join('\n')).toMatch(/Content Security Policy/);
    await page.context().close();
  });

  it('gives the same verdict and stories where the browser has no worker for it', async () => {
    const stories = buildStories();
    const { page, choose } = await stage.open({}, () => Reflect.deleteProperty(globalThis, 'Worker'));
    await choose(stage.write('unworked.hpj', streamOf(stories.records)));
    await verdictOn(page).waitFor();
    expect(page.workers()).toEqual([]);
    expect(await verdictOn(page).textContent()).toBe('Intact');
    await page.getByRole('button', { name: 'Story of decision 2' }).click();
    await page.getByRole('heading', { name: /-2$/ }).waitFor();
    await page.context().close();
  });

  it('takes what is dropped anywhere, and is worked with the keyboard alone', async () => {
    const stories = buildStories();
    const { page } = await stage.open();
    const dropped = streamOf(stories.records).toString('base64');
    const transfer = await page.evaluateHandle((base64) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], 'ledger.hpj'));
      return data;
    }, dropped);
    await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
    await verdictOn(page).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('9');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /-9$/ }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('story');
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Decisions' }).waitFor();
    await page.context().close();
  });
});
