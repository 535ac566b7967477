/**
 * One scripted life of a ledger over real directories: calls, holds, rulings, deliveries, an outage where the
 * disk fails, and the end. What was acknowledged is written down, and checked against what is found later.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Schedule } from '../../src/core/clock.ts';
import { HoldpointError } from '../../src/core/errors.ts';
import { createHoldQueue, type HoldQueue } from '../../src/hold/queue.ts';
import { type Hold, recoveredOutcome } from '../../src/hold/record.ts';
import type { Durability, Entry, EntryType, Outcome } from '../../src/ledger/entry.ts';
import { outcomesOf } from '../../src/ledger/head.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { readBlocks } from '../../src/ledger/reader.ts';
import type { Draft, Sealed } from '../../src/ledger/sealer.ts';
import { openHighWater } from '../../src/store/high-water.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { isBegun, openLevelCache } from '../../src/store/level.ts';
import { startTailBytes } from '../../src/store/start-checks.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { kek, signingKey } from './ledger-under-test.ts';

/** An entry somebody was told is durable. */
export interface Acknowledged {
  readonly seq: number;
  readonly type: EntryType;
  readonly decision: number;
}

/** What the outside knows. */
export interface Witness {
  acknowledged(entry: Acknowledged): void;
  /** Bytes of a decision were given to the workload; the entry that allows it was sealed as `seq`. */
  handedOver(decision: number, seq: number): void;
}

export interface Life {
  readonly ledger: Ledger;
  readonly holds: HoldQueue;
  readonly clock: { ms: number; us: number };
  end(): Promise<void>;
}

export const startMs = Date.UTC(2026, 10, 22);
const schedule: Schedule = (ms, fn) => {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
};

/** Small, so that a short life makes it, fills it and goes beyond it. */
const room = { bytes: 1_500, afterBytes: 1_000, frameBytesMax: 16 * 1024 };

/** Opens the ledger of a data directory as the composition root does. */
export async function beginLife(
  dataDir: string,
  durability: Durability,
  witness: Witness,
  atMs: number,
): Promise<Life> {
  const clock = { ms: atMs, us: 0 };
  const time = { nowMs: () => clock.ms, monoUs: () => (clock.us += 100) };
  const highWater = openHighWater(join(dataDir, 'high-water'));
  const ledgerDir = join(dataDir, 'ledger');
  let holds: HoldQueue | null = null;
  let restoring: Promise<void> = Promise.resolve();
  const opened = await openLedger({
    openStore: () => openLedgerStore(ledgerDir, undefined, room),
    openCopy: async () => ((await isBegun(ledgerDir)) ? openLedgerCopy(ledgerDir, dataDir) : null),
    openIndexStore: () => openLevelCache(join(dataDir, 'index')),
    highWater,
    signingKey,
    kek,
    durability,
    clock: time,
    random: (length) => Buffer.alloc(length, atMs % 251),
    tailBytesMin: startTailBytes,
    product: 'holdpoint test',
    startData: { config: 'a'.repeat(64), node: 'v24', policy: 'b'.repeat(64), product: 'holdpoint test' },
    recoveredOutcome,
    // A queue that could not be restored is restored at the next opening.
    onEvent: ({ kind }) => {
      if (kind === 'opened') restoring = holds?.restore().catch(() => undefined) ?? restoring;
    },
  });
  const ledger: Ledger = { ...opened, seal: (draft) => witnessed(opened.seal(draft), draft, witness) };
  holds = createHoldQueue({ ledger, clock: time, schedule, onError: () => undefined });
  await holds.restore();
  const queue = holds;
  return {
    ledger,
    holds,
    clock,
    end: async () => {
      await restoring;
      queue.stop();
      try {
        await opened.close('test');
      } finally {
        highWater.close();
      }
    },
  };
}

function witnessed(sealed: Sealed, { type, data }: Draft, witness: Witness): Sealed {
  const decision = typeof data['decision'] === 'number' ? data['decision'] : -1;
  const told = sealed.durable.then(() => witness.acknowledged({ seq: sealed.seq, type, decision }));
  // Whoever sealed it hears of the failure from `durable`.
  told.catch(() => undefined);
  return { ...sealed, durable: told };
}

/** The steps of the script; each by itself, so that a failure stops one of them only. */
export function scriptOf({ ledger, holds, clock }: Life, witness: Witness): (() => Promise<void>)[] {
  const kept: { held?: Hold } = {};
  return [
    () => plainCall(ledger, witness),
    async () => {
      const hold = await heldAnswer(ledger, holds, clock.ms);
      await release(holds, hold);
      await holds.beginDelivery(hold);
      witness.handedOver(hold.decision, hold.ruling ?? hold.seq);
      holds.settle(hold.decision, 'delivered');
    },
    async () => {
      // Reading has LevelDB take in what the journal has.
      for await (const _ of ledger.blocks({ fromSeq: 0, reverse: false }));
    },
    async () => {
      const request = await sealRequest(ledger, 'hold');
      const hold = await openHold(holds, request, 'request', null, clock.ms);
      await holds.rule(hold, { ...ruling, verdict: 'deny', digest: hold.state.terms.digest }, null);
    },
    async () => {
      const both = await Promise.allSettled([plainCall(ledger, witness), plainCall(ledger, witness)]);
      const failed = both.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
    async () => {
      kept.held = await heldAnswer(ledger, holds, clock.ms);
    },
    async () => {
      if (kept.held === undefined) return;
      const bytes = Buffer.from('transfer 2500');
      const { digest } = kept.held.state.terms;
      await holds.rule(kept.held, { ...ruling, verdict: 'amend', digest }, bytes);
    },
    async () => {
      await heldAnswer(ledger, holds, clock.ms);
      await sealRequest(ledger, 'pass');
    },
  ];
}

const ruling = { by: 'ada', role: 'reviewer', reason: 'Checked with finance.' };

function release(holds: HoldQueue, hold: Hold): Promise<void> {
  return holds.rule(hold, { ...ruling, verdict: 'release', digest: hold.state.terms.digest }, null);
}

async function sealRequest(ledger: Ledger, verdict: 'pass' | 'hold'): Promise<Sealed> {
  const parts = [{ name: 'request', bytes: Buffer.from('what is a hold point?') }];
  const sealed = ledger.seal({ type: 'request', data: { verdict }, parts });
  await sealed.durable;
  return sealed;
}

async function sealResponse(ledger: Ledger, decision: number, verdict: 'pass' | 'hold'): Promise<Sealed> {
  const parts = [{ name: 'response', bytes: Buffer.from('transfer 25000') }];
  const sealed = ledger.seal({ type: 'response', data: { decision, verdict }, refs: [decision], parts });
  await sealed.durable;
  return sealed;
}

async function plainCall(ledger: Ledger, witness: Witness): Promise<void> {
  const { seq } = await sealRequest(ledger, 'pass');
  let outcome: Outcome = 'ledger_unavailable';
  try {
    const response = await sealResponse(ledger, seq, 'pass');
    witness.handedOver(seq, response.seq);
    outcome = 'delivered';
  } finally {
    ledger.settle(seq, outcome);
  }
}

async function heldAnswer(ledger: Ledger, holds: HoldQueue, atMs: number): Promise<Hold> {
  const request = await sealRequest(ledger, 'pass');
  try {
    const response = await sealResponse(ledger, request.seq, 'hold');
    return await openHold(holds, { ...request, parts: response.parts }, 'response', response.seq, atMs);
  } catch (error) {
    ledger.settle(request.seq, 'ledger_unavailable');
    throw error;
  }
}

function openHold(
  holds: HoldQueue,
  { seq, parts }: Pick<Sealed, 'seq' | 'parts'>,
  phase: 'request' | 'response',
  response: number | null,
  atMs: number,
): Promise<Hold> {
  const facts = { decision: seq, phase, rules: [], policyDigest: '', policyVersion: '', openedAtMs: atMs };
  return holds.open(
    { ...facts, retryKey: `call ${seq}`, response, passedBytes: 0 },
    {
      approvals: 1,
      roles: ['reviewer'],
      notRequester: true,
      requester: 'agent',
      digest: parts()[0]?.c ?? '',
      expiresAtMs: atMs + 900_000,
    },
  );
}

/** Runs the steps in order; a step the ledger refused is left, and the next waits until it takes entries again. */
export async function runScript(life: Life, witness: Witness, untilWritable: () => Promise<void>) {
  let refused = 0;
  for (const step of scriptOf(life, witness)) {
    try {
      await step();
    } catch (error) {
      // A read is answered with what the disk said; the next commit hears of it too.
      const isOfDisk = error instanceof Error && 'syscall' in error;
      if (!(error instanceof HoldpointError) && !isOfDisk) throw error;
      refused += 1;
    }
    if (!life.ledger.isWritable()) await untilWritable();
  }
  return refused;
}

/** What was told to the outside until some moment. */
export interface Told {
  readonly acknowledged: readonly Acknowledged[];
  readonly handedOver: readonly (readonly [decision: number, seq: number])[];
}

/** What is wrong with a directory as it lies there: verdict, acknowledged entries, outcomes. Empty when nothing is. */
export async function faultsIn(dataDir: string, told: Told): Promise<string[]> {
  const faults: string[] = [];
  const ledgerDir = join(dataDir, 'ledger');
  if (!existsSync(ledgerDir)) return told.acknowledged.length === 0 ? [] : ['there is no ledger'];
  const verdict = await verifyDirectory(dataDir, {});
  // Before anything was sealed there is nothing, or a database that was not begun.
  const isUnbegun = told.acknowledged.length === 0 && verdict.size === 0;
  if (!verdict.ok && !isUnbegun) faults.push(`it does not verify: ${JSON.stringify(verdict.findings)}`);
  if (isUnbegun) return faults;
  const entries: Entry[] = [];
  const store = await openLedgerCopy(ledgerDir, dataDir);
  try {
    for await (const block of readBlocks(store, { fromSeq: 0, reverse: false })) entries.push(...block);
  } finally {
    await store.close();
  }
  for (const { seq, type, decision } of told.acknowledged) {
    const found = entries[seq];
    const ofDecision = typeof found?.data['decision'] === 'number' ? found.data['decision'] : -1;
    if (found?.type !== type || ofDecision !== decision)
      faults.push(`the acknowledged ${type} ${seq} is gone`);
  }
  for (const [decision, seq] of told.handedOver)
    if (seq >= entries.length) faults.push(`decision ${decision} was handed over, and is not sealed`);
  const outcomes = new Map<number, number>();
  for (const [decision] of entries.flatMap((entry) => outcomesOf(entry.data)))
    outcomes.set(decision, (outcomes.get(decision) ?? 0) + 1);
  for (const [decision, count] of outcomes)
    if (count > 1) faults.push(`decision ${decision} has ${count} outcomes`);
  return faults;
}

/** As `faultsIn`, after one more life without faults: then all is decided but what waits for a person or its caller. */
export async function faultsAfterNextLife(dataDir: string, told: Told, atMs: number): Promise<string[]> {
  const witness: Witness = { acknowledged: () => undefined, handedOver: () => undefined };
  const life = await beginLife(dataDir, 'strict', witness, atMs);
  const waiting = life.holds.list().map(({ decision }) => decision);
  const open = life.ledger.openDecisions().filter((decision) => !waiting.includes(decision));
  await plainCall(life.ledger, witness);
  await life.end();
  const faults = await faultsIn(dataDir, told);
  if (open.length > 0) faults.push(`nobody will finish ${open.join()}`);
  return faults;
}
