/** Privacy officers in the console: what they erase, what they put out of everybody's reach, and who may only read that. */
import type { Browser, BrowserContext, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { goToHash, seriousFindings } from './pages.ts';
import { holdsToolCalls, launchBrowser, missingBrowser, type Stage, setStage } from './stage.ts';

const retention = {
  rules: [
    { id: 'books', match: { workload: 'bookkeeping' }, minimumDays: 3650 },
    { id: 'chat', match: { workload: 'chat-agent' }, keepDays: 90 },
  ],
  exemptions: [{ id: 'claims', match: { workload: 'litigation' }, bases: ['objection'] }],
};

describe.skipIf(missingBrowser !== '')(
  `the privacy page (${missingBrowser || 'Chromium'})`,
  { timeout: 60_000 },
  () => {
    let browser: Browser;
    let stage: Stage;
    const opened: BrowserContext[] = [];
    let people = 0;
    beforeAll(async () => {
      [browser, stage] = await Promise.all([
        launchBrowser(),
        setStage(holdsToolCalls, undefined, {}, undefined, { retention }),
      ]);
    });
    afterEach(async () => {
      for (const context of opened.splice(0)) await context.close();
    });
    afterAll(async () => {
      await browser.close();
      await stage.close();
    });

    async function atPage(role: string, hash = '#/privacy'): Promise<Page> {
      const context = await browser.newContext({
        viewport: { width: 1360, height: 850 },
        reducedMotion: 'reduce',
      });
      context.setDefaultTimeout(8_000);
      opened.push(context);
      const page = await context.newPage();
      people += 1;
      await page.goto(stage.sidecar.controlUrl);
      await page.getByLabel('Your token').fill(stage.token(`petra-${people}`, role));
      await page.keyboard.press('Enter');
      await page.locator('.link-live').waitFor();
      await goToHash(page, hash);
      return page;
    }

    /** A call about somebody; its decision's id. */
    async function decide(subject: string, workload = 'support-agent'): Promise<string> {
      const messages = [{ role: 'user' as const, content: `About ${subject}.` }];
      const { response } = await stage
        .workload(workload)
        .chat.completions.create(
          { model: 'gpt-4.1', messages },
          { headers: { 'holdpoint-subject': subject } },
        )
        .withResponse();
      return response.headers.get('holdpoint-decision') ?? '';
    }

    const eraseForm = (page: Page) => page.getByRole('region', { name: 'Erase content' });
    const row = (page: Page, table: string, text: string) =>
      page.getByRole('region', { name: table, exact: true }).locator('tbody tr', { hasText: text });

    it('erases a person after a look at what would go, and the decision says so', async () => {
      const id = await decide('customer-1');
      await decide('customer-1');
      const page = await atPage('privacy');
      const form = eraseForm(page);
      await form.getByLabel(/^Their name/).fill('customer-1');
      await form.getByLabel(/^Reason/).fill('Request DSR-1.');
      await page.keyboard.press('Enter');
      await form.getByText('Would erase 4 bodies of 2 decisions (2 judged).').waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await form.getByRole('button', { name: 'Erase 4 bodies for good' }).click();
      await form.getByText('Erased 4 bodies of 2 decisions (2 judged).').waitFor();
      await form.getByText('bytes were overwritten').waitFor();
      const listed = page
        .getByRole('region', { name: 'Erasures since the sidecar started' })
        .locator('tbody tr');
      await listed.nth(0).getByText('Erased 4 bodies of 2 decisions').waitFor();
      expect(await listed.nth(1).getByText('only looked').count()).toBe(1);
      await listed
        .nth(0)
        .getByText(/^the subject with the fingerprint [0-9a-f]{16}$/)
        .waitFor();

      await goToHash(page, `#/decisions/${id}`);
      await page.getByText(/^content was erased by petra-\d+ \(privacy\), objection$/).waitFor();
    });

    it('stops an erasure that waits, with a reason, and says who did', async () => {
      await decide('customer-8');
      const page = await atPage('privacy');
      const erasures = { scope: { subject: '94430afaa7338b4f' }, by: 'ada', basis: 'objection' };
      const counts = { dryRun: false, decisions: 0, erased: 0, parts: 0, refused: {}, entries: [] };
      const times = { bytesWiped: 0, bytesReclaimed: 0, startedAt: '2026-11-26T10:00:00.000Z', error: null };
      const item = { id: 'ab'.repeat(8), ...erasures, ...counts, ...times };
      let told: object = { state: 'waiting', stoppedBy: null };
      let asked = '';
      await page.route('**/api/v1/erasures', (route) =>
        route.fulfill({ json: { items: [{ ...item, ...told }] } }),
      );
      await page.route('**/api/v1/erasures/*/stop', async (route) => {
        asked = `${new URL(route.request().url()).pathname} ${route.request().postData()}`;
        told = { state: 'stopped', stoppedBy: 'petra' };
        await route.fulfill({ status: 202, json: { ...item, state: 'waiting', stoppedBy: 'petra' } });
      });
      // It may have read the list before.
      await page.reload();
      const line = row(page, 'Erasures since the sidecar started', 'fingerprint 94430afaa7338b4f');
      await line.getByRole('button', { name: /^Stop … the erasure of the subject/ }).click();
      await line.getByLabel(/^Reason/).fill('The wrong person.');
      expect(await seriousFindings(page)).toEqual([]);
      await line.getByRole('button', { name: 'Stop it' }).click();
      await line.getByText('Stopped by petra: what was erased before stays erased').waitFor();
      expect(await line.getByRole('button').count()).toBe(0);
      expect(asked).toBe(`/api/v1/erasures/${item.id}/stop {"reason":"The wrong person."}`);
    });

    it('erases nothing that the form no longer says', async () => {
      await decide('customer-2');
      const page = await atPage('privacy');
      const form = eraseForm(page);
      await form.getByLabel(/^Their name/).fill('customer-2');
      await form.getByLabel(/^Reason/).fill('Request DSR-2.');
      await page.keyboard.press('Enter');
      await form.getByRole('button', { name: 'Erase 2 bodies for good' }).waitFor();
      await form.getByLabel(/^Their name/).fill('customer-3');
      await form.getByText('Would erase').waitFor({ state: 'detached' });
      expect(await form.getByRole('button', { name: /for good/ }).count()).toBe(0);
      await page.keyboard.press('Enter');
      await form.getByText('Would erase nothing: no decision').waitFor();
      expect(await form.getByRole('button', { name: /for good/ }).count()).toBe(0);
    });

    it('places a legal hold from a decision, under which that is not erased, and lifts it', async () => {
      const id = await decide('customer-4');
      const page = await atPage('privacy', `#/decisions/${id}`);
      await page.getByRole('link', { name: 'Erase it, or put it under a legal hold' }).click();
      const holds = page.getByRole('region', { name: 'Legal holds' }).first();
      await page.getByRole('button', { name: 'Place one' }).click();
      expect(await holds.getByLabel('The decision’s id').inputValue()).toBe(id);
      await holds.getByLabel(/^Reason/).fill('Case 7 O 12/26.');
      await page.keyboard.press('Enter');
      await row(page, 'Legal holds', 'Case 7 O 12/26.').waitFor();

      const form = eraseForm(page);
      await form.getByLabel(/^Reason/).fill('Request DSR-4.');
      await page.keyboard.press('Enter');
      await form.getByText('Refused 1 decision: legal hold').waitFor();
      expect(await form.getByRole('button', { name: /for good/ }).count()).toBe(0);

      await row(page, 'Legal holds', 'Case 7 O 12/26.').getByRole('button', { name: /^Lift/ }).click();
      expect(await seriousFindings(page)).toEqual([]);
      await holds.getByLabel(/^Reason/).fill('The case is closed.');
      await page.keyboard.press('Enter');
      await page.getByText('None stands.').waitFor();
    });

    it('says of a decision whose erasure was refused that it was not erased', async () => {
      const id = await decide('customer-5', 'bookkeeping');
      const page = await atPage('privacy', `#/privacy?decision=${id}`);
      const { controlUrl } = stage.sidecar;
      const json = { scope: { decision: id }, basis: 'unlawful', reason: 'Request DSR-5.' };
      const begun = await fetch(`${controlUrl}/api/v1/erasures`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${stage.token('olga', 'admin')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(json),
      });
      expect(begun.status).toBe(202);
      await page.reload();
      await row(page, 'Erasures since the sidecar started', 'statutory minimum').waitFor();
      await goToHash(page, `#/decisions/${id}`);
      await page
        .getByText('content was not erased, statutory minimum: asked for by olga (admin), unlawful')
        .waitFor();
    });

    it('shows what is kept how long, and looks at what a rule would erase next', async () => {
      const page = await atPage('admin');
      await row(page, 'Retention rules', 'books').getByText('3,650 days').waitFor();
      await page.getByText(/^The schedule comes every 24 hours, next at /).waitFor();
      await page.getByText('): workload litigation, from erasures on objection.').waitFor();
      const chat = row(page, 'Retention rules', 'chat-agent');
      expect(await chat.getByText('90 days').count()).toBe(1);
      await chat.getByRole('button', { name: /^See what would go/ }).click();
      await chat.getByText('Would erase nothing').waitFor();
    });

    it('says what stands in the way of an order, and takes it once that is put right', async () => {
      await decide('customer-6', 'chat-agent');
      const page = await atPage('privacy');
      const form = eraseForm(page);
      await form.getByLabel('A class of calls').check();
      await form.getByLabel(/^Reason/).fill('Closing the pilot.');
      await page.keyboard.press('Enter');
      await form.getByRole('alert').getByText('expected at least one of').waitFor();
      await form.getByLabel('Workload').fill('chat-agent');
      await form.getByLabel('Only before (UTC)').fill('2020-01-01T00:00');
      await page.keyboard.press('Enter');
      await form.getByText('Would erase nothing').waitFor();
      await form.getByLabel('Only before (UTC)').fill('');
      await form.getByRole('button', { name: 'See what would go' }).click();
      await form.getByText('Would erase 2 bodies of 1 decision').waitFor();
    });

    it('keeps a reason that is too long, and says so', async () => {
      await decide('gus');
      const page = await atPage('privacy');
      const form = eraseForm(page);
      await form.getByLabel(/^Their name/).fill('gus');
      await form.getByLabel(/^Reason/).focus();
      await page.keyboard.insertText('x'.repeat(4_001));
      await form.getByRole('button', { name: 'See what would go' }).click();
      await form.getByRole('alert').filter({ hasText: 'at most 4000' }).waitFor();
      expect(await form.getByLabel(/^Reason/).inputValue()).toHaveLength(4_001);
    });

    it('says how far an erasure is, and why it failed', async () => {
      await decide('customer-7');
      const page = await atPage('privacy');
      const states = [
        { state: 'running', decisions: 41 },
        { state: 'failed', decisions: 42, error: 'Bodies of entry 7 are still stored.' },
      ];
      // What a sidecar says amid a long one; here each ends before it can be asked.
      await page.route('**/api/v1/erasures/*', async (route) => {
        const answer = await route.fetch();
        const now = z.looseObject({}).parse(await answer.json());
        const said = states.length > 1 ? states.shift() : states[0];
        await route.fulfill({ response: answer, json: { ...now, ...said } });
      });
      const form = eraseForm(page);
      await form.getByLabel(/^Their name/).fill('customer-7');
      await form.getByLabel(/^Reason/).fill('Request DSR-7.');
      await page.keyboard.press('Enter');
      await form.getByText('Looking … 41 decisions judged').waitFor();
      await form.getByText('Bodies of entry 7 are still stored.').waitFor();
      await form.getByText('(42 judged)').waitFor();
      // What can be read of it can be erased all the same.
      await form.getByRole('button', { name: 'Erase 2 bodies for good' }).waitFor();
    });

    it('says that an erasure was not taken, also once the form says something else', async () => {
      await decide('customer-8');
      const page = await atPage('privacy');
      const form = eraseForm(page);
      await form.getByLabel(/^Their name/).fill('customer-8');
      await form.getByLabel(/^Reason/).fill('Request DSR-8.');
      await page.keyboard.press('Enter');
      await form.getByRole('button', { name: /for good/ }).waitFor();
      const sent = Promise.withResolvers<Route>();
      await page.route('**/api/v1/erasures', (route) =>
        route.request().method() === 'POST' ? sent.resolve(route) : route.continue(),
      );
      await form.getByRole('button', { name: /for good/ }).click();
      const route = await sent.promise;
      await form.getByLabel(/^Reason/).fill('Something else.');
      const detail = 'The ledger cannot be written.';
      await route.fulfill({ status: 503, json: { code: 'ledger_unavailable', detail, next: '' } });
      await form.getByRole('alert').getByText(detail).waitFor();
    });

    it('is to read for auditors, and not offered to reviewers', async () => {
      const auditor = await atPage('auditor');
      await auditor.getByRole('heading', { name: 'Erasures since the sidecar started' }).waitFor();
      await row(auditor, 'Retention rules', 'books').waitFor();
      await auditor.getByText('None stands.').waitFor();
      expect(await auditor.getByRole('button', { name: /would go|Place one/ }).count()).toBe(0);
      expect(await auditor.getByRole('link', { name: 'Privacy' }).count()).toBe(1);
      const reviewer = await atPage('reviewer', '#/overview');
      await reviewer.getByRole('heading', { name: 'Overview' }).waitFor();
      const visited = await reviewer.evaluate(() => history.length);
      expect(await reviewer.getByRole('link', { name: 'Privacy' }).count()).toBe(0);
      await reviewer.keyboard.press('6');
      await reviewer.keyboard.press('3');
      await reviewer.getByRole('heading', { name: 'Ledger', level: 1 }).waitFor();
      expect(await reviewer.evaluate(() => history.length)).toBe(visited + 1);
    });
  },
);
