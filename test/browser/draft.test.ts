/** A draft of the policy tried in the console: written over the rules in force, and replayed over what was recorded. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from './pages.ts';
import { launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

const rules = (amount: number, version: string): string => `version: "${version}"
rules:
  - id: large-transfer
    title: Large transfers need a reviewer
    phase: request
    when: request.text.contains("transfer ${amount}")
    action: deny
    tests:
      - { name: it, expect: match, request: { text: "transfer ${amount}" } }
      - { name: another, expect: no-match, request: { text: hello } }
`;

describe.skipIf(missingBrowser !== '')(`a draft (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(rules(25_000, 'in-force'))]);
    for (const prompt of ['Please transfer 900.', 'Please transfer 25000.', 'What is the time?'])
      await stage
        .workload()
        .chat.completions.create(question(prompt))
        .catch((error: unknown) => expect(String(error)).toContain('403'));
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  let people = 0;
  async function signedIn(role: 'auditor' | 'reviewer'): Promise<Page> {
    people += 1;
    const context = await browser.newContext();
    context.setDefaultTimeout(8_000);
    const page = await context.newPage();
    await page.goto(`${stage.sidecar.controlUrl}/#/policy`);
    await page.getByLabel('Your token').fill(stage.token(`person${people}`, role));
    await page.keyboard.press('Enter');
    return page;
  }

  async function atDraft(): Promise<Page> {
    const page = await signedIn('auditor');
    await page.getByRole('button', { name: 'Begin with the rules in force' }).press('Enter');
    await page.getByLabel('The draft').waitFor();
    return page;
  }

  it('begins with the rules in force, shows what was changed, and says what it would have said', async () => {
    const page = await atDraft();
    const draft = page.getByLabel('The draft');
    expect(await draft.inputValue()).toBe(rules(25_000, 'in-force'));
    await draft.fill(rules(900, 'a-draft'));
    await page.getByText('What you changed').click();
    await page.locator('.draft .diff-added', { hasText: 'transfer 900' }).first().waitFor();
    const replay = page.getByRole('button', { name: 'Replay' });
    expect(await replay.isDisabled()).toBe(true);
    await page.getByLabel('Reason').fill('Is 25 000 too much?');
    await page.keyboard.press('Enter');

    await page.getByText('2 verdicts change').waitFor();
    await page.getByText('3 decisions replayed. There are no older ones.').waitFor();
    expect(await page.locator('.changes li').allTextContents()).toEqual([
      '1 from deny to pass',
      '1 from pass to deny',
    ]);
    const [row] = await page.locator('.backtest tbody tr').all();
    const cells = await row?.locator('th, td').allTextContents();
    expect(cells?.slice(0, 4)).toEqual(['large-transfer', 'deny', '1', '1']);
    expect(await seriousFindings(page)).toEqual([]);
    await page.locator('.backtest .examples a').first().click();
    await page.waitForURL(/#\/decisions\/d-[0-9a-f]+-\d+$/);
    await page.context().close();
  });

  it('that is no policy is refused with line and column, and keeps what was written', async () => {
    const page = await atDraft();
    await page.getByLabel('The draft').fill('version: "x"\nrules: [{ id: 7 }]\n');
    await page.getByLabel('Reason').fill('A try.');
    await page.keyboard.press('Enter');
    await page
      .getByRole('alert')
      .getByText(/the draft:2:\d+/)
      .waitFor();
    expect(await page.getByLabel('The draft').inputValue()).toContain('id: 7');
    await page.context().close();
  });

  it('is not offered to who may not replay one', async () => {
    const page = await signedIn('reviewer');
    await page.getByRole('heading', { name: 'Versions' }).waitFor();
    expect(await page.getByText('Try a draft').count()).toBe(0);
    await page.context().close();
  });
});
