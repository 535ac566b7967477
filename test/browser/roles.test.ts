/** What the console offers to roles that a configuration adds: what they may do, by the sidecar's own word. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { goToHash } from './pages.ts';
import { type RulingStage, setRulingStage } from './ruling-stage.ts';
import { missingBrowser } from './stage.ts';

const roles = {
  clerk: { permissions: ['see', 'read_content', 'read_ledger'] },
  lookout: { permissions: ['see'] },
};

describe.skipIf(missingBrowser !== '')(
  `configured roles (${missingBrowser || 'Chromium'})`,
  { timeout: 60_000 },
  () => {
    let stage: RulingStage;
    beforeAll(async () => {
      stage = await setRulingStage({ roles });
    });
    afterEach(() => stage.closePages());
    afterAll(() => stage.close());

    it('that read content talk and take holds, and read entries where they may', async () => {
      void stage.ask('alone');
      const { page } = await stage.atHold('clerk');
      await page.keyboard.press('i');
      await page.getByText('You are on it.').waitFor();
      await page.locator('#say').waitFor();
      await goToHash(page, '#/ledger/1');
      await page.getByLabel('The sealed entry').waitFor();
    });

    it('that read none are offered nothing that takes it', async () => {
      void stage.ask('alone');
      const { page } = await stage.atHold('lookout');
      await page.getByText('The role lookout takes no holds.').waitFor();
      await page.getByText('The role lookout reads no comments and writes none.').waitFor();
      expect(await page.getByRole('button', { name: 'I am on it' }).count()).toBe(0);
      await goToHash(page, '#/decisions');
      await page.locator('a[href^="#/decisions/"]').first().click();
      await page.getByText('Your role sees that something was recorded, not what.').waitFor();
      expect(await page.getByRole('button', { name: 'Read the exchange' }).count()).toBe(0);
      await goToHash(page, '#/ledger/1');
      await page.getByText('Your role reads no single entries.').waitFor();
    });
  },
);
