/**
 * Makes pictures of the console with a few holds in it, and of the verifier's page: `node test/browser/screenshots.ts DIRECTORY`.
 * Needs Debian's chromium, or CHROMIUM_PATH.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { streamOf } from '../second-opinion/ledgers.ts';
import { editLeaf } from '../support/ledger-tampering.ts';
import { takeOversightPictures } from './oversight-pictures.ts';
import { takePrivacyPictures } from './privacy-pictures.ts';
import { launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';
import { buildStories, setVerifierStage } from './verifier-stage.ts';

const policyFile = fileURLToPath(new URL('../../config/policy.yaml', import.meta.url));
const desktop = { width: 1360, height: 850 };
const phone = { width: 390, height: 844 };

const support =
  'You are the support agent of Larch Bank. You may move money, delete records and write to customers, only on behalf of the person you talk to, and only when they ask for it.';

const calls = [
  ['billing-agent', 'Please transfer 25000 EUR to DE89370400440532013000 for invoice 4711.', support],
  ['support-agent', 'Delete all records of customer 1001.', support],
  ['support-agent', 'Send a message to the customer about the delay.', support],
  ['ops-agent', 'Grant access to the on-call engineer.', ''],
  ['payroll-agent', 'Please transfer 1850 EUR to FR1420041010050500013M02606 for expenses.', support],
] as const;

async function signIn(page: Page, stage: Stage, token: string): Promise<void> {
  await page.goto(stage.sidecar.controlUrl);
  await page.getByLabel('Your token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: /Waiting for a ruling/ }).waitFor();
}

async function pageOf(browser: Browser, size: typeof desktop, scheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({
    viewport: size,
    colorScheme: scheme,
    deviceScaleFactor: 1.5,
    reducedMotion: 'reduce',
  });
  return context.newPage();
}

async function picture(page: Page, directory: string, name: string): Promise<void> {
  const path = join(directory, `${name}.png`);
  await page.screenshot({ path });
  process.stdout.write(`${path}\n`);
}

/** Opens the transfer and starts to amend it. */
async function amend(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Amend/ }).click();
  const editor = page.getByLabel(/Arguments of/).first();
  await editor.fill((await editor.inputValue()).replace('25000', '2500'));
  await page.getByLabel(/^Reason/).fill('Only the first instalment is approved.');
}

async function takePictures(browser: Browser, stage: Stage, directory: string): Promise<void> {
  const token = stage.token('ada', 'reviewer');
  const empty = await pageOf(browser, desktop, 'light');
  await signIn(empty, stage, token);
  await empty.getByText('Nothing waits for you').waitFor();
  await picture(empty, directory, 'empty-light');
  await empty.close();

  const left = new AbortController();
  const answers = calls.map(([name, prompt, system], i) =>
    stage
      .workload(name)
      .chat.completions.create(question(prompt, system), i === 3 ? { signal: left.signal } : {})
      .catch(() => null),
  );
  for (const scheme of ['light', 'dark'] as const) {
    const page = await pageOf(browser, desktop, scheme);
    await signIn(page, stage, token);
    await page
      .locator('.lines .line')
      .nth(calls.length - 1)
      .waitFor();
    left.abort();
    await page.getByText('caller gone').waitFor();
    await page.keyboard.press('j');
    await picture(page, directory, `inbox-${scheme}`);
    await page.locator('.line', { hasText: '25000' }).click();
    await page.getByText('Why it is held').waitFor();
    await picture(page, directory, `hold-${scheme}`);
    await amend(page);
    await picture(page, directory, `amend-${scheme}`);
    await page.setViewportSize(phone);
    await picture(page, directory, `phone-amend-${scheme}`);
    await page.keyboard.press('Escape');
    await picture(page, directory, `phone-hold-${scheme}`);
    await page.getByRole('link', { name: '‹ Inbox' }).click();
    await picture(page, directory, `phone-inbox-${scheme}`);
    await page.close();
  }
  await takePagePictures(browser, stage, directory);
  await stage.close();
  await Promise.all(answers);
}

/** The pages beside the inbox, after a few rulings. */
async function takePagePictures(browser: Browser, stage: Stage, directory: string): Promise<void> {
  const headers = { 'holdpoint-session': 'support-4711' };
  const first = { role: 'user' as const, content: 'What is a hold point?' };
  const asked = { model: 'gpt-4.1', messages: [first] };
  const { choices } = await stage.workload('support-agent').chat.completions.create(asked, { headers });
  const told = { role: 'assistant' as const, content: choices[0]?.message.content ?? '' };
  const messages = [first, told, { role: 'user' as const, content: 'And who releases one?' }];
  await stage.workload('support-agent').chat.completions.create({ model: 'gpt-4.1', messages }, { headers });
  const auditor = stage.token('grace', 'admin');
  for (const scheme of ['light', 'dark'] as const) {
    const page = await pageOf(browser, desktop, scheme);
    await signIn(page, stage, auditor);
    const turn = async (name: string, hash: string, ready: string | RegExp): Promise<void> => {
      await page.evaluate((to) => {
        location.hash = to;
      }, hash);
      await page.getByText(ready).first().waitFor();
      await picture(page, directory, `${name}-${scheme}`);
      await page.setViewportSize(phone);
      await picture(page, directory, `phone-${name}-${scheme}`);
      await page.setViewportSize(desktop);
    };
    await turn('decisions', '#/decisions', 'That is all.');
    await page.locator('.records tbody a').first().click();
    await page.getByRole('button', { name: 'Read the exchange' }).click();
    await page.getByRole('button', { name: 'Prove it in this browser' }).click();
    await page.getByText(/Proven: /).waitFor();
    await picture(page, directory, `decision-${scheme}`);
    await page.evaluate(() => {
      location.hash = '#/sessions/support-4711';
    });
    await page.getByRole('button', { name: 'Read the conversation' }).click();
    await page.getByText('And who releases one?').waitFor();
    await picture(page, directory, `session-${scheme}`);
    await page.evaluate(() => {
      location.hash = '#/ledger';
    });
    await page.getByRole('button', { name: 'Hash every entry' }).click();
    await page.getByText('Intact, as far as').waitFor();
    await turn('ledger', '#/ledger', 'Intact, as far as');
    await turn('overview', '#/overview?hours=1', 'How decisions ended');
    await turn('policy', '#/policy', /tests hold/);
    await page.close();
  }
}

/** The verifier's page: a ledger as it was sealed and one story of it, then the same with a reviewer's name changed. */
async function takeVerifierPictures(browser: Browser, directory: string): Promise<void> {
  const stage = await setVerifierStage(browser);
  const ledger = buildStories();
  const altered = editLeaf(ledger.records, 2, 3, (text) => text.replace('"rita"', '"otto"'));
  const given = [
    stage.write('ledger.vkey', ledger.verifierKey),
    stage.write('kek.key', ledger.kek.toString('base64')),
  ];
  for (const scheme of ['light', 'dark'] as const) {
    const { page, choose } = await stage.open({
      viewport: desktop,
      colorScheme: scheme,
      reducedMotion: 'reduce',
    });
    await choose(stage.write('intact.hpj', streamOf(ledger.records)), ...given);
    await page.getByRole('heading', { name: 'Intact', exact: true }).waitFor();
    await picture(page, directory, `verifier-intact-${scheme}`);
    await page.getByRole('button', { name: 'Story of decision 2' }).click();
    await page.getByRole('button', { name: 'Read the reason' }).click();
    await page.getByText('Matches invoice 4711.').waitFor();
    await picture(page, directory, `verifier-story-${scheme}`);
    await choose(stage.write('altered.hpj', streamOf(altered)));
    await page.getByRole('heading', { name: 'Not intact' }).waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await picture(page, directory, `verifier-altered-${scheme}`);
    await page.context().close();
  }
  stage.close();
}

const [directory] = process.argv.slice(2);
if (directory === undefined || missingBrowser !== '') {
  process.stderr.write(`${missingBrowser || 'usage: node test/browser/screenshots.ts DIRECTORY'}\n`);
  process.exitCode = 2;
} else {
  mkdirSync(directory, { recursive: true });
  const stage = await setStage(readFileSync(policyFile, 'utf8'));
  const browser = await launchBrowser();
  try {
    await takePictures(browser, stage, directory);
    await takeVerifierPictures(browser, directory);
    await takeOversightPictures(directory, (path) => process.stdout.write(`${path}\n`));
    await takePrivacyPictures(browser, policyFile, directory);
  } finally {
    await browser.close();
  }
}
