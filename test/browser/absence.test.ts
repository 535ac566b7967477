/** Who is away lends their role in the console, and whoever has it rules in their stead there. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { goToHash, seriousFindings } from './pages.ts';
import { type RulingStage, setRulingStage } from './ruling-stage.ts';
import { missingBrowser } from './stage.ts';

const inThreeDays = (): string => new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 16);

describe.skipIf(missingBrowser !== '')(
  `an absence (${missingBrowser || 'Chromium'})`,
  { timeout: 60_000 },
  () => {
    let stage: RulingStage;
    beforeAll(async () => {
      stage = await setRulingStage();
    });
    afterEach(() => stage.closePages());
    afterAll(() => stage.close());

    it('begins on its page, is ruled under on a hold’s, and ends where it began', async () => {
      const answer = stage.ask('together');
      const petra = await stage.atHold('privacy');
      const otto = await stage.atHold('reviewer');
      const rita = await stage.atHold('reviewer');
      await petra.page.getByTitle(`Signed in as ${petra.name}; absence`).press('Enter');
      await petra.page.getByText('Nobody stands in for anybody.').waitFor();
      await petra.page.getByLabel('Who rules in your stead').fill('nobody-at-all');
      await petra.page.getByLabel(/^Until/).fill(inThreeDays());
      await petra.page.getByRole('button', { name: 'Let them' }).press('Enter');
      await petra.page.getByRole('alert').getByText('nobody-at-all').waitFor();
      await petra.page.getByLabel('Who rules in your stead').fill(otto.name);
      await petra.page.keyboard.press('Enter');
      await petra.page.locator('tbody tr', { hasText: otto.name }).getByText('in force').waitFor();
      expect(await seriousFindings(petra.page)).toEqual([]);

      await otto.page.reload();
      const word = otto.page.getByLabel('Rule', { exact: true });
      await word.selectOption(petra.name);
      expect(await seriousFindings(otto.page)).toEqual([]);
      await otto.page.locator('#hold-title').focus();
      await otto.page.keyboard.press('r');
      await otto.page.getByText('it goes once 1 reviewer approved as well.').waitFor();
      await otto.page.getByRole('button', { name: 'Release now' }).press('Enter');
      await rita.page.getByText(`release by ${otto.name} (privacy, in the stead of ${petra.name})`).waitFor();
      await rita.page.locator('#hold-title').focus();
      await rita.page.keyboard.press('r');
      await rita.page.getByRole('button', { name: 'Release now' }).press('Enter');
      expect(await answer).toBe('transfer_funds send_message delete_records');

      await petra.page.getByRole('button', { name: `End that ${otto.name} rules` }).press('Enter');
      await petra.page.locator('tbody tr', { hasText: otto.name }).getByText('over').waitFor();
      await petra.page.getByLabel('Who rules in your stead').waitFor();
    });

    it('is the only word of one whose own role does not rule, and no more once it is over', async () => {
      const answer = stage.ask('alone');
      const rita = await stage.atHold('reviewer');
      const petra = await stage.atHold('privacy');
      await goToHash(rita.page, '#/absence');
      await rita.page.getByLabel('Who rules in your stead').fill(petra.name);
      await rita.page.getByLabel(/^Until/).fill(inThreeDays());
      await rita.page.keyboard.press('Enter');
      await rita.page.getByText('in force').waitFor();

      await petra.page.reload();
      const word = petra.page.getByLabel('Rule', { exact: true });
      expect(await word.inputValue()).toBe(rita.name);
      await petra.page.locator('#hold-title').focus();
      await petra.page.keyboard.press('d');
      await petra.page.locator('#reason').fill('Not while she is away.');
      await rita.page.getByRole('button', { name: `End that ${petra.name} rules` }).press('Enter');
      await rita.page.locator('tbody tr', { hasText: petra.name }).getByText('over').waitFor();
      await petra.page.getByRole('button', { name: 'Deny now' }).press('Enter');
      await petra.page.getByText(`${rita.name} has not let ${petra.name} rule in their stead.`).waitFor();

      const another = await stage.atHold('reviewer');
      await another.page.keyboard.press('d');
      await another.page.locator('#reason').fill('No.');
      await another.page.getByRole('button', { name: 'Deny now' }).press('Enter');
      expect(await answer).toContain('403');
    });
  },
);
