/**
 * The console in a real browser, against a real sidecar: what a reviewer sees and presses, and what the waiting
 * workload's SDK then gets. Needs Debian's chromium, or CHROMIUM_PATH.
 */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/core/roles.ts';
import {
  launchBrowser,
  layWire,
  missingBrowser,
  question,
  type Stage,
  setStage,
  startFixedProvider,
  toolCallRule,
} from './stage.ts';

if (missingBrowser !== '') {
  if (process.env['CI'] === 'true') throw new Error(missingBrowser);
  process.stderr.write(`The console's tests are skipped: ${missingBrowser}\n`);
}

const policy = JSON.stringify({
  version: '2026-11-22',
  rules: [
    {
      id: 'unknown-model',
      title: 'Nobody approved this model',
      phase: 'request',
      when: 'request.model == "shadow-model"',
      action: 'hold',
      severity: 'medium',
      tests: [
        { name: 'it', expect: 'match', request: { model: 'shadow-model' } },
        { name: 'another', expect: 'no-match', request: { model: 'gpt-4.1' } },
      ],
    },
    toolCallRule,
  ],
});

/** The keys after it go to the reason's field, which takes the focus a moment after it shows. */
function reasonHasFocus(page: Page): Promise<void> {
  return expect
    .poll(() => page.evaluate(() => document.activeElement?.id), { timeout: 8_000 })
    .toBe('reason');
}

const iban = 'DE89370400440532013000';
const transfer = `Please transfer 25000 EUR to ${iban} for invoice 4711.`;

/** The content of the call that was made last. */
async function readNewestDecision(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Decisions' }).click();
  await page.locator('table tbody a').first().click();
  await page.getByRole('button', { name: 'Read the exchange' }).click();
}

describe.skipIf(missingBrowser !== '')(
  `the console${missingBrowser && ` (skipped: ${missingBrowser})`}`,
  () => {
    let browser: Browser;
    let stage: Stage;
    const opened: (() => Promise<void>)[] = [];
    let people = 0;
    let reviewer: Page | null = null;

    beforeAll(async () => {
      [browser, stage] = await Promise.all([launchBrowser(), setStage(policy)]);
    });
    afterEach(async () => {
      for (const close of opened.splice(0).reverse()) await close();
    });
    afterAll(async () => {
      await browser.close();
      await stage.close();
    });

    /** A page signed in as somebody new. */
    async function signedIn(
      at = stage,
      role: Role = 'reviewer',
      url = at.sidecar.controlUrl,
      kept = false,
    ): Promise<Page> {
      people += 1;
      const token = at.token(`person${people}`, role);
      const page = await newPage(kept);
      await page.goto(url);
      await page.getByLabel('Your token').fill(token);
      await page.keyboard.press('Enter');
      await page.getByText('live', { exact: true }).waitFor();
      return page;
    }

    /** The page of one reviewer, signed in once, back at the inbox. */
    async function atInbox(): Promise<Page> {
      reviewer ??= await signedIn(stage, 'reviewer', stage.sidecar.controlUrl, true);
      await reviewer.evaluate(() => {
        location.hash = '#/';
      });
      await reviewer.locator('.app:not(.app-open)').waitFor();
      return reviewer;
    }

    async function newPage(kept = false): Promise<Page> {
      const context = await browser.newContext();
      context.setDefaultTimeout(5_000);
      if (!kept) opened.push(() => context.close());
      return context.newPage();
    }

    /** A line of the queue that waits for a ruling. */
    function waiting(page: Page, text: string): Locator {
      return page.locator('.lines:not(.lines-quiet) .line', { hasText: text }).first();
    }

    /** The workload's call, its end handled from the start. */
    function ask(prompt: string, model = 'gpt-4.1', at: Stage = stage): Promise<string> {
      return at
        .workload()
        .chat.completions.create({ ...question(prompt), model })
        .then(
          ({ choices: [choice] }) => {
            const call = choice?.message.tool_calls?.[0];
            return call?.type === 'function'
              ? `${call.function.name} ${call.function.arguments}`
              : (choice?.message.content ?? '');
          },
          (error: unknown) => String(error),
        );
    }

    it('says that a token is wrong', async () => {
      const page = await newPage();
      await page.goto(stage.sidecar.controlUrl);
      await page.getByLabel('Your token').fill('hp_this-is-not-a-token-of-anybody');
      await page.keyboard.press('Enter');
      await page.getByText('This token is not known here.').waitFor();
      expect(await page.evaluate(() => sessionStorage.length + localStorage.length)).toBe(0);
    });

    it('shows a hold within a second of the call and releases it by keyboard alone', async () => {
      const page = await atInbox();
      await page.getByText('Nothing waits for you').waitFor();
      const answer = ask(transfer);
      await waiting(page, 'transfer_funds amount=25000').waitFor({ timeout: 1000 });
      expect(await page.title()).toBe('(1) Holdpoint');

      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      const row = (name: string) => page.getByRole('row', { name: new RegExp(`^${name} `) });
      await row('amount').getByText('25000').waitFor();
      expect(await row('to').textContent()).toContain(iban);
      expect(page.url()).not.toContain('hp_');

      await page.keyboard.press('r');
      await reasonHasFocus(page);
      await page.keyboard.type('Invoice 4711 is approved.');
      await page.keyboard.press('Control+Enter');
      expect(await answer).toContain('"amount":25000');
      await page.locator('.over', { hasText: /Released by person/ }).waitFor();
      expect(await page.getByRole('button', { name: 'Release', exact: true }).isDisabled()).toBe(true);
    });

    it('denies only with a reason', async () => {
      const page = await atInbox();
      const answer = ask('Delete all records of customer 1001.');
      await waiting(page, 'delete_records').focus();
      await page.keyboard.press('d');
      await reasonHasFocus(page);
      await page.keyboard.press('Control+Enter');
      await page.getByText('A reason is required to deny.').waitFor();
      await page.keyboard.type('Retention applies.');
      await page.keyboard.press('Control+Enter');
      expect(await answer).toContain('403');
      await page.locator('.over', { hasText: /Denied by person/ }).waitFor();
    });

    it('goes on to the next line with one key after a ruling', async () => {
      const page = await atInbox();
      const first = ask('Delete all records of customer 3003.');
      await waiting(page, 'delete_records').waitFor();
      const second = ask(transfer.replace('4711', '4712'));
      await waiting(page, 'transfer_funds').waitFor();
      await waiting(page, 'delete_records').focus();
      await page.keyboard.press('r');
      await reasonHasFocus(page);
      await page.keyboard.press('Control+Enter');
      await first;
      await page.locator('.over', { hasText: /Released by person/ }).waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.getByRole('row', { name: /^amount / }).waitFor();
      await page.keyboard.press('r');
      await reasonHasFocus(page);
      await page.keyboard.press('Control+Enter');
      expect(await second).toContain('transfer_funds');
    });

    it('amends the arguments and shows what that changes', async () => {
      const page = await atInbox();
      const answer = ask(transfer);
      await waiting(page, 'amount=25000').click();
      await page.getByRole('button', { name: /^Amend/ }).click();
      const editor = page.getByLabel('Arguments of transfer_funds');
      const source = await editor.inputValue();
      await editor.fill(source.replace('25000', '25000,'));
      await page.getByText(/^Not JSON/).waitFor();
      await editor.fill(source.replace('25000', '2500'));
      expect(await page.locator('.diff del').allTextContents()).toEqual(['25000']);
      expect(await page.locator('.diff ins').allTextContents()).toEqual(['2500']);
      await page.getByLabel(/^Reason/).fill('First instalment only.');
      await page.getByRole('button', { name: 'Send amended' }).click();
      expect(await answer).toContain('"amount":2500,');
      await readNewestDecision(page);
      await page.getByText('attempt 1 to hand it to the workload').waitFor();
      const instead = page.getByRole('region', { name: 'A reviewer put this in its place' });
      await instead.getByRole('row', { name: /^amount .*\b2500$/ }).waitFor();
      expect(await instead.locator('.diff del').allTextContents()).toEqual(['25000']);
      expect(await instead.locator('.diff ins').allTextContents()).toEqual(['2500']);
    });

    it('finds what one person ruled on from any of it', async () => {
      const page = await atInbox();
      const answer = ask(transfer.replace('4711', '4712'));
      await waiting(page, 'amount=25000').click();
      await page.keyboard.press('d');
      await page.locator('#reason').fill('Not this one.');
      await page.keyboard.press('Control+Enter');
      await answer;
      await page.getByRole('link', { name: 'Decisions' }).click();
      await page.locator('table tbody a').first().click();
      const ruler = page.locator('.fact', { hasText: 'ruled by' }).getByRole('link');
      const name = await ruler.textContent();
      const story = page.locator('.story li');
      await story.filter({ hasText: `deny by ${name} (reviewer)` }).waitFor();
      await story.filter({ hasText: 'how it ended' }).getByText('denied').waitFor();
      await ruler.click();
      await page
        .getByRole('row', { name: new RegExp(`denied by ${name}`) })
        .first()
        .waitFor();
      expect(await page.getByLabel('Ruled by').inputValue()).toBe(name);
    });

    it('amends a held request as its whole body', async () => {
      const page = await atInbox();
      const answer = ask('What is a hold point?', 'shadow-model');
      await waiting(page, 'What is a hold point?').click();
      await page.getByText('goes out to openai').waitFor();
      await page.keyboard.press('e');
      const editor = page.getByLabel('Request body');
      await editor.fill((await editor.inputValue()).replace('shadow-model', 'gpt-4.1'));
      await page.getByLabel(/^Reason/).fill('Use the approved model.');
      await page.keyboard.press('Control+Enter');
      expect(await answer).toContain('demonstration answer');
      await readNewestDecision(page);
      await page.getByText('A reviewer amended this request.').waitFor();
      expect(await page.locator('.diff del').allTextContents()).toEqual(['shadow', 'model']);
      await page.getByText('What the workload had asked').click();
      await page.getByText('Raw request as the workload sent it').click();
      await page.getByText('"model":"shadow-model"').waitFor();
    });

    it('shows a viewer that something is held, not what, and no way to rule', async () => {
      const page = await signedIn(stage, 'viewer');
      const left = new AbortController();
      const answer = stage
        .workload()
        .chat.completions.create(question(transfer), { signal: left.signal })
        .catch(() => null);
      await waiting(page, 'A tool call needs a reviewer').click();
      await page.getByText('you are signed in as viewer').waitFor();
      expect(await page.locator('body').textContent()).not.toContain(iban);
      expect(await page.getByRole('button', { name: /^(Release|Amend|Deny)/ }).count()).toBe(0);
      left.abort();
      await answer;
    });

    it("makes the buttons of one tab dead when another tab's ruling went first", async () => {
      const [first, second] = [await atInbox(), await signedIn()];
      const answer = ask('Delete all records of customer 2002.');
      for (const page of [first, second]) {
        await waiting(page, 'delete_records').click();
        await page.keyboard.press('r');
        await page.getByLabel(/^Reason/).fill('Seen.');
      }
      await second.keyboard.press('Control+Enter');
      await answer;
      await first.locator('.over', { hasText: /Released by person/ }).waitFor();
      for (const name of ['Release', 'Amend', 'Deny']) {
        expect(await first.getByRole('button', { name, exact: true }).isDisabled()).toBe(true);
      }
      expect(await first.getByLabel(/^Reason/).count()).toBe(0);
    });

    it('says when it is disconnected, and comes back with what happened meanwhile', async () => {
      const wire = await layWire(stage.sidecar.controlUrl);
      opened.push(async () => wire.close());
      const page = await signedIn(stage, 'reviewer', wire.url);
      wire.cut();
      await page.getByRole('alert').getByText('Disconnected').waitFor();
      // What counts down would be read out every second.
      expect(await page.getByRole('alert').innerText()).toMatch(
        /^Disconnected since .* UTC\. What you see may be old\.$/,
      );
      await page
        .locator('.banner')
        .getByText(/^(Next try in \d+ s\.|Trying again …)$/)
        .waitFor();
      const left = new AbortController();
      const answer = stage
        .workload('while-away')
        .chat.completions.create(question(transfer), { signal: left.signal })
        .catch(() => null);
      wire.mend();
      await waiting(page, 'while-away').waitFor();
      // The queue may be read before the events come again.
      await page.locator('.banner').waitFor({ state: 'detached' });
      left.abort();
      await answer;
    });

    it('says what it could not read instead of showing an empty queue', async () => {
      const page = await newPage();
      await page.route('**/api/v1/holds?*', (route) => route.fulfill({ json: { items: [{ id: 7 }] } }));
      await page.goto(stage.sidecar.controlUrl);
      await page.getByLabel('Your token').fill(stage.token('reader', 'reviewer'));
      await page.keyboard.press('Enter');
      await page.getByRole('alert').getByText('in a form this console does not know').waitFor();
      expect(await page.getByText('Nothing waits for you').count()).toBe(0);
    });

    it('executes nothing of hostile output and shows what it hides', async () => {
      const hostile = '<img src=x onerror=alert(1)>\u202Etxt.exe\u200B';
      const provider = await startFixedProvider({
        role: 'assistant',
        content: `<script>alert(2)</script>${hostile}`,
        tool_calls: [
          {
            id: 'call_1',
            type: 'function',
            function: {
              name: '<b>pay</b>',
              arguments: JSON.stringify({ note: hostile, payee: 'p\u0430ypal', [hostile]: 1 }),
            },
          },
        ],
      });
      const other = await setStage(policy, provider.url);
      opened.push(provider.close, other.close);
      const page = await signedIn(other);
      const alarms: string[] = [];
      page.on('dialog', (dialog) => {
        alarms.push(`dialog ${dialog.message()}`);
        dialog.dismiss().catch(() => alarms.push('dialog stayed'));
      });
      page.on('console', (message) => {
        if (/Content.Security.Policy|Refused to/i.test(message.text())) alarms.push(message.text());
      });
      page.on('pageerror', (error) => alarms.push(String(error)));
      page.on('request', (request) => {
        const url = request.url();
        if (!url.startsWith(`${other.sidecar.controlUrl}/api/`)) alarms.push(`request ${url}`);
      });
      const answer = ask('hello', 'gpt-4.1', other);
      await page.locator('.line').first().click();
      await page.getByText('Why it is held').waitFor();
      for (const fold of await page.locator('details').all()) await fold.locator('summary').first().click();
      await page.keyboard.press('e');
      await page.getByLabel(/^Arguments of/).waitFor();

      const shown = (await page.locator('.args').first().textContent()) ?? '';
      expect(shown).toContain('<img src=x onerror=alert(1)>⟨U+202E⟩txt.exe⟨U+200B⟩');
      await page.getByText('Letters that look like others').first().waitFor();
      expect(await page.getByLabel(/^Arguments of/).inputValue()).toContain('\\u202e');
      expect(await page.locator('main img, main script, main b').count()).toBe(0);
      await page.getByLabel(/^Reason/).fill('No.');
      await page.keyboard.press('Escape');
      await page.keyboard.press('d');
      await page.getByRole('button', { name: 'Deny now' }).click();
      expect(await answer).toContain('403');
      expect(alarms).toEqual([]);
    });
  },
);
