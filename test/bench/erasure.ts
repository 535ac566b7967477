/**
 * Erases one data subject among a million entries while calls go on, verifies, and searches every file for what was
 * erased. Prints times, bytes and how long a commit waited. `node test/bench/erasure.ts [entries]`
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, systemRandom, systemSchedule } from '../../src/core/clock.ts';
import { createErasureDesk } from '../../src/erasure/desk.ts';
import { recoveredOutcome } from '../../src/hold/record.ts';
import { decodeBodies, isBodiesKey } from '../../src/ledger/block.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { kekOf } from '../../src/ledger/vault.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { openErasureOrders } from '../../src/store/erasure-orders.ts';
import { openHighWater } from '../../src/store/high-water.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { openLevelCache } from '../../src/store/level.ts';
import { startTailBytes } from '../../src/store/start-checks.ts';

const entries = Number(process.argv[2] ?? 1_000_000);
const entriesPerDecision = 3;
/** One decision of this many is the subject's. */
const everyDecision = 1000;
const inFlightMax = 4096;
const subject = 'ab'.repeat(8);
const plaintext = 'the one thing that must be forgotten';

const dir = mkdtempSync(join(tmpdir(), 'holdpoint-erasure-bench-'));
const kek = kekOf(randomBytes(32));
const highWater = openHighWater(join(dir, 'high-water'));

function open(): Promise<Ledger> {
  const digest = '0'.repeat(64);
  return openLedger({
    openStore: () => openLedgerStore(join(dir, 'ledger')),
    openIndexStore: () => openLevelCache(join(dir, 'index')),
    highWater,
    signingKey,
    kek,
    durability: 'relaxed',
    clock: systemClock,
    random: systemRandom,
    tailBytesMin: startTailBytes,
    product: 'holdpoint bench',
    startData: { config: digest, node: process.version, policy: digest, product: 'holdpoint bench' },
    recoveredOutcome,
    onEvent: (event) => {
      if ('error' in event) throw event.error;
    },
  });
}
const { privateKey: signingKey } = generateKeyPairSync('ed25519');

const seconds = (fromMs: number): string => `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const say = (what: string, value: string): boolean => process.stdout.write(`${what.padEnd(44)} ${value}\n`);

/** One whole decision; resolves when it is durable. */
function decide(ledger: Ledger, isSubjects: boolean): { seqs: readonly number[]; durable: Promise<void> } {
  const content = isSubjects
    ? `${plaintext} ${randomBytes(150).toString('hex')}`
    : randomBytes(300).toString('hex');
  const request = ledger.seal({
    type: 'request',
    data: {
      bytes: 600,
      method: 'POST',
      model: 'gpt-4.1',
      operation: 'chat.completions',
      verdict: 'pass',
      workload: 'bench',
      ...(isSubjects ? { subject } : {}),
    },
    parts: [{ name: 'request', bytes: Buffer.from(content) }],
  });
  const decision = request.seq;
  const response = ledger.seal({
    type: 'response',
    data: { decision, status: 200, verdict: 'pass' },
    parts: [{ name: 'response', bytes: Buffer.from(content) }],
  });
  const { durable } = ledger.seal({ type: 'delivery', data: { outcomes: [[decision, 'delivered']] } });
  return { seqs: [decision, response.seq], durable };
}

async function fill(ledger: Ledger): Promise<Set<number>> {
  const mine = new Set<number>();
  const decisions = Math.ceil(entries / entriesPerDecision);
  for (let i = 0; i < decisions; i += 1) {
    const { seqs, durable } = decide(ledger, i % everyDecision === 0);
    if (i % everyDecision === 0) for (const seq of seqs) mine.add(seq);
    if (i % inFlightMax === inFlightMax - 1 || i === decisions - 1) await durable;
  }
  return mine;
}

/** The ciphertexts of these entries and the wrapped keys of the records they lie in. */
async function tracesOf(seqs: ReadonlySet<number>): Promise<Buffer[]> {
  const copy = await openLedgerCopy(join(dir, 'ledger'));
  const traces: Buffer[] = [];
  for await (const { key, value } of copy.scan({})) {
    if (!isBodiesKey(key)) continue;
    const { items, wrapped } = decodeBodies(value);
    const mine = items.filter(({ seq }) => seqs.has(seq));
    if (mine.length > 0)
      traces.push(Buffer.from(wrapped), ...mine.map(({ ciphertext }) => Buffer.from(ciphertext)));
  }
  await copy.close();
  return [...traces, Buffer.from(plaintext)];
}

function filesIn(place: string): string[] {
  return readdirSync(place, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(place, entry.name)) : [join(place, entry.name)],
  );
}

/** How many of the traces are in some file, whole or their first 16 bytes: one pass over every byte. */
function found(traces: readonly Buffer[]): number {
  const byStart = new Map<number, Buffer[]>();
  const isStart = new Uint8Array(65_536);
  for (const trace of traces) {
    const start = trace.readUInt32LE(0);
    byStart.set(start, [...(byStart.get(start) ?? []), trace.subarray(0, 16)]);
    isStart[trace.readUInt16LE(0)] = 1;
  }
  const seen = new Set<Buffer>();
  for (const file of filesIn(dir)) {
    const bytes = readFileSync(file);
    for (let at = 0; at + 16 <= bytes.length; at += 1) {
      if (isStart[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] === 0) continue;
      for (const start of byStart.get(bytes.readUInt32LE(at)) ?? [])
        if (bytes.subarray(at, at + 16).equals(start)) seen.add(start);
    }
  }
  return seen.size;
}

const diskBytes = (): number => filesIn(dir).reduce((sum, file) => sum + statSync(file).size, 0);

/** Commits now and then until it is told to stop; how long each waited, ascending. */
async function commitMeanwhile(ledger: Ledger, isOver: () => boolean): Promise<number[]> {
  const waits: number[] = [];
  while (!isOver()) {
    const fromMs = performance.now();
    await decide(ledger, false).durable;
    waits.push(performance.now() - fromMs);
    await sleep(5);
  }
  return waits.sort((a, b) => a - b);
}

const at = (waits: readonly number[], share: number): string =>
  `${(waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? 0).toFixed(1)} ms`;

try {
  let fromMs = performance.now();
  const ledger = await open();
  const mine = await fill(ledger);
  say(`sealed ${ledger.durable().size} entries`, seconds(fromMs));
  // What LevelDB has not taken in yet is taken in by whoever walks it.
  for await (const _block of ledger.blocks({ fromSeq: 0, reverse: true })) break;
  await sleep(500);
  const traces = await tracesOf(mine);
  say(`the subject: ${mine.size} bodies, ${traces.length} traces in files`, `${found(traces)} found`);
  const before = diskBytes();
  const desk = createErasureDesk({
    ledger,
    terms: { rules: [], exemptions: [] },
    everyHours: 24,
    clock: systemClock,
    schedule: systemSchedule,
    random: systemRandom,
    orders: openErasureOrders(join(dir, 'erasures.json')),
    onEnd: () => undefined,
    onError: (what, error) => say(what, String(error)),
  });
  let over = false;
  const idle = commitMeanwhile(ledger, () => over);
  await sleep(2000);
  over = true;
  const idleWaits = await idle;
  over = false;
  const committing = commitMeanwhile(ledger, () => over);
  fromMs = performance.now();
  const order = {
    scope: { subject },
    basis: 'objection',
    by: 'bench',
    role: 'privacy',
    reason: 'bench',
    dryRun: false,
  } as const;
  const job = await desk.ended(desk.start(order).id);
  say('erased, calls going on', seconds(fromMs));
  over = true;
  const waits = await committing;
  if (job?.state !== 'done') throw new Error(`the erasure ended as ${job?.state}: ${job?.error?.message}`);
  const { parts, bytesWiped, bytesReclaimed } = job.progress;
  say('bodies erased / bytes overwritten', `${parts} / ${megabytes(bytesWiped)}`);
  say(
    'files smaller by / disk before, after',
    `${megabytes(bytesReclaimed)} / ${megabytes(before)}, ${megabytes(diskBytes())}`,
  );
  say(
    `commits before: median, p99, max of ${idleWaits.length}`,
    [0.5, 0.99, 1].map((share) => at(idleWaits, share)).join(', '),
  );
  say(
    `commits meanwhile: median, p99, max of ${waits.length}`,
    [0.5, 0.99, 1].map((share) => at(waits, share)).join(', '),
  );
  await ledger.close('bench');
  const left = found(traces);
  say('traces found afterwards', String(left));
  fromMs = performance.now();
  const copy = await openLedgerCopy(join(dir, 'ledger'));
  const verdict = await verifyLedger(copy.scan({}), { openBody: new Uint8Array(kek.key) });
  await copy.close();
  const { erased, opened, stored } = verdict.bodies;
  say(`verify: ${verdict.ok ? 'INTACT' : JSON.stringify(verdict.findings[0])}`, seconds(fromMs));
  say('bodies erased, stored, opened', `${erased}, ${stored}, ${opened}`);
  say('resident memory', megabytes(process.memoryUsage.rss()));
  if (!verdict.ok || left > 0 || erased !== mine.size || stored !== opened) process.exitCode = 1;
} finally {
  highWater.close();
  rmSync(dir, { recursive: true, force: true });
}
