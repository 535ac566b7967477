/** Pictures of what reviewers do together: approvals with their reasons, calls withheld, broken glass, absences, amendments. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { goToHash } from './pages.ts';
import { desktop, type Look, setRulingStage } from './ruling-stage.ts';

const inThreeDays = (): string => new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 16);

/** Rules with the keyboard, for a reason. */
async function rule(page: Page, key: 'r' | 'b' | 'e', reason: string): Promise<void> {
  await page.locator('#hold-title').focus();
  await page.keyboard.press(key);
  await page.locator('#reason').fill(reason);
}

/** With a browser and a sidecar of its own. `picture` is told when a page is as it is to be seen. */
export async function takeOversightPictures(directory: string, said: (path: string) => void): Promise<void> {
  const stage = await setRulingStage();
  try {
    for (const scheme of ['light', 'dark'] as const) {
      const look: Look = { ...desktop, scheme };
      const picture = async (page: Page, name: string): Promise<void> => {
        const path = join(directory, `${name}-${scheme}.png`);
        await page.screenshot({ path });
        said(path);
      };
      const together = stage.ask('together');
      const rita = await stage.atHold('reviewer', look);
      const petra = await stage.atHold('privacy', look);
      const olga = await stage.atHold('admin', look);
      await rule(rita.page, 'r', 'The customer confirmed the invoice by telephone.');
      await rita.page.keyboard.press('Control+Enter');
      await petra.page.getByText('The customer confirmed').waitFor();
      await petra.page.getByRole('heading', { name: 'Who rules' }).scrollIntoViewIfNeeded();
      await picture(petra.page, 'half-approved');
      await rule(olga.page, 'b', 'The payment run ends in two minutes.');
      await picture(olga.page, 'break-glass');
      await olga.page.keyboard.press('Control+Enter');
      await picture(olga.page, 'break-glass-again');
      await olga.page.keyboard.press('Control+Enter');
      await together;
      await petra.page.reload();
      await petra.page.getByRole('button', { name: 'Seal the finding' }).waitFor();
      await picture(petra.page, 'review');
      await goToHash(petra.page, '#/reviews');
      await petra.page.getByRole('row', { name: new RegExp(olga.name) }).waitFor();
      await picture(petra.page, 'reviews');
      await goToHash(petra.page, '#/absence');
      await petra.page.getByLabel('Who rules in your stead').fill(rita.name);
      await petra.page.getByLabel(/^Until/).fill(inThreeDays());
      await petra.page.getByRole('button', { name: 'Let them' }).press('Enter');
      await petra.page.locator('tbody tr', { hasText: rita.name }).getByText('in force').waitFor();
      await picture(petra.page, 'absence');
      const alone = stage.ask('alone');
      const otto = await stage.atHold('reviewer', look);
      await rule(otto.page, 'r', 'Nothing is to be deleted.');
      await otto.page.locator('.choice').nth(2).click();
      await picture(otto.page, 'withhold');
      await otto.page.keyboard.press('Escape');
      await rule(otto.page, 'e', 'Only the first instalment is approved.');
      const editor = otto.page.getByLabel('Arguments of transfer_funds');
      await editor.fill((await editor.inputValue()).replace('25000', '2500'));
      await otto.page.getByRole('button', { name: 'Send amended' }).click();
      await alone;
      await otto.page.reload();
      await otto.page.getByText('A reviewer put this in its place').scrollIntoViewIfNeeded();
      await picture(otto.page, 'amended');
      await goToHash(olga.page, '#/policy');
      await olga.page.getByRole('button', { name: 'Begin with the rules in force' }).press('Enter');
      const draft = olga.page.getByLabel('The draft');
      await draft.fill(
        (await draft.inputValue()).replace('> 0', '> 0 && !request.text.contains(\\"Settle\\")'),
      );
      await olga.page.getByText('What you changed').click();
      await olga.page.getByLabel('Reason').fill('May invoices be settled?');
      await olga.page.getByRole('button', { name: 'Replay' }).click();
      await olga.page.locator('.backtest').waitFor();
      await olga.page.getByRole('button', { name: 'Replay' }).scrollIntoViewIfNeeded();
      await picture(olga.page, 'draft');
      await goToHash(olga.page, '#/ledger/4');
      await olga.page.getByRole('button', { name: 'Prove it in this browser' }).click();
      await olga.page.getByText(/Proven: /).waitFor();
      await picture(olga.page, 'entry');
      await stage.closePages();
    }
  } finally {
    await stage.close();
  }
}
