/** The verifier's page as a person has it: one file, opened from disk, and files to drop on it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { bundleVerifierPage } from '../../src/verifier-page/bundle.ts';
import { createLedgerBuilder, type LedgerBuilder } from '../support/ledger-builder.ts';

export interface VerifierStage {
  /** Opens the page from disk; `before` runs in it before its own script does. */
  open(options?: BrowserContextOptions, before?: () => void): Promise<VerifierPage>;
  /** Writes a file and returns its path. */
  write(name: string, bytes: Buffer | string): string;
  close(): void;
}

export interface VerifierPage {
  readonly page: Page;
  /** Addresses that the page, or anything it made, asked for since it was loaded. */
  readonly requested: readonly string[];
  /** What went wrong in scripts, and what the page's policy blocked. */
  readonly complaints: readonly string[];
  /** Hands files over as the file chooser does. */
  choose(...files: readonly string[]): Promise<void>;
}

export async function setVerifierStage(browser: Browser): Promise<VerifierStage> {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-verifier-'));
  const write = (name: string, bytes: Buffer | string): string => {
    const file = join(directory, name);
    writeFileSync(file, bytes);
    return file;
  };
  const file = write('verify.html', await bundleVerifierPage());
  return {
    write,
    async open(options = {}, before = () => undefined) {
      const context = await browser.newContext(options);
      await context.addInitScript(before);
      const page = await context.newPage();
      const requested: string[] = [];
      const complaints: string[] = [];
      await page.goto(pathToFileURL(file).href);
      context.on('request', (request) => requested.push(request.url()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      return {
        page,
        requested,
        complaints,
        choose: (...files) => page.locator('input[type=file]').setInputFiles([...files]),
      };
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export const hostile =
  '<img src=x onerror="document.title=1"><script>document.title=2</script> pay \u202e001\u202c\u200b';

/** A ledger with a decision that was held and released, one with hostile content, one denied, one still open. */
export function buildStories(): LedgerBuilder {
  const builder = createLedgerBuilder({ seed: 'stories' });
  builder.genesis();
  builder.start();
  builder.commit();
  const facts = { workload: 'billing-agent', model: 'gpt-4.1', provider: 'openai' };
  const asked = (text: string): string =>
    `POST /v1/chat/completions HTTP/1.1\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: text }] })}`;
  const answered = (text: string): string =>
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ choices: [{ message: { content: text } }] })}`;
  const held = builder.request(facts, asked('Please transfer 25000 EUR.'));
  const answer = builder.response(
    held,
    { verdict: 'hold', rules: ['large-transfer'], toolCalls: 1, finish: 'tool_calls' },
    answered('Transferring.'),
  );
  const hold = builder.hold(held, answer, {
    rules: [
      {
        id: 'large-transfer',
        severity: 'high',
        title: 'Transfers above 10 000',
        when: 'amount > 10000',
        error: '',
      },
    ],
  });
  const digest = builder.c(answer, 'response');
  builder.ruling(held, hold, { digest }, { reason: 'Matches invoice 4711.' });
  builder.deliver(held, hold, digest);
  builder.commit();
  const odd = builder.request({ ...facts, workload: hostile, model: hostile }, asked(hostile));
  builder.response(odd, {}, answered(hostile));
  const denied = builder.request({ ...facts, verdict: 'deny', rules: ['no-shell'] }, asked('Run rm -rf /'));
  builder.close([
    [held, 'delivered'],
    [odd, 'delivered'],
    [denied, 'denied'],
  ]);
  builder.commit();
  builder.request(facts, asked('How is the weather?'));
  builder.commit();
  return builder;
}
