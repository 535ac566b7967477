/** The pages of the console as tests go through them: where each is, and when it is all there. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import type { Stage } from './stage.ts';

export interface Visited {
  readonly name: string;
  readonly hash: string;
  /** Does what the page needs to show all it has. */
  readonly open: (page: Page) => Promise<void>;
}

export async function goToHash(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

/** Every page, with a hold and a decision of this stage's on theirs. */
export function pagesOf(hold: string, decision: string, session: string): readonly Visited[] {
  return [
    { name: 'inbox', hash: '#/', open: (page) => page.locator('.lines .line').first().waitFor() },
    { name: 'hold', hash: `#/holds/${hold}`, open: (page) => page.getByText('Why it is held').waitFor() },
    {
      name: 'decisions',
      hash: '#/decisions',
      open: (page) => page.getByText('That is all.').waitFor(),
    },
    {
      name: 'decision',
      hash: `#/decisions/${decision}`,
      open: async (page) => {
        await page.getByRole('button', { name: 'Read the exchange' }).click();
        await page.getByRole('heading', { name: 'The conversation' }).waitFor();
        await page.getByRole('button', { name: 'Prove it in this browser' }).click();
        await page.getByText('Proven: ').waitFor();
      },
    },
    {
      name: 'session',
      hash: `#/sessions/${encodeURIComponent(session)}`,
      open: async (page) => {
        await page.getByRole('button', { name: 'Read the conversation' }).click();
        await page.locator('.turn .message').first().waitFor();
      },
    },
    {
      name: 'ledger',
      hash: '#/ledger',
      open: async (page) => {
        await page.getByRole('button', { name: 'Hash every entry' }).click();
        await page.getByText('Intact, as far as this was checked.').waitFor();
      },
    },
    {
      name: 'entry',
      hash: '#/ledger/1',
      open: async (page) => {
        await page.getByRole('button', { name: 'Prove it in this browser' }).click();
        await page.getByText('Proven: ').waitFor();
      },
    },
    {
      name: 'policy',
      hash: '#/policy',
      open: async (page) => {
        await page.getByText('tests hold.').waitFor();
        await page.getByText('the first that is known').waitFor();
      },
    },
    {
      name: 'overview',
      hash: '#/overview?hours=1',
      open: (page) => page.getByRole('heading', { name: 'How decisions ended' }).waitFor(),
    },
    {
      name: 'privacy',
      hash: '#/privacy',
      open: async (page) => {
        await page.getByText('Earlier ones are in the ledger.').waitFor();
        await page.getByRole('button', { name: 'Place one' }).click();
      },
    },
  ];
}

const holdMsMax = 15_000;

const pendingSchema = z.object({
  items: z.array(z.object({ id: z.string(), decisionId: z.string() })),
});

/** The first hold that waits, asked for until there is one. */
export async function firstHold(stage: Stage, token: string): Promise<{ id: string; decisionId: string }> {
  const giveUpAt = performance.now() + holdMsMax;
  for (;;) {
    if (performance.now() > giveUpAt) throw new Error('no hold came');
    const answer = await fetch(`${stage.sidecar.controlUrl}/api/v1/holds?state=pending`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const [hold] = pendingSchema.parse(await answer.json()).items;
    if (hold !== undefined) return hold;
  }
}

/** Signs a reviewer in at the first hold that waits. */
export async function atFirstHold(browser: Browser, stage: Stage): Promise<Page> {
  const token = stage.token('rita', 'reviewer');
  const { id } = await firstHold(stage, token);
  const page = await browser.newPage();
  await page.goto(`${stage.sidecar.controlUrl}/#/holds/${id}`);
  await page.getByLabel('Your token').fill(token);
  await page.keyboard.press('Enter');
  return page;
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const axeSchema = z.object({
  passes: z.number(),
  violations: z.array(
    z.object({ id: z.string(), impact: z.string().nullable(), nodes: z.array(z.string()) }),
  ),
});

/** What axe finds serious or critical on the page by the rules of WCAG 2.2 AA; throws when axe looked at nothing. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  // By the debugger, which the page's own Content-Security-Policy does not bind.
  await page.evaluate(axeSource);
  const found = axeSchema.parse(
    await page.evaluate(`axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      .then(({ passes, violations }) => ({
        passes: passes.length,
        violations: violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html.slice(0, 160)) })),
      }))`),
  );
  if (found.passes < 5) throw new Error('axe looked at nothing');
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.join(' | ')}`);
}
