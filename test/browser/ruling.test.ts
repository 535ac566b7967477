/** What is open to whom on a hold, and how it is done by keyboard: some of the calls, approvals by role, ladders, broken glass. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seriousFindings } from './pages.ts';
import { desktop, type Look, type RulingStage, setRulingStage } from './ruling-stage.ts';
import { missingBrowser } from './stage.ts';

const looks: readonly Look[] = [desktop, { width: 390, height: 844, scheme: 'dark' }];

/** The focus moves a moment after what it moves to is drawn. */
const soon = { timeout: 8_000 };

describe.skipIf(missingBrowser !== '')(
  `a ruling (${missingBrowser || 'Chromium'})`,
  { timeout: 60_000 },
  () => {
    let stage: RulingStage;
    beforeAll(async () => {
      stage = await setRulingStage();
    });
    afterEach(() => stage.closePages());
    afterAll(() => stage.close());

    const focused = (page: Page): Promise<string> =>
      page.evaluate(() => document.activeElement?.id || (document.activeElement?.tagName ?? ''));
    const reasonHasFocus = (page: Page): Promise<void> =>
      expect.poll(() => focused(page), soon).toBe('reason');
    const over = (page: Page, text: string | RegExp): Promise<void> =>
      page.locator('.over', { hasText: text }).waitFor();

    it.each([
      ['the keys that send', 'Control+Enter', '#reason'],
      ['Enter on the button', 'Enter', '.send-release'],
    ])('that was refused is not sent again by %s, held down', async (_, keys, where) => {
      const answer = stage.ask('alone');
      const { page } = await stage.atHold('reviewer');
      await page.keyboard.press('r');
      await reasonHasFocus(page);
      await page.route('**/rulings', (route) =>
        route.fulfill({ status: 503, json: { detail: 'Refused for now.' } }),
      );
      await page.locator(where).focus();
      for (const key of keys.split('+')) await page.keyboard.down(key);
      await page.getByText('Refused for now.').waitFor();
      await page.locator(`${where}:focus`).waitFor();
      await page.unroute('**/rulings');
      for (let i = 0; i < 4; i += 1) await page.keyboard.down('Enter');
      await page.keyboard.up('Enter');
      await page.keyboard.up('Control');
      // A key that sends takes what was said before away at once.
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
      expect(await page.locator('#ruling-problem').textContent()).toBe('Refused for now.');
      await page.keyboard.press(keys);
      expect(await answer).toContain('transfer_funds');
    });

    describe('of some of the calls', () => {
      it('is made by keyboard alone, shows what goes and what is withheld, and needs a reason', async () => {
        const answer = stage.ask('alone');
        const { page } = await stage.atHold('reviewer');
        await page.keyboard.press('r');
        await reasonHasFocus(page);
        // From the reason back over the three calls, the last one first.
        await page.keyboard.press('Shift+Tab');
        await page.keyboard.press('Space');
        await page.getByText('2 of 3', { exact: true }).waitFor();
        expect(await page.locator('.choice-withheld').textContent()).toContain('delete_records');
        expect(await page.locator('.call-withheld').textContent()).toContain('withheld');
        await page.getByText('without the calls you withhold').waitFor();
        await page.keyboard.press('Control+Enter');
        await page.getByText('A reason is required to withhold a call.').waitFor();
        await reasonHasFocus(page);
        await page.keyboard.type('Records stay; the rest is fine.');
        await page.keyboard.press('Control+Enter');
        expect(await answer).toBe('transfer_funds send_message');
        await over(page, /^Released by rita-\d+ without 1 of its calls, which was withheld\./);
        expect(await page.locator('.call-withheld').textContent()).toContain('delete_records');
      });

      it('withholds no more than all but one: the rest would be a denial', async () => {
        const answer = stage.ask('alone');
        const { page } = await stage.atHold('reviewer');
        await page.keyboard.press('r');
        await reasonHasFocus(page);
        for (const box of await page.getByRole('checkbox').all()) await box.uncheck();
        await page.getByLabel(/^Reason/).fill('Nothing of it.');
        await page.keyboard.press('Control+Enter');
        await page.getByText('A release of no call is a denial: deny it.').waitFor();
        for (const box of await page.getByRole('checkbox').all()) await box.check();
        await page.getByRole('button', { name: 'Release now' }).click();
        expect(await answer).toBe('transfer_funds send_message delete_records');
      });
    });

    describe('by role', () => {
      it('says who approved and who is still needed, and turns live for everybody who looks', async () => {
        const answer = stage.ask('together');
        const [rita, petra] = [(await stage.atHold('reviewer')).page, (await stage.atHold('privacy')).page];
        await rita.getByText('1 × privacy').waitFor();
        await rita.keyboard.press('r');
        await rita.getByText('it goes once 1 privacy approved as well').waitFor();
        await reasonHasFocus(rita);
        await rita.keyboard.press('Control+Enter');
        for (const page of [rita, petra]) await page.getByText(/approved by rita-\d+ \(reviewer\)/).waitFor();
        await rita.getByText(/rita-\d+ has ruled on this hold already/).waitFor();
        expect(await petra.locator('.need').nth(1).textContent()).toContain('1 still needed');
        await petra.keyboard.press('r');
        await reasonHasFocus(petra);
        await petra.keyboard.press('Control+Enter');
        expect(await answer).toContain('delete_records');
        await over(rita, /^Released by petra/);
      });

      it('says why a key does nothing here, and sends nothing', async () => {
        const answer = stage.ask('together');
        const { page } = await stage.atHold('reviewer');
        await page.keyboard.press('e');
        await page.getByRole('alert').getByText('Amend is not open to you.').waitFor();
        await page.getByRole('alert').getByText('cannot be amended by one person').waitFor();
        await page.keyboard.press('b');
        await page.getByRole('alert').getByText('Only the roles admin may break the glass.').waitFor();
        expect(await page.getByRole('button', { name: 'Amend' }).getAttribute('aria-disabled')).toBe('true');
        await page.keyboard.press('r');
        await page.getByText('All 3 calls go together').waitFor();
        await page.keyboard.press('Escape');
        await page.keyboard.press('d');
        await reasonHasFocus(page);
        await page.keyboard.type('Not today.');
        await page.keyboard.press('Control+Enter');
        expect(await answer).toContain('403');
      });
    });

    it('opens to further roles by itself once they may, and says since when', async () => {
      const answer = stage.ask('ladder');
      const { page } = await stage.atHold('admin');
      await page.getByText('This hold needs one of the roles: reviewer.').waitFor();
      await page.getByRole('button', { name: 'Release' }).waitFor();
      await page.getByText(/admin since 20\d\d-/).waitFor();
      await page.keyboard.press('r');
      await reasonHasFocus(page);
      await page.keyboard.press('Control+Enter');
      expect(await answer).toContain('transfer_funds');
    });

    describe('by breaking the glass', () => {
      it('takes a reason and a second step of its own, releases past the approvals, and alerts', async () => {
        const answer = stage.ask('together');
        const elsewhere = (await stage.atHold('privacy')).page;
        await elsewhere.keyboard.press('2');
        const { page } = await stage.atHold('admin');
        await page.getByText('This hold needs one of the roles: reviewer, privacy.').waitFor();
        await page.keyboard.press('b');
        await page.getByText('It alerts, and it will be reviewed.').waitFor();
        await page.getByText('It is good for 5 min.').waitFor();
        await reasonHasFocus(page);
        await page.keyboard.press('Control+Enter');
        await page.getByText('A reason is required to break the glass.').waitFor();
        await page.keyboard.insertText('x'.repeat(4_001));
        await page.keyboard.press('Control+Enter');
        await page.getByText('Shorten the reason.').waitFor();
        await page.getByLabel(/^Reason/).fill('');
        await page.keyboard.type('Customer is locked out; privacy is not reachable.');
        // Held down, the keys go no further than the second step.
        await page.keyboard.down('Control');
        for (let i = 0; i < 4; i += 1) await page.keyboard.down('Enter');
        await page.keyboard.up('Enter');
        await page.keyboard.up('Control');
        await page.getByRole('heading', { name: 'step 2 of 2' }).waitFor();
        await page.getByText('Customer is locked out').waitFor();
        await expect.poll(() => focused(page), soon).toBe('H2');
        expect(await page.locator('.over').count()).toBe(0);
        await page.keyboard.press('Control+Enter');
        expect(await answer).toContain('transfer_funds');
        await over(page, /^Released by olga-\d+ alone, who broke the glass\./);
        await elsewhere.getByRole('alert').getByText('The glass was broken').waitFor();
        await elsewhere.getByRole('link', { name: 'Personal data leaves only' }).press('Enter');
        await over(elsewhere, /who broke the glass/);
        await elsewhere.locator('.banner-alert').waitFor({ state: 'detached' });
      });

      it('goes back from the second step with nothing sent', async () => {
        const answer = stage.ask('together');
        const { page } = await stage.atHold('admin');
        await page.keyboard.press('b');
        await reasonHasFocus(page);
        await page.keyboard.type('Now.');
        await page.keyboard.press('Control+Enter');
        await page.getByRole('button', { name: 'Back' }).click();
        await reasonHasFocus(page);
        expect(await page.getByLabel(/^Reason/).inputValue()).toBe('Now.');
        await page.keyboard.press('Escape');
        const other = (await stage.atHold('reviewer')).page;
        await other.keyboard.press('d');
        await reasonHasFocus(other);
        await other.keyboard.type('No.');
        await other.keyboard.press('Control+Enter');
        expect(await answer).toContain('403');
      });
    });

    it.each(looks)(
      'is readable for everybody at $width pixels, $scheme',
      async (look) => {
        const answers = [stage.ask('together')];
        const { page } = await stage.atHold('admin', look);
        const found: Record<string, readonly string[]> = {};
        const lookAt = async (what: string): Promise<void> => {
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          const tooWide = width > look.width ? [`${width} pixels wide`] : [];
          found[what] = [...(await seriousFindings(page)), ...tooWide];
        };
        await page.keyboard.press('b');
        await reasonHasFocus(page);
        await lookAt('first step');
        await page.keyboard.type('Now.');
        await page.keyboard.press('Control+Enter');
        await page.getByRole('heading', { name: 'step 2 of 2' }).waitFor();
        await lookAt('second step');
        await page.keyboard.press('Control+Enter');
        await answers[0];
        answers.push(stage.ask('alone'));
        const other = (await stage.atHold('reviewer', look)).page;
        await other.keyboard.press('r');
        await other.getByRole('checkbox').first().uncheck();
        found['some calls'] = await seriousFindings(other);
        await other.getByLabel(/^Reason/).fill('Fine.');
        await other.getByRole('button', { name: 'Release 2 of 3 calls' }).click();
        await answers[1];
        expect(found).toEqual({ 'first step': [], 'second step': [], 'some calls': [] });
      },
      30_000,
    );
  },
);
