/** Whatever is sealed, erased, killed and opened again: the ledger verifies, and of what was erased no file has a trace. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../../src/core/clock.ts';
import { recoveredOutcome } from '../../../src/hold/record.ts';
import { decodeBodies, isBodiesKey } from '../../../src/ledger/block.ts';
import type { Target } from '../../../src/ledger/erasure.ts';
import { type Ledger, openLedger } from '../../../src/ledger/ledger.ts';
import type { RecordStore } from '../../../src/ledger/store.ts';
import { kekOf } from '../../../src/ledger/vault.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { openHighWater } from '../../../src/store/high-water.ts';
import { openLedgerCopy } from '../../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../../src/store/ledger-store.ts';
import { openLevelCache } from '../../../src/store/level.ts';
import { filesWith } from '../../support/files-with.ts';
import { copyAsKilled } from '../../support/killed-copy.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-erasure-property-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const freshDir = (): string => join(root, `${++made}`);
const { privateKey: signingKey } = generateKeyPairSync('ed25519');
const kek = kekOf(Buffer.alloc(32, 7));

async function openIn(dir: string): Promise<Ledger> {
  const digest = '0'.repeat(64);
  return openLedger({
    openStore: () => openLedgerStore(join(dir, 'ledger')),
    openIndexStore: () => openLevelCache(join(dir, 'index')),
    highWater: openHighWater(join(dir, 'high-water')),
    signingKey,
    kek,
    durability: 'strict',
    clock: systemClock,
    random: systemRandom,
    tailBytesMin: 1024 * 1024,
    product: 'holdpoint test',
    startData: { config: digest, node: 'v24', policy: digest, product: 'holdpoint test' },
    recoveredOutcome,
    onEvent: (event) => {
      if ('error' in event) throw event.error;
    },
  });
}

/** Decisions with all their parts, by request seq; null once erased. */
type Model = Map<number, string | null>;

async function decide(ledger: Ledger, text: string): Promise<number> {
  const { seq } = ledger.seal({
    type: 'request',
    data: { verdict: 'pass' },
    parts: [{ name: 'request', bytes: Buffer.from(text) }],
  });
  ledger.seal({
    type: 'response',
    data: { decision: seq, verdict: 'pass' },
    parts: [{ name: 'response', bytes: Buffer.from(text) }],
  });
  await ledger.seal({ type: 'delivery', data: { outcomes: [[seq, 'delivered']] } }).durable;
  return seq;
}

/** What is stored of these: ciphertexts, and the wrapped keys of their records. */
async function tracesOf(dir: string, seqs: ReadonlySet<number>): Promise<Buffer[]> {
  for (;;) {
    const copy = await openLedgerCopy(join(dir, 'ledger'));
    try {
      return await tracesIn(copy, seqs);
    } catch (error) {
      // LevelDB took away a table that the copy was reading.
      if (await copy.isWhole()) throw error;
    } finally {
      await copy.close();
    }
  }
}

async function tracesIn(store: RecordStore, seqs: ReadonlySet<number>): Promise<Buffer[]> {
  const traces: Buffer[] = [];
  for await (const { key, value } of store.scan({})) {
    if (!isBodiesKey(key)) continue;
    const { items, wrapped } = decodeBodies(value);
    const mine = items.filter(({ seq }) => seqs.has(seq));
    if (mine.length > 0)
      traces.push(Buffer.from(wrapped), ...mine.map(({ ciphertext }) => Buffer.from(ciphertext)));
  }
  return traces;
}

const acts = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('decide' as const), many: fc.integer({ min: 1, max: 5 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('erase' as const),
        picks: fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'reclaim' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
  ),
  { minLength: 4, maxLength: 14 },
);

async function play(list: typeof acts extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
  let dir = freshDir();
  let ledger = await openIn(dir);
  const model: Model = new Map();
  const traces: Buffer[] = [];
  for (const act of list) {
    if (act.kind === 'decide') {
      const texts = Array.from({ length: act.many }, (_, i) => `text ${model.size + i} of nobody else`);
      // Side by side, so that several share a block.
      const seqs = await Promise.all(texts.map((text) => decide(ledger, text)));
      for (const [i, seq] of seqs.entries()) model.set(seq, texts[i] ?? '');
    } else if (act.kind === 'erase') {
      const left = [...model].filter(([, text]) => text !== null).map(([seq]) => seq);
      const seqs = new Set(act.picks.flatMap((pick) => left[pick] ?? []));
      if (seqs.size === 0) continue;
      traces.push(...(await tracesOf(dir, new Set([...seqs, ...[...seqs].map((seq) => seq + 1)]))));
      const entries = (await Promise.all([...seqs].map((seq) => ledger.decision(seq)))).flat();
      const targets = entries.flatMap(({ seq, parts }) => parts.map((_part, index): Target => [seq, index]));
      await ledger.erase({ type: 'erasure', data: { ...erasing, targets } }, () => true);
      for (const seq of seqs) model.set(seq, null);
    } else if (act.kind === 'reclaim') {
      await ledger.reclaim();
    } else {
      const left = freshDir();
      if (act.kind === 'kill') copyAsKilled(dir, left);
      await ledger.close('test');
      if (act.kind === 'kill') dir = left;
      ledger = await openIn(dir);
    }
    expect(filesWith(dir, traces)).toEqual([]);
  }
  for (const [seq, text] of model) {
    const read = await ledger.part(seq, 'request').catch((error: { code?: string }) => error.code);
    expect(String(read)).toBe(text ?? 'erased');
  }
  await ledger.close('test');
  const copy = await openLedgerCopy(join(dir, 'ledger'));
  const verdict = await verifyLedger(copy.scan({}), { openBody: new Uint8Array(kek.key) });
  await copy.close();
  expect(verdict.findings).toEqual([]);
  const erased = [...model.values()].filter((text) => text === null).length;
  expect(verdict.bodies).toEqual({
    stored: 2 * (model.size - erased),
    checked: 2 * (model.size - erased),
    opened: 2 * (model.size - erased),
    erased: 2 * erased,
  });
}

const erasing = {
  action: 'erase',
  basis: 'objection',
  by: 'petra',
  final: true,
  request: 'ab'.repeat(8),
  role: 'privacy',
  scope: { subject: 'cd'.repeat(8) },
};

/** Tries so many orders of acts. */
export function specifyErasing(runs: number, timeoutMs: number): void {
  it(
    'holds for any order of acts',
    async () => {
      await fc.assert(fc.asyncProperty(acts, play), { numRuns: runs });
    },
    timeoutMs,
  );
}
