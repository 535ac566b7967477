/** A ledger over a memory disk, with fixed keys and a clock that the test moves, and what callers do with it. */
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { recoveredOutcome } from '../../src/hold/record.ts';
import { decodeBlock, parseRecordKey } from '../../src/ledger/block.ts';
import { type Durability, decodeLeaf, type Entry, type Outcome } from '../../src/ledger/entry.ts';
import { outcomesOf } from '../../src/ledger/head.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import type { LedgerEvent, LedgerOptions } from '../../src/ledger/ledger-options.ts';
import type { Draft } from '../../src/ledger/sealer.ts';
import { kekOf } from '../../src/ledger/vault.ts';
import { type Verdict, type VerifyOptions, verifyLedger } from '../../src/ledger/verify/verify.ts';
import { createMemoryDisk, createMemoryMark, type MemoryDisk, type MemoryMark } from './memory-disk.ts';

const seedOf = (name: string): Buffer => createHash('sha256').update(name).digest();
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

export function signingKeyOf(seed: string): KeyObject {
  const key = Buffer.concat([pkcs8Prefix, seedOf(seed)]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}
export const signingKey = signingKeyOf('signing');
export const kek = kekOf(seedOf('kek'));

export interface LedgerUnderTest {
  readonly disk: MemoryDisk;
  readonly indexDisk: MemoryDisk;
  readonly mark: MemoryMark;
  readonly clock: { ms: number; us: number };
  readonly events: LedgerEvent[];
  durability: Durability;
  /** Runs on each event, as the composition root does. */
  onEvent: (event: LedgerEvent) => void;
  open(options?: Partial<LedgerOptions>): Promise<Ledger>;
  verify(options?: VerifyOptions): Promise<Verdict>;
  /** Every entry on the disk, in order. */
  entries(): readonly Entry[];
}

export function createLedgerUnderTest(): LedgerUnderTest {
  const disk = createMemoryDisk();
  const indexDisk = createMemoryDisk();
  const mark = createMemoryMark();
  const clock = { ms: Date.UTC(2026, 10, 22), us: 0 };
  const events: LedgerEvent[] = [];
  let randoms = 0;
  const house: LedgerUnderTest = {
    disk,
    indexDisk,
    mark,
    clock,
    events,
    durability: 'strict',
    onEvent: () => undefined,
    open: (overrides = {}) =>
      openLedger({
        openStore: disk.open,
        openIndexStore: indexDisk.open,
        highWater: mark,
        signingKey,
        kek,
        durability: house.durability,
        clock: { nowMs: () => clock.ms, monoUs: () => (clock.us += 10) },
        random: (length) => {
          randoms += 1;
          return seedOf(`random ${randoms}`).subarray(0, length);
        },
        tailBytesMin: 8 * 1024 * 1024,
        product: 'holdpoint test',
        startData: {
          config: 'a'.repeat(64),
          node: 'v24',
          policy: 'b'.repeat(64),
          product: 'holdpoint test',
        },
        recoveredOutcome,
        onEvent: (event) => {
          events.push(event);
          house.onEvent(event);
        },
        ...overrides,
      }),
    verify: (options = {}) => verifyLedger(disk.source(), { openBody: new Uint8Array(kek.key), ...options }),
    entries: () => entriesOn(disk),
  };
  return house;
}

function entriesOn(disk: MemoryDisk): readonly Entry[] {
  return disk.records().flatMap(({ key, value }) => {
    return parseRecordKey(key)?.kind === 'block' ? decodeBlock(value).leaves.map(decodeLeaf) : [];
  });
}

/** One entry somebody was told is durable. */
export interface Acknowledged {
  readonly seq: number;
  readonly marker: string;
}

let markers = 0;

/** Seals and waits; what comes back was acknowledged. Rejects as the ledger does. */
export async function sealMarked(ledger: Ledger, draft: Draft): Promise<Acknowledged> {
  markers += 1;
  const marker = `m${markers}`;
  const { seq, durable } = ledger.seal({ ...draft, data: { ...draft.data, marker } });
  await durable;
  return { seq, marker };
}

export const requestDraft: Draft = {
  type: 'request',
  data: { verdict: 'pass' },
  parts: [{ name: 'request', bytes: Buffer.from('what is a hold point?') }],
};

export function responseDraft(decision: number): Draft {
  const parts = [{ name: 'response', bytes: Buffer.from('a place to stop') }];
  return { type: 'response', data: { decision, verdict: 'pass' }, refs: [decision], parts };
}

/** One whole exchange as the pipeline makes it; tells `acknowledged` of each durable entry on the way. */
export async function exchange(ledger: Ledger, acknowledged: (entry: Acknowledged) => void): Promise<number> {
  const request = await sealMarked(ledger, requestDraft);
  acknowledged(request);
  try {
    acknowledged(await sealMarked(ledger, responseDraft(request.seq)));
    ledger.settle(request.seq, 'delivered');
  } catch (error) {
    ledger.settle(request.seq, 'ledger_unavailable');
    throw error;
  }
  return request.seq;
}

/** How often each decision was closed, and how. */
export function outcomesIn(entries: readonly Entry[]): ReadonlyMap<number, readonly Outcome[]> {
  const found = new Map<number, Outcome[]>();
  for (const entry of entries) {
    for (const [decision, outcome] of outcomesOf(entry.data)) {
      found.set(decision, [...(found.get(decision) ?? []), outcome]);
    }
  }
  return found;
}
