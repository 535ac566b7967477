/** The console without a mouse: after whatever is done, the focus is somewhere, and somewhere that follows. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { goToHash } from './pages.ts';
import { holdsToolCalls, launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

describe.skipIf(missingBrowser !== '')(`the focus (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let page: Page;
  let other: Page;
  let customers = 1000;
  const answers: Promise<unknown>[] = [];

  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
    [page, other] = [await signedIn('rita'), await signedIn('otto')];
  });
  // What stands on a page from the test before would be taken for what the next one opens.
  afterEach(() => Promise.all([page, other].map(toInbox)));
  afterAll(async () => {
    await browser.close();
    await stage.close();
    await Promise.all(answers);
  });

  async function signedIn(name: string): Promise<Page> {
    const context = await browser.newContext();
    context.setDefaultTimeout(8_000);
    const fresh = await context.newPage();
    await fresh.goto(stage.sidecar.controlUrl);
    await fresh.getByLabel('Your token').fill(stage.token(name, 'reviewer'));
    await fresh.keyboard.press('Enter');
    await fresh.locator('.link-live').waitFor();
    return fresh;
  }

  /** A call that is held; the title of its line. */
  function ask(): string {
    customers += 1;
    const asked = { ...question(`Please transfer ${customers} EUR to DE89370400440532013000.`) };
    answers.push(stage.workload().chat.completions.create(asked).then(String, String));
    return `amount=${customers}`;
  }

  const line = (of: Page, text: string) => of.locator('.lines:not(.lines-quiet) .line', { hasText: text });

  async function open(text: string): Promise<void> {
    await line(page, text).press('Enter');
    await page.getByRole('heading', { name: 'Who rules' }).waitFor();
  }

  async function toInbox(of: Page): Promise<void> {
    await goToHash(of, '#/');
    await of.locator('.app:not(.app-open) .panes:not(.pane-page)').waitFor();
  }

  async function deny(of: Page): Promise<void> {
    await of.locator('#hold-title').focus();
    await of.keyboard.press('d');
    // What is typed sooner goes to the page.
    await of.locator('#reason:focus').waitFor();
    await of.keyboard.type('No.');
    await of.keyboard.press('Control+Enter');
    await of.locator('.over').waitFor();
  }

  /** What has the focus, by its words. */
  const focused = (): Promise<string> =>
    page.evaluate(() => {
      const { activeElement } = document;
      return activeElement instanceof HTMLElement && activeElement !== document.body
        ? activeElement.innerText || activeElement.id
        : 'nothing';
    });
  const focusOn = (words: string): Promise<void> => expect.poll(focused).toContain(words);

  it('is on the inbox after signing in, and when one comes back to it', async () => {
    await focusOn('Waiting for a ruling');
    await page.keyboard.press('2');
    await focusOn('Decisions');
    await page.keyboard.press('1');
    await focusOn('Waiting for a ruling');
  });

  it('is in the reason before the next key after the one that opens the panel is heard', async () => {
    await open(await held());
    expect(
      await page.evaluate(async () => {
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'r', bubbles: true }));
        await Promise.resolve();
        await Promise.resolve();
        return document.activeElement?.id;
      }),
    ).toBe('reason');
    await page.keyboard.press('Escape');
    await deny(page);
  });

  it('stays at the hold that is taken, handed back and commented on by its buttons', async () => {
    await open(await held());
    await page.getByRole('button', { name: 'I am on it' }).press('Enter');
    await focusOn('Hand over');
    await page.getByRole('button', { name: 'Give back' }).press('Enter');
    await focusOn('I am on it');
    await page.locator('#say').fill('Looks odd.');
    await page.getByRole('button', { name: 'Comment' }).press('Enter');
    await page.locator('.comment').waitFor();
    await focusOn('Comment');
    await deny(page);
  });

  it('goes from a panel to the title when somebody else rules meanwhile, and to the queue when the hold is left', async () => {
    const text = await held();
    await open(text);
    await page.keyboard.press('r');
    await focusOn('reason');
    await line(other, text).press('Enter');
    await other.getByRole('heading', { name: 'Who rules' }).waitFor();
    await deny(other);
    await page.locator('.over').waitFor();
    await focusOn('A tool call needs a reviewer');
    await page.goBack();
    await page.locator('.app:not(.app-open)').waitFor();
    await focusOn('Waiting for a ruling');
  });

  it('goes to the next line when that under it is ruled on by somebody else', async () => {
    const [first, second] = [await held(), await held()];
    await line(page, first).focus();
    await line(other, first).press('Enter');
    await other.getByRole('heading', { name: 'Who rules' }).waitFor();
    await deny(other);
    await line(page, first).waitFor({ state: 'detached' });
    await focusOn(second);
    await open(second);
    await deny(page);
  });

  it('stays where a decision is read and proven, a search kept, and the ledger verified', async () => {
    await goToHash(page, '#/decisions?model=gpt-4.1');
    await page.getByText('That is all.').waitFor();
    await page.getByRole('button', { name: 'Save this search …' }).press('Enter');
    await page.keyboard.type('mine');
    await page.keyboard.press('Enter');
    await focusOn('mine');
    await page.getByRole('button', { name: 'Remove the saved search mine' }).press('Enter');
    await focusOn('Save this search');
    await page.locator('.records tbody a').first().press('Enter');
    await page.getByRole('button', { name: 'Read the exchange' }).press('Enter');
    await focusOn('What was said');
    await page.getByRole('button', { name: 'Prove it in this browser' }).press('Enter');
    await page.getByText('Proven: ').waitFor();
    await focusOn('Prove it');
    await goToHash(page, '#/ledger');
    await page.getByRole('button', { name: 'Verify now' }).press('Enter');
    await page.getByText('Intact, as far as this was checked.').waitFor();
    await focusOn('Verify now');
  });

  /** A hold of its own, whose line is there on both pages. */
  async function held(): Promise<string> {
    const text = ask();
    await Promise.all([line(page, text).waitFor(), line(other, text).waitFor()]);
    return text;
  }
});
