/**
 * The ledger as the rest of the house sees it: seal, settle, read. It opens or begins the log, closes what a
 * crash left open, and after a failed write stops, reopens, re-checks and recovers by the same code.
 */
import type { KeyObject } from 'node:crypto';
import type { Clock, RandomBytes } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from './canonical.ts';
import { type Signer, signerOf } from './checkpoint.ts';
import type { Durability, Entry, Outcome } from './entry.ts';
import { emptyHead, outcomesOf } from './head.ts';
import { decisionId, holdId, seqOfId } from './ids.ts';
import { type Lookup, openLookup } from './lookup.ts';
import { readBlocks, readEntry, readPart } from './reader.ts';
import { type Resumed, resume, rolledBack } from './resume.ts';
import { type Draft, type Sealed, type Sealer, startSealer } from './sealer.ts';
import type { HighWater, LedgerStore, OpenStore } from './store.ts';
import { emptyTree } from './tree.ts';
import { openTreeReader, type TreeReader } from './tree-reader.ts';
import type { KeyEncryptionKey } from './vault.ts';

export interface LedgerOptions {
  readonly openStore: OpenStore;
  /**
   * A copy of the store as it lies there; null when there is none yet. Checked before the store itself is
   * opened, because opening repairs: what a refused start leaves behind is then exactly what it found.
   */
  readonly openCopy?: () => Promise<LedgerStore | null>;
  /** Where the directory was made from a backup and nothing was sealed in it since: that is sealed first. */
  readonly restored?: Restored | null;
  readonly openIndexStore: OpenStore;
  readonly highWater: HighWater;
  readonly signingKey: KeyObject;
  readonly kek: KeyEncryptionKey;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** What is re-checked at start, at least. */
  readonly tailBytesMin: number;
  /** Goes into `genesis` and `start`. */
  readonly product: string;
  readonly startData: JsonObject;
  /** The outcome of a decision that recovery found open, or null to keep it open (a hold that still waits). */
  readonly recoveredOutcome: (entries: readonly Entry[], reason: RecoveryReason) => Outcome | null;
  readonly onEvent: (event: LedgerEvent) => void;
}

/** After `restore` nobody knows what became of what is open: its callers were answered by a ledger that is gone. */
export type RecoveryReason = 'start' | 'store_failure' | 'restore';

/** What a restored ledger says of itself. */
export interface Restored {
  /** Entries in the backup. */
  readonly size: number;
  /** SHA-256 of the backup's manifest, hex. */
  readonly backup: string;
  /** When the backup was taken, UTC. */
  readonly taken: string;
  /** How many entries the high-water mark knew beyond it. */
  readonly lost: number;
}

export type LedgerEvent =
  | {
      readonly kind: 'opened';
      readonly size: number;
      readonly entriesChecked: number;
      readonly closed: number;
    }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'reopen_failed'; readonly error: unknown }
  | { readonly kind: 'index_failed'; readonly error: unknown };

export interface Ledger {
  readonly id: string;
  readonly origin: string;
  readonly verifierKey: string;
  /** See Sealer.seal. */
  seal(draft: Draft): Sealed;
  /** Records how a decision ended; sealed within `settleWithinMs`, many in one entry. */
  settle(decision: number, outcome: Outcome): void;
  isWritable(): boolean;
  durable(): { readonly size: number; readonly note: Buffer };
  /** Request seqs of the decisions that have no outcome yet. */
  openDecisions(): readonly number[];
  isOpen(decision: number): boolean;
  /** Every durable entry of a decision, its request first. Throws `not_found`. */
  decision(requestSeq: number): Promise<readonly Entry[]>;
  entry(seq: number): Promise<Entry>;
  part(seq: number, name: string): Promise<Buffer>;
  /** Durable blocks of entries from a seq on, or backwards from it. */
  blocks(range: { readonly fromSeq: number; readonly reverse: boolean }): AsyncIterable<readonly Entry[]>;
  /** Proofs and tiles over what is durable. */
  readonly tree: Pick<TreeReader, 'inclusion' | 'consistency' | 'tile'>;
  decisionId(requestSeq: number): string;
  holdId(holdSeq: number): string;
  seqOfId(kind: 'd' | 'h', id: string): number | null;
  /** Seals `stop`, waits until all is durable and lets the store go. */
  close(reason: string): Promise<void>;
}

const nothingDurable = { size: 0, note: Buffer.alloc(0) };
const settleWithinMs = 50;
const settlePerEntryMax = 512;
const recoverPerEntryMax = 1024;
const heartbeatEveryMs = 60_000;
const reopenAfterMs = 500;
/** Waits between attempts double up to this, so that a long outage does not fill the log. */
const reopenAfterMsMax = 5_000;

interface Opened {
  readonly store: LedgerStore;
  readonly sealer: Sealer;
  readonly head: ReturnType<typeof emptyHead>;
  readonly entriesChecked: number;
  /** How many decisions recovery gave their outcome. */
  readonly closed: number;
}

/**
 * Opens the ledger, begins one when the store is empty. Throws `data_dir_locked`, `ledger_damaged`,
 * `ledger_rolled_back`; then nothing was written.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const boot = options.random(8).toString('hex');
  const onIndexError = (error: unknown): void => options.onEvent({ kind: 'index_failed', error });
  const indexStore = await options.openIndexStore();
  const lookup = await openLookup(indexStore, onIndexError);
  /** Outcomes that are not known to be on disk: first those to seal, then those on their way. */
  const unsettled = new Map<number, Outcome>();
  const settling = new Map<number, Outcome>();
  let settleTimer: NodeJS.Timeout | null = null;
  let reopenTimer: NodeJS.Timeout | null = null;
  let reopening: Promise<void> = Promise.resolve();
  let reopenWaitMs = reopenAfterMs;
  let writable = false;
  let closing = false;
  let signer: Signer = signerOf('holdpoint/', options.signingKey);
  let ledgerId = '';
  let opened: Opened;
  const tree = await openTreeReader({
    indexStore,
    store: () => opened.store,
    durable: () => opened?.sealer.durable() ?? nothingDurable,
    onError: onIndexError,
  }).catch(async (error: unknown) => {
    await lookup.close();
    throw error;
  });
  try {
    await checkCopy();
    opened = await open('start');
  } catch (error) {
    await lookup.close();
    throw error;
  }
  adopt(opened);
  tree.advance();
  const heartbeat = setInterval(beat, heartbeatEveryMs).unref();

  async function checkCopy(): Promise<void> {
    const copy = await options.openCopy?.();
    if (copy === undefined) return;
    if (copy === null) {
      // Nothing is begun where a ledger was: what is to be restored there finds the place as it was left.
      const mark = options.highWater.read();
      if (mark !== null) throw rolledBack(0, mark.size);
      return;
    }
    try {
      await resumeFrom(copy);
    } finally {
      await copy.close();
    }
  }

  async function resumeFrom(store: LedgerStore): Promise<Resumed | null> {
    const resumed = await resume(store, options.highWater, signerFor, options.tailBytesMin, options.kek);
    requireKek(resumed?.kekId ?? null, options.kek);
    return resumed;
  }

  function signerFor(id: string): Signer {
    return signerOf(`holdpoint/${id}`, options.signingKey);
  }

  async function open(reason: RecoveryReason): Promise<Opened> {
    const store = await options.openStore();
    try {
      return await continueFrom(store, reason);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** From here on calls are sealed there. One step with `writable`, so that nobody meets half of it. */
  function adopt(next: Opened): void {
    opened = next;
    writable = true;
    reopenWaitMs = reopenAfterMs;
    options.onEvent({
      kind: 'opened',
      size: next.head.nextSeq,
      entriesChecked: next.entriesChecked,
      closed: next.closed,
    });
    flushSettled();
  }

  async function continueFrom(store: LedgerStore, reason: RecoveryReason): Promise<Opened> {
    const resumed = await resumeFrom(store);
    ledgerId = resumed?.ledgerId ?? options.random(16).toString('hex');
    signer = signerFor(ledgerId);
    const head = resumed?.head ?? emptyHead();
    const sealer = startSealer({
      ledgerId,
      boot,
      signer,
      store,
      head,
      durability: options.durability,
      kek: options.kek,
      clock: options.clock,
      highWater: options.highWater,
      tree: resumed?.tree ?? emptyTree,
      note: resumed?.note ?? Buffer.alloc(0),
      onDurable: (steps) => {
        lookup.add(steps);
        tree.advance();
      },
      onFailure: (error) => {
        // While it is being opened, whoever opens it hears of the failure from `drain`.
        if (opened?.sealer === sealer) onFailure(error);
      },
    });
    await catchUp(store, lookup, head.nextSeq);
    if (resumed === null) {
      sealer.seal({
        type: 'genesis',
        data: { key: signer.verifierKey, origin: signer.origin, product: options.product },
      });
    }
    const isRestored = reason === 'start' && resumed !== null && options.restored?.size === head.nextSeq;
    if (isRestored) sealRestore(sealer, options.restored);
    const closed = await recover(store, sealer, head, isRestored ? 'restore' : reason);
    if (reason === 'start') sealer.seal({ type: 'start', data: options.startData });
    await sealer.drain();
    return { store, sealer, head, entriesChecked: resumed?.entriesChecked ?? 0, closed };
  }

  function sealRestore(sealer: Sealer, { size, backup, taken, lost }: Restored): void {
    const data = { backup, found: size, lost, outcomes: [], reason: 'restore', taken };
    sealer.seal({ type: 'recovery', data });
  }

  /** Gives every decision that nobody will finish its outcome; holds that still wait stay open. */
  async function recover(
    store: LedgerStore,
    sealer: Sealer,
    head: Opened['head'],
    reason: RecoveryReason,
  ): Promise<number> {
    const found = head.nextSeq;
    const outcomes: [number, Outcome][] = [];
    for (const [decision, seqs] of head.open) {
      const outcome =
        settling.get(decision) ??
        unsettled.get(decision) ??
        options.recoveredOutcome(await Promise.all(seqs.map((seq) => readEntry(store, seq))), reason);
      if (outcome !== null) outcomes.push([decision, outcome]);
    }
    // After a failure one is sealed in any case: it records the outage, and proves that the store takes writes again.
    for (let i = 0; i < outcomes.length || (i === 0 && reason === 'store_failure'); i += recoverPerEntryMax) {
      const data = {
        found,
        outcomes: outcomes.slice(i, i + recoverPerEntryMax),
        reason: reason === 'restore' ? 'start' : reason,
      };
      sealer.seal({ type: 'recovery', data });
    }
    return outcomes.length;
  }

  function onFailure(error: unknown): void {
    writable = false;
    options.onEvent({ kind: 'failed', error });
    scheduleReopen();
  }

  function scheduleReopen(): void {
    if (closing) return;
    reopenTimer = setTimeout(() => {
      reopening = reopen().catch((error: unknown) => {
        options.onEvent({ kind: 'reopen_failed', error });
        scheduleReopen();
      });
    }, reopenWaitMs);
    reopenWaitMs = Math.min(2 * reopenWaitMs, reopenAfterMsMax);
  }

  async function reopen(): Promise<void> {
    await opened.store.close();
    adopt(await open('store_failure'));
  }

  function flushSettled(): void {
    if (settleTimer !== null) clearTimeout(settleTimer);
    settleTimer = null;
    while (unsettled.size > 0 && writable) {
      const outcomes = [...unsettled].slice(0, settlePerEntryMax);
      for (const [decision] of outcomes) unsettled.delete(decision);
      // Recovery may have closed a decision while its call was still running: it has its outcome then.
      const due = outcomes.filter(([decision]) => opened.head.open.has(decision));
      if (due.length > 0 && !sealOutcomes(due)) return;
    }
  }

  /** False when the ledger took nothing; the outcomes are then kept, for the next flush or for recovery. */
  function sealOutcomes(outcomes: readonly [number, Outcome][]): boolean {
    const keep = (): void => {
      for (const [decision, outcome] of outcomes) {
        settling.delete(decision);
        unsettled.set(decision, outcome);
      }
    };
    try {
      const { durable } = opened.sealer.seal({ type: 'delivery', data: { outcomes } });
      for (const [decision, outcome] of outcomes) settling.set(decision, outcome);
      durable.then(() => {
        for (const [decision] of outcomes) settling.delete(decision);
      }, keep);
      return true;
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
      keep();
      settleTimer ??= setTimeout(flushSettled, settleWithinMs);
      return false;
    }
  }

  /** Every durable entry of a decision after its request. What is open is known from the ledger itself. */
  async function entriesOf(requestSeq: number): Promise<readonly Entry[]> {
    const { head, sealer, store } = opened;
    const seqs = head.open.get(requestSeq) ?? (await lookup.entriesOf(requestSeq));
    const { size } = sealer.durable();
    const durable = seqs.filter((seq) => seq > requestSeq && seq < size);
    const entries = await Promise.all(durable.map((seq) => readEntry(store, seq)));
    // The lookup is never evidence: what it names must say itself that it belongs here.
    return entries.filter((entry) => isAbout(entry, requestSeq));
  }

  function beat(): void {
    if (!writable) return;
    try {
      opened.sealer.beat();
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
    }
  }

  return {
    id: ledgerId,
    origin: signer.origin,
    verifierKey: signer.verifierKey,
    seal: (draft) => {
      if (!writable) {
        throw new HoldpointError(
          'ledger_unavailable',
          'The ledger cannot be written, so nothing is sent or delivered.',
          'Holdpoint retries by itself; check disk space and the log, then retry the call.',
        );
      }
      return opened.sealer.seal(draft);
    },
    settle: (decision, outcome) => {
      // The first one stands.
      if (unsettled.has(decision)) return;
      unsettled.set(decision, outcome);
      if (unsettled.size >= settlePerEntryMax) flushSettled();
      else settleTimer ??= setTimeout(flushSettled, settleWithinMs);
    },
    isWritable: () => writable,
    durable: () => opened.sealer.durable(),
    openDecisions: () => [...opened.head.open.keys()],
    isOpen: (decision) => opened.head.open.has(decision),
    decision: async (requestSeq) => {
      const first = await readEntry(opened.store, requestSeq);
      if (first.type !== 'request')
        throw new HoldpointError('not_found', `Entry ${requestSeq} is not a decision.`);
      return [first, ...(await entriesOf(requestSeq))];
    },
    entry: (seq) => readEntry(opened.store, seq),
    part: (seq, name) => readPart(opened.store, options.kek, seq, name),
    blocks: (range) => readBlocks(opened.store, range),
    tree,
    decisionId: (seq) => decisionId(ledgerId, seq),
    holdId: (seq) => holdId(ledgerId, seq),
    seqOfId: (kind, id) => seqOfId(kind, ledgerId, id),
    close: async (reason) => {
      closing = true;
      clearInterval(heartbeat);
      if (reopenTimer !== null) clearTimeout(reopenTimer);
      await reopening;
      try {
        if (writable) {
          flushSettled();
          opened.sealer.seal({ type: 'stop', data: { reason } });
          await opened.sealer.drain();
        }
      } finally {
        writable = false;
        if (settleTimer !== null) clearTimeout(settleTimer);
        // Derived, and made again from the ledger: their failure must not keep the evidence from being closed.
        await tree.close().catch(onIndexError);
        await lookup.close().catch(onIndexError);
        await opened.store.close();
      }
    },
  };
}

/** Bodies sealed under another key could not be read any more: that is noticed before anything is sealed. */
function requireKek(kekId: string | null, kek: KeyEncryptionKey): void {
  if (kekId === null || kekId === kek.id) return;
  throw new HoldpointError(
    'config_invalid',
    `The ledger's bodies are encrypted under the key ${kekId}, but kek.key is ${kek.id}.`,
    'Restore the kek.key that this ledger was begun with to keys.dir.',
  );
}

function isAbout(entry: Entry, decision: number): boolean {
  return (
    entry.data['decision'] === decision || outcomesOf(entry.data).some(([closed]) => closed === decision)
  );
}

/** Feeds the lookup what the ledger sealed and it did not see, such as after a crash. */
async function catchUp(store: LedgerStore, lookup: Lookup, size: number): Promise<void> {
  // It knows more than was sealed: it belongs to entries that are gone, so it is made anew.
  if (lookup.nextSeq() > size) lookup.forget();
  if (lookup.nextSeq() >= size) return;
  for await (const entries of readBlocks(store, { fromSeq: lookup.nextSeq(), reverse: false })) {
    lookup.add(entries.filter((entry) => entry.seq >= lookup.nextSeq()));
  }
}
