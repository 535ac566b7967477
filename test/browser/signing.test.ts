/** A reviewer signs in the browser with a key it never gives out; the ledger then shows offline that they did. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdsToolCalls, launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

describe.skipIf(missingBrowser !== '')('signing in the browser', () => {
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => {
    [browser, stage] = await Promise.all([
      launchBrowser(),
      setStage(holdsToolCalls, undefined, { rulings: 'signed' }),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  it('makes a key, releases with it and nothing without it, and the ledger verifies', async () => {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(8_000);
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token('ada', 'reviewer'));
    await page.keyboard.press('Enter');
    await page.getByText('live', { exact: true }).waitFor();
    const answer = stage.workload().chat.completions.create({
      ...question('Please transfer 25000 EUR to DE89370400440532013000.'),
      model: 'gpt-4.1',
    });
    await page.locator('.lines:not(.lines-quiet) .line').first().click();

    const release = async (): Promise<void> => {
      if (!(await page.locator('#reason').isVisible()))
        await page
          .getByRole('button', { name: /^Release/ })
          .first()
          .click();
      await page.locator('#reason').fill('Invoice 4711.');
      await page.locator('#reason').press('Control+Enter');
    };
    await release();
    await page.getByText('this browser has no key of yours that counts').waitFor();

    await page.getByRole('button', { name: 'Make a signing key' }).click();
    await page.getByText(/Signed with the key [0-9a-f]{16}/).waitFor();
    const exported = await page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const request = indexedDB.open('holdpoint');
          request.onsuccess = () => {
            const all = request.result.transaction('reviewer-keys').objectStore('reviewer-keys').getAll();
            all.onsuccess = () =>
              crypto.subtle.exportKey('pkcs8', all.result[0].privateKey).then(
                () => resolve('given out'),
                (error: Error) => resolve(error.name),
              );
          };
        }),
    );
    expect(exported).toBe('InvalidAccessError');

    await release();
    expect((await answer).choices[0]?.message.tool_calls).toHaveLength(1);
    const verdict = await stage.verdict();
    expect(verdict.findings).toEqual([]);
    expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
    expect(verdict.notes.join('\n')).toContain('1 of 1 rulings by people are signed');
  });
});
