/** The console over a damaged ledger: each page has what can be read, and says what is missing and what to do about it. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damagingMachine } from '../contract/support/damaging-machine.ts';
import { firstHold, goToHash, seriousFindings } from './pages.ts';
import { launchBrowser, missingBrowser, type Stage, setStage } from './stage.ts';

const policy = JSON.stringify({
  version: '2026-11-26',
  rules: [
    {
      id: 'watched',
      title: 'A watched model',
      phase: 'request',
      when: 'request.model == "watched"',
      action: 'hold',
      hold: { roles: ['admin'] },
      severity: 'low',
      tests: [
        { name: 'yes', expect: 'match', request: { model: 'watched' } },
        { name: 'no', expect: 'no-match', request: { model: 'other' } },
      ],
    },
  ],
});
/** More than the sidecar remembers of what it read last. */
const others = 12;

describe.skipIf(missingBrowser !== '')(`a damaged ledger (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let page: Page;
  const disk = damagingMachine();
  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(policy, undefined, {}, disk.machine)]);
    const ask = (workload: string) =>
      stage
        .workload(workload)
        .chat.completions.create(
          { model: 'gpt-4.1', messages: [{ role: 'user', content: 'What is a hold point?' }] },
          { headers: { 'holdpoint-session': 'run-1' } },
        );
    for (let i = 0; i < others; i += 1) await ask('steady-agent');
    await ask('lost-agent');
    page = await (await browser.newContext()).newPage();
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token('grace', 'admin'));
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
    disk.damage('"workload":"lost-agent"');
    for (let i = 0; i < others; i += 1) await ask('steady-agent');
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  /** What the page says of the damage; by its words, as the notice of the page before may still stand. */
  async function told(hash: string, missing: string): Promise<string> {
    await goToHash(page, hash);
    const notice = page.locator('.damage', { hasText: missing });
    await notice.waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    return (await notice.textContent()) ?? '';
  }

  /** A call that waits, as `reader` finds it; for each another one, as one that was denied is not asked again. */
  async function held(reader: string): Promise<{ id: string; decisionId: string }> {
    await fetch(`${stage.sidecar.proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async' },
      body: JSON.stringify({ model: 'watched', messages: [{ role: 'user', content: `Ask ${reader}.` }] }),
    });
    return firstHold(stage, stage.token(reader, 'admin'));
  }

  it.each([
    ['the decisions', '#/decisions', 'missing from this list'],
    ['a session', '#/sessions/run-1', 'missing from this conversation'],
    ['the overview', '#/overview?hours=1', 'None of them is counted here'],
    ['the policy', '#/policy', 'not listed here'],
    ['the ledger', '#/ledger', 'not listed here'],
  ])('%s', async (_name, hash, missing) => {
    const text = await told(hash, missing);
    expect(text).toMatch(/^1 entry of the ledger cannot be read\./);
    expect(text).toMatch(/Entry \d+ cannot be read/);
    expect(text).toContain('holdpoint verify');
    expect(text).toContain('holdpoint ledger restore');
  });

  it('a replayed draft', async () => {
    await goToHash(page, '#/policy');
    await page.getByRole('button', { name: 'Begin with the rules in force' }).click();
    await page.getByLabel(/^Reason/).fill('Try it');
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.locator('.backtest .damage').waitFor();
    expect(await page.locator('.backtest .damage').textContent()).toContain('were not replayed');
  });

  it('a hold that cannot be read offers its denial alone', async () => {
    const { id, decisionId } = await held('nora');
    const request = stage.sidecar.ledger.seqOfId('d', decisionId) ?? -1;
    disk.damage(`"seq":${request},`);
    // Reads more than the sidecar remembers.
    await told('#/decisions', 'missing from this list');
    const text = await told(
      `#/holds/${id}`,
      'What is held is among it, so it can be denied and not released.',
    );
    expect(text).toContain(`Entry ${request} cannot be read`);
    const button = (name: RegExp) =>
      page.getByRole('group', { name: 'Choose a ruling' }).getByRole('button', { name });
    for (const name of [/^Release/, /^Amend/])
      expect(await button(name).getAttribute('aria-disabled')).toBe('true');
    await button(/^Deny/).click();
    await page.getByLabel(/^Reason/).fill('Nobody can read it.');
    await page.getByRole('button', { name: 'Deny now' }).click();
    await page.locator('.over-denied').waitFor();
  });

  it('verify now fails where the newest decision is the one that cannot be read', async () => {
    disk.damage('"workload":"steady-agent"');
    await goToHash(page, '#/ledger');
    await page.getByRole('button', { name: 'Verify now' }).click();
    await page.locator('.steps').waitFor();
    const text = (await page.locator('.steps').textContent()) ?? '';
    expect(text).toMatch(/The newest decision: fails\. *Entry \d+ cannot be read/);
    expect(text).toContain('holdpoint verify');
  });

  it('a hold of which a comment cannot be read', async () => {
    const { id } = await held('olga');
    await page.route(`**/api/v1/holds/${id}`, async (route) => {
      const response = await route.fetch();
      const unreadable = [{ seq: 7, last: 7, decision: null, why: 'Entry 7 cannot be read: it is damaged.' }];
      await route.fulfill({ response, json: { ...(await response.json()), unreadable } });
    });
    const text = await told(
      `#/holds/${id}`,
      'Something that was said or done about this hold is missing here.',
    );
    expect(text).toContain('Entry 7 cannot be read');
    await page.getByText('Why it is held').waitFor();
  });
});
