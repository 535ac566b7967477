/** What reviewers do about holds besides ruling on one: talk, hand over, rule on the same bytes at once, review broken glass. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { goToHash, seriousFindings } from './pages.ts';
import { type RulingStage, setRulingStage } from './ruling-stage.ts';
import { missingBrowser } from './stage.ts';

/** The focus moves a moment after what it moves to is drawn. */
const soon = { timeout: 8_000 };

describe.skipIf(missingBrowser !== '')(
  `reviewers (${missingBrowser || 'Chromium'})`,
  { timeout: 60_000 },
  () => {
    let stage: RulingStage;
    beforeAll(async () => {
      stage = await setRulingStage();
    });
    afterEach(() => stage.closePages());
    afterAll(() => stage.close());

    const focusOn = (page: Page, id: string): Promise<void> =>
      expect.poll(() => page.evaluate(() => document.activeElement?.id ?? ''), soon).toBe(id);

    async function deny(page: Page): Promise<void> {
      await page.locator('#hold-title').focus();
      await page.keyboard.press('d');
      await focusOn(page, 'reason');
      await page.keyboard.type('No.');
      await page.keyboard.press('Control+Enter');
      await page.locator('.over').waitFor();
    }

    async function breakGlass(page: Page): Promise<void> {
      await page.keyboard.press('b');
      await focusOn(page, 'reason');
      await page.keyboard.type('Nobody was there.');
      await page.keyboard.press('Control+Enter');
      await expect.poll(() => page.evaluate(() => document.activeElement?.tagName), soon).toBe('H2');
      await page.keyboard.press('Control+Enter');
    }

    it('talk under the hold, by keyboard, and everybody who looks at it sees it come', async () => {
      const answer = stage.ask('together');
      const [rita, petra] = [await stage.atHold('reviewer'), await stage.atHold('privacy')];
      await rita.page.keyboard.press('c');
      await focusOn(rita.page, 'say');
      await rita.page.keyboard.type('Invoice 4711 has');
      // Leaves the field, not the hold, and what was written stays.
      await rita.page.keyboard.press('Escape');
      await focusOn(rita.page, 'hold-title');
      await rita.page.keyboard.press('c');
      await rita.page.keyboard.press('End');
      await rita.page.keyboard.type(' this amount.');
      await rita.page.keyboard.press('Control+Enter');
      for (const { page } of [rita, petra]) {
        await page.locator('.comment', { hasText: 'Invoice 4711 has this amount.' }).waitFor();
        await page.locator('.line', { hasText: '1 comment' }).first().waitFor();
      }
      expect(await petra.page.locator('.comment').textContent()).toContain(rita.name);
      expect(await rita.page.locator('#say').inputValue()).toBe('');
      expect(await seriousFindings(petra.page)).toEqual([]);
      await deny(rita.page);
      expect(await answer).toContain('403');
      await petra.page.getByText('Invoice 4711 has this amount.').waitFor();
      expect(await petra.page.locator('#say').count()).toBe(0);
    });

    it('take a hold with one key, hand it over by name and give it back', async () => {
      const answer = stage.ask('together');
      const [rita, petra] = [await stage.atHold('reviewer'), await stage.atHold('privacy')];
      await rita.page.getByText('Nobody is on it.').waitFor();
      await rita.page.keyboard.press('i');
      await rita.page.getByText('You are on it.').waitFor();
      await petra.page.getByText(`${rita.name} is on it.`).waitFor();
      await petra.page.locator('.line', { hasText: rita.name }).first().waitFor();
      expect(await petra.page.getByRole('button', { name: 'Hand over …' }).count()).toBe(0);
      await rita.page.getByRole('button', { name: 'Hand over …' }).press('Enter');
      await focusOn(rita.page, 'hand-over');
      await rita.page.keyboard.type('nobody-at-all');
      await rita.page.keyboard.press('Enter');
      await rita.page.getByText('nobody-at-all has no token of a role that can do this.').waitFor();
      await rita.page.getByLabel(/^To whom/).fill(petra.name);
      await rita.page.keyboard.press('Enter');
      await petra.page.getByText('You are on it.').waitFor();
      await petra.page.getByRole('button', { name: 'Give back' }).press('Enter');
      await rita.page.getByText('Nobody is on it.').waitFor();
      await deny(rita.page);
      expect(await answer).toContain('403');
    });

    it('rule at once on holds of the same bytes, and on none that they did not choose', async () => {
      const answers = [stage.ask('alone'), stage.ask('alone'), stage.ask('alone')];
      const { page } = await stage.atHold('reviewer');
      await page.locator('.line', { hasText: 'same × 3' }).nth(2).waitFor();
      await page.keyboard.press('r');
      await focusOn(page, 'reason');
      await page.getByText('All 2 other holds that wait with exactly these bytes').waitFor();
      expect(
        await page.getByRole('button', { name: 'Release now', exact: false }).textContent(),
      ).not.toContain('all');
      await page.getByLabel('All 2 other holds').press('Space');
      expect(await seriousFindings(page)).toEqual([]);
      await page.getByText('One by one').press('Enter');
      await page.locator('.identical details input').last().press('Space');
      await page.getByRole('button', { name: 'Release now, all 2' }).press('Enter');
      await page.locator('.over', { hasText: 'So is 1 other with the same bytes.' }).waitFor();
      const went = await Promise.race([
        Promise.all(answers).then(() => 3),
        Promise.any(answers.map((answer) => answer.then(() => 1))),
      ]);
      expect(went).toBe(1);
      await page.locator('.lines:not(.lines-quiet) .line').first().click();
      // The hold of before says who rules too, until this one is there.
      await page.locator('.over').waitFor({ state: 'detached' });
      await page.getByRole('heading', { name: 'Who rules' }).waitFor();
      await deny(page);
      expect((await Promise.all(answers)).filter((answer) => answer.includes('403'))).toHaveLength(1);
    });

    describe('review broken glass', () => {
      it('that somebody else broke, from the strip above the queue to the finding', async () => {
        const answer = stage.ask('together');
        const [olga, petra] = [await stage.atHold('admin'), await stage.atHold('privacy')];
        await breakGlass(olga.page);
        expect(await answer).toContain('transfer_funds');
        await petra.page.getByText('1 release by one person alone waits for a review').press('Enter');
        await petra.page.getByRole('heading', { level: 1, name: 'Broken glass' }).waitFor();
        await petra.page.getByRole('row', { name: new RegExp(`${olga.name}.*open`) }).waitFor();
        expect(await seriousFindings(petra.page)).toEqual([]);
        await petra.page.getByRole('link', { name: /^h-/ }).press('Enter');
        await petra.page.getByRole('heading', { name: 'What was held' }).waitFor();
        await petra.page.locator('.rulings', { hasText: 'Nobody was there.' }).waitFor();
        expect(await petra.page.getByRole('button', { name: /^Break glass/ }).count()).toBe(0);
        await petra.page.getByRole('button', { name: 'Seal the finding' }).press('Enter');
        await petra.page.getByText('Choose one of the two.').waitFor();
        await petra.page.getByLabel(/^It was right/).press('Space');
        await petra.page.getByLabel(/^What you found/).fill('x'.repeat(4_001));
        await petra.page.getByRole('button', { name: 'Seal the finding' }).press('Enter');
        await petra.page.getByText('Shorten it.').waitFor();
        await petra.page.getByLabel(/^What you found/).fill('The customer confirms it.');
        expect(await seriousFindings(petra.page)).toEqual([]);
        await petra.page.getByRole('button', { name: 'Seal the finding' }).press('Enter');
        await petra.page.getByText('The customer confirms it.').waitFor();
        expect(await petra.page.locator('.review').textContent()).toContain('Found justified.');
        await petra.page.locator('.open-reviews').waitFor({ state: 'detached' });
        await goToHash(olga.page, '#/reviews');
        const reviewed = olga.page.getByRole('row', { name: new RegExp(`justified by ${petra.name}`) });
        await reviewed.getByText('Personal data leaves only with privacy’s consent').waitFor();
      });

      it('that they broke themselves by nobody: the page says so', async () => {
        const answer = stage.ask('together');
        const { page } = await stage.atHold('admin');
        await breakGlass(page);
        await answer;
        await page.locator('.over').waitFor();
        await page.reload();
        await page.getByText('You broke the glass; somebody else reviews it.').waitFor();
        expect(await page.getByRole('button', { name: 'Seal the finding' }).count()).toBe(0);
      });
    });
  },
);
