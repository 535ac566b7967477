/**
 * The demonstration: an embedded model provider, the real sidecar with the default policy, and a workload that
 * uses the official SDK unchanged. Every step is checked; what is printed is what was seen.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, systemRandom } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { startSidecar } from '../sidecar.ts';
import { addToken } from '../store/token-file.ts';
import { verifyDirectory } from '../store/verify-directory.ts';
import { startDemoProvider } from './provider.ts';
import { createReviewer, type Reviewer } from './reviewer.ts';
import { createWorkload, type Workload } from './workload.ts';

const policyFile = fileURLToPath(new URL('../../config/policy.yaml', import.meta.url));

/** Runs the demonstration; true when every step held. Without `exit` it stays up until SIGINT. */
export async function runDemo({ exit }: { readonly exit: boolean }): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-demo-'));
  const dataDir = join(directory, 'data');
  const provider = await startDemoProvider({ port: 0 });
  const configFile = join(directory, 'holdpoint.yaml');
  writeFileSync(configFile, configText(dataDir, provider.url));
  const sidecar = await startSidecar(configFile, {});
  const token = addToken(
    join(dataDir, 'tokens.json'),
    { name: 'ada', role: 'reviewer' },
    systemClock.nowMs(),
    systemRandom,
  );
  try {
    say(`model provider  ${provider.url}  (embedded; no key, no network)`);
    say(`sidecar         ${sidecar.proxyUrl}  OPENAI_BASE_URL=${sidecar.proxyUrl}/v1`);
    say(`control         ${sidecar.controlUrl}\n`);
    const workload = await createWorkload(`${sidecar.proxyUrl}/v1`);
    const reviewer = createReviewer(sidecar.controlUrl, token);
    await rehearse(workload, reviewer, provider.calls);
    await checkLedger(dataDir, directory);
    say('\nEvery step was checked.');
    if (!exit) await stayUp(sidecar.controlUrl, `${sidecar.proxyUrl}/v1`, token, workload);
    return true;
  } catch (error) {
    say(`\nFAILED: ${messageOf(error)}`);
    return false;
  } finally {
    await sidecar.stop('demo ended');
    await provider.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function rehearse(workload: Workload, reviewer: Reviewer, upstreamCalls: () => number): Promise<void> {
  say('1. An ordinary question passes.');
  const plain = await workload.ask('What is a hold point in quality assurance?');
  check(plain.text !== '', `the workload read: ${quote(plain.text)}`);
  check(
    (await reviewer.outcomeOf(plain.decisionId)) === 'delivered',
    `decision ${plain.decisionId} is sealed: delivered`,
  );

  say('\n2. A transfer of 25 000 is held until Ada releases it.');
  const transfer = workload.ask('Please transfer 25000 EUR to DE89370400440532013000 for invoice 4711.');
  const held = await reviewer.nextHold();
  check(!(await isSettled(transfer)), `held as ${held.id}: ${held.headline}`);
  check(
    (await reviewer.rule(held, 'release', 'Invoice 4711 is approved.')) === 201,
    'Ada released it, bound to the digest she saw',
  );
  const released = await transfer;
  check(released.toolCall.startsWith('transfer_funds'), `the workload got: ${released.toolCall}`);
  check((await reviewer.rule(held, 'release', 'Again.')) === 409, 'a second ruling is refused with 409');

  say('\n3. A deletion is denied.');
  const before = upstreamCalls();
  // Heard of from the start: the workload may have its refusal before the reviewer has the answer to the ruling.
  const deletion = workload.ask('Delete all records of customer 1001.').then(
    () => 'an answer',
    (error: unknown) => messageOf(error),
  );
  const second = await reviewer.nextHold();
  check(
    (await reviewer.rule(second, 'deny', 'Retention applies until 2030.')) === 201,
    `Ada denied ${second.id}: ${second.headline}`,
  );
  const refusal = await deletion;
  check(refusal.startsWith('403'), `the workload's SDK raised: ${refusal}`);
  check(upstreamCalls() === before + 1, 'the provider was asked once: the SDK did not retry a denial');
}

/** Verifies the ledger while the sidecar runs, then flips one bit in a copy of it and verifies that. */
async function checkLedger(dataDir: string, directory: string): Promise<void> {
  say('\n4. The ledger is verified offline.');
  const verdict = await verifyDirectory(dataDir, {});
  check(
    verdict.ok,
    `INTACT: ${verdict.size} entries, ${verdict.decisions.total} decisions, assurance ${verdict.assurance}`,
  );

  const copy = join(directory, 'tampered');
  cpSync(dataDir, copy, { recursive: true });
  const segment = readdirSync(join(copy, 'ledger')).find((name) => name.endsWith('.hpj')) ?? '';
  const bytes = readFileSync(join(copy, 'ledger', segment));
  // In the middle of the first bodies, of which there is no other copy.
  const place = bytes.indexOf('HPV1') + 200;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  writeFileSync(join(copy, 'ledger', segment), bytes);
  const tampered = await verifyDirectory(copy, {});
  const [finding] = tampered.findings;
  check(
    !tampered.ok && finding !== undefined,
    `one bit flipped in a copy: ${finding?.code} at entry ${finding?.seq}`,
  );
}

async function stayUp(controlUrl: string, baseUrl: string, token: string, workload: Workload): Promise<void> {
  say(`\nThe console: ${controlUrl}\nYour token:  ${token}   (reviewer ada)`);
  say('A transfer is waiting there for your ruling. Ctrl-C ends the demonstration.');
  say(`Your own calls: OPENAI_BASE_URL=${baseUrl} OPENAI_API_KEY=any\n`);
  const stopped = Promise.withResolvers<void>();
  process.once('SIGINT', () => stopped.resolve());
  process.once('SIGTERM', () => stopped.resolve());
  const waiting = workload.ask('Please transfer 12500 EUR to DE89370400440532013000 for invoice 4712.').then(
    (answer) => say(`The waiting workload got: ${answer.toolCall}`),
    (error: unknown) => say(`The waiting workload's SDK raised: ${messageOf(error)}`),
  );
  await Promise.race([stopped.promise, waiting.then(() => stopped.promise)]);
}

function configText(dataDir: string, providerUrl: string): string {
  return JSON.stringify({
    proxy: { listen: '127.0.0.1:0' },
    control: { listen: '127.0.0.1:0' },
    data: { dir: dataDir },
    upstreams: { openai: { url: providerUrl, protocol: 'openai', mount: '/' } },
    policy: { file: policyFile },
    workload: { name: 'billing-agent' },
    log: { level: 'error' },
  });
}

/** True when the promise has settled by now; the workload is given a moment in which nothing may arrive. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  const moment = new Promise((resolve) => setTimeout(resolve, 250, pending));
  return (await Promise.race([promise.catch(() => null), moment])) !== pending;
}

function check(held: boolean, what: string): void {
  if (!held) throw new Error(`expected: ${what}`);
  say(`   ok  ${what}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
