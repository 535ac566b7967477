/**
 * The ledger alone, on a real disk: `node test/bench/sealing.ts [entries]`.
 * Sealing at concurrency 16 with strict durability, write amplification by the size of bodies, then how long a
 * ledger of so many entries takes to open, to search, to verify, against one of a thousand.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '../../src/core/clock.ts';
import type { Durability } from '../../src/ledger/entry.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { openHighWater } from '../../src/store/high-water.ts';
import { loadKeys } from '../../src/store/keys.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { openLevelCache } from '../../src/store/level.ts';
import { startTableBytes, startTailBytes } from '../../src/store/start-checks.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { judge } from './judge.ts';
import { percentile } from './load.ts';

const concurrency = 16;
const sealedRecords = 20_000;
const amplifiedBytes = 64 * 1024 * 1024;
const bodySizes = [2_000, 16_000, 100_000];
const fewEntries = 1_000;
/** The first ones are slow for what V8 compiles, once. */
const warmUpProofs = 500;
const proofs = 2_000;
const manyEntries = Number(process.argv[2] ?? 200_000);

const root = mkdtempSync(join(tmpdir(), 'holdpoint-bench-'));
let made = 0;
try {
  await benchSealing();
  for (const size of bodySizes) await benchAmplification(size);
  await benchSize(fewEntries);
  await benchSize(manyEntries);
} finally {
  rmSync(root, { recursive: true, force: true });
}

function freshDir(): string {
  const dir = join(root, `${++made}`);
  mkdirSync(dir);
  return dir;
}

/** As the sidecar opens it, the copy that is checked first included. */
function open(dir: string, durability: Durability): Promise<Ledger> {
  const isNew = made > 0 && !hasLedger(dir);
  const keys = loadKeys(join(dir, 'keys'), isNew, systemRandom);
  return openLedger({
    openStore: () => openLedgerStore(join(dir, 'ledger')),
    openCopy: () =>
      isNew ? Promise.resolve(null) : openLedgerCopy(join(dir, 'ledger'), dir, startTableBytes),
    openIndexStore: () => openLevelCache(join(dir, 'index')),
    highWater: openHighWater(join(dir, 'high-water')),
    signingKey: keys.signingKey,
    kek: keys.kek,
    durability,
    clock: systemClock,
    random: systemRandom,
    tailBytesMin: startTailBytes,
    product: 'bench',
    startData: { config: 'a'.repeat(64), node: process.version, policy: 'b'.repeat(64), product: 'bench' },
    recoveredOutcome: () => 'interrupted',
    onEvent: (event) => {
      if ('error' in event) throw event.error;
    },
  });
}

function hasLedger(dir: string): boolean {
  try {
    readFileSync(join(dir, 'ledger', 'CURRENT'));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** One decision: its request with a body of so many bytes, and its outcome among others. */
async function sealOne(ledger: Ledger, bytes: Buffer): Promise<void> {
  const data = {
    bytes: bytes.length,
    caller: '',
    method: 'POST',
    model: 'gpt-4.1',
    operation: 'chat.completions',
    path: '/v1/chat/completions',
    policy: 'b'.repeat(64),
    provider: 'openai',
    rules: [],
    stream: false,
    upstream: 'openai',
    verdict: 'pass',
    workload: 'bench',
  };
  const sealed = ledger.seal({ type: 'request', data, parts: [{ name: 'request', bytes }] });
  await sealed.durable;
  ledger.settle(sealed.seq, 'client_abort');
}

/** `count` records by `concurrency` callers, each waiting for its own; sorted latencies in ms. */
async function sealMany(ledger: Ledger, count: number, bodyBytes: number): Promise<number[]> {
  const latencyMs: number[] = [];
  let begun = 0;
  const caller = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      const from = performance.now();
      await sealOne(ledger, Buffer.alloc(bodyBytes, begun));
      latencyMs.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return latencyMs.sort((a, b) => a - b);
}

async function benchSealing(): Promise<void> {
  const ledger = await open(freshDir(), 'strict');
  await sealMany(ledger, sealedRecords / 4, 2_000);
  const cpu = process.cpuUsage();
  const from = performance.now();
  const latencyMs = await sealMany(ledger, sealedRecords, 2_000);
  const seconds = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await ledger.close('bench');
  say(
    `sealing 2 KB, strict, concurrency ${concurrency}: ${(sealedRecords / seconds).toFixed(0)} records/s, ` +
      `p50 ${percentile(latencyMs, 0.5).toFixed(2)} ms, p99 ${percentile(latencyMs, 0.99).toFixed(2)} ms, ` +
      `${((user + system) / sealedRecords).toFixed(0)} us of CPU each`,
  );
  judge('sealing', Math.round(sealedRecords / seconds), 'records/s', { atLeast: 5_000 });
  judge('sealing, p99', rounded(percentile(latencyMs, 0.99)), 'ms', { below: 10 });
}

/** What the process handed to the disk against what was to be kept: bodies alone, and with the leaves that seal them. */
async function benchAmplification(bodyBytes: number): Promise<void> {
  const ledger = await open(freshDir(), 'strict');
  const before = writtenBytes();
  const count = Math.round(amplifiedBytes / bodyBytes);
  await sealMany(ledger, count, bodyBytes);
  const { leaf } = await ledger.tree.inclusion(Math.floor(count / 2));
  await ledger.close('bench');
  const written = writtenBytes() - before;
  const ofBodies = written / (count * bodyBytes);
  const ofBoth = written / (count * (bodyBytes + leaf.length));
  say(
    `bodies of ${bodyBytes} bytes: ${ofBodies.toFixed(2)} bytes written for each, ${ofBoth.toFixed(2)} with the leaf of ${leaf.length} bytes counted as kept`,
  );
  judge(`write amplification of ${bodyBytes} bytes`, rounded(ofBodies), 'bytes for each', { below: 3 });
}

function writtenBytes(): number {
  return Number(/wchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? Number.NaN);
}

async function benchSize(entries: number): Promise<void> {
  const dir = freshDir();
  const filling = await open(dir, 'relaxed');
  await sealMany(filling, entries, 200);
  await filling.close('bench');
  const opened = performance.now();
  const ledger = await open(dir, 'relaxed');
  const openMs = performance.now() - opened;
  const { size } = ledger.durable();
  const anywhere = (i: number): number => Math.floor(((i * 0.618_034) % 1) * size);
  for (let i = 0; i < warmUpProofs; i += 1) await ledger.tree.inclusion(anywhere(i));
  const proofMs: number[] = [];
  let proofBytes = 0;
  for (let i = warmUpProofs; i < warmUpProofs + proofs; i += 1) {
    const from = performance.now();
    const { hashes } = await ledger.tree.inclusion(anywhere(i));
    proofMs.push(performance.now() - from);
    proofBytes = Math.max(proofBytes, Buffer.concat(hashes).length);
  }
  proofMs.sort((a, b) => a - b);
  await ledger.close('bench');
  const from = performance.now();
  const verdict = await verifyDirectory(dir, {});
  const verifySeconds = (performance.now() - from) / 1000;
  if (!verdict.ok) throw new Error(JSON.stringify(verdict.findings));
  say(
    `${size} entries: opens in ${openMs.toFixed(0)} ms, inclusion proof p50 ${percentile(proofMs, 0.5).toFixed(2)} ms, ` +
      `p99 ${percentile(proofMs, 0.99).toFixed(2)} ms, at most ${proofBytes} bytes; verified at ${(size / verifySeconds).toFixed(0)} entries/s with their bodies`,
  );
  judge('inclusion proof, hashes', proofBytes, 'bytes', { below: 1_100 });
  judge('inclusion proof, p50', rounded(percentile(proofMs, 0.5)), 'ms', { below: 2 });
}

function rounded(figure: number): number {
  return Math.round(figure * 100) / 100;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
