/**
 * The ledger as the rest of the house sees it: seal, settle, read. Puts together the log, its keys, what is derived
 * from it and what is under way; each of these is a file of its own beside this one.
 */
import { HoldpointError } from '../core/errors.ts';
import { createDecisions, type Decisions } from './decisions.ts';
import { type Derived, openDerived } from './derived.ts';
import type { Entry, Outcome } from './entry.ts';
import { createErasures, type Erased, type Erasures } from './erasures.ts';
import { decisionId, holdId, legalHoldId, seqOfId } from './ids.ts';
import { type KeyChanges, keyChangesOf } from './key-changes.ts';
import { createLedgerKeys, type LedgerKeys } from './ledger-keys.ts';
import type { LedgerOptions } from './ledger-options.ts';
import { oldestFirst } from './oldest-first.ts';
import { checkCopyBeside, createOpening } from './opening.ts';
import type { BrokenGlass, Delegation } from './oversight.ts';
import { readBlocks, readEntry, type UnreadableEntry } from './reader.ts';
import { createReopening, type Reopening } from './reopening.ts';
import type { RetentionMarks } from './retention-marks.ts';
import type { ReviewerKey } from './reviewer-keys.ts';
import type { Draft, Sealed } from './sealer.ts';
import type { SearchTerms } from './search.ts';
import { createSettling, type Settling } from './settling.ts';
import type { LegalHold } from './subjects.ts';
import { countBefore } from './time-span.ts';
import type { TokenGrant } from './token-grants.ts';
import type { TreeReader } from './tree-reader.ts';
import type { KeyEncryptionKey } from './vault.ts';

export interface Ledger extends KeyChanges {
  readonly id: string;
  readonly origin: string;
  /** Of the key that seals now. */
  readonly verifierKey: string;
  /** See Sealer.seal. */
  seal(draft: Draft): Sealed;
  /** Records how a decision ended; sealed within `settleWithinMs`, many in one entry. */
  settle(decision: number, outcome: Outcome): void;
  isWritable(): boolean;
  /** The key-encryption keys there are, the one in use first. */
  keks(): readonly KeyEncryptionKey[];
  durable(): { readonly size: number; readonly note: Buffer };
  /** Request seqs of the decisions that have no outcome yet. */
  openDecisions(): readonly number[];
  isOpen(decision: number): boolean;
  /**
   * Every durable entry of a decision, its request first. Throws `not_found` and, as all that read, `ledger_unavailable`.
   * @param missing takes each entry after the request that cannot be read and may be of it; without it, it is thrown
   */
  decision(requestSeq: number, missing?: (why: UnreadableEntry) => void): Promise<readonly Entry[]>;
  entry(seq: number): Promise<Entry>;
  /** The plaintext of a body. Throws `not_found`, `erased` with who erased it and when, `ledger_damaged`. */
  part(seq: number, name: string): Promise<Buffer>;
  /**
   * Seals an `erasure` entry and, once it is durable, destroys what it names, one entry at a time. When it resolves,
   * neither ciphertext nor keys are in the ledger's files, but for what it says is `left`. Throws as `seal` does, and then nothing was destroyed; any
   * other error means that the entry is sealed and is carried out before the next one or at the next start.
   * @param isStillDue asked in one step with the sealing; false seals nothing and gives null
   */
  erase(draft: Draft, isStillDue: () => boolean): Promise<Erased | null>;
  /**
   * Seals a legal hold or its end between two erasures; resolves with its seq once it is durable. `draft` is asked when
   * its turn comes, and what it throws refuses it: by then the one before is known.
   */
  sealBetweenErasures(draft: () => Draft): Promise<number>;
  /** Grows whenever something may have been erased: what was read at another age may be gone. */
  erasureAge(): number;
  /** Gives back disk space that erasures emptied; returns how many bytes. */
  reclaim(): Promise<number>;
  /** Durable requests of a subject by its fingerprint, ascending; what may be one and cannot be read stands as such. */
  decisionsOf(subject: string): Promise<readonly (number | UnreadableEntry)[]>;
  /** Durable requests that are lines which a decision carried, likewise. */
  linesOf(decision: number): Promise<readonly (number | UnreadableEntry)[]>;
  legalHolds(): readonly LegalHold[];
  /** How far retention has come; see retention-marks.ts. */
  readonly retentionMarks: RetentionMarks;
  /** Every key that was ever enrolled to sign rulings, in order; those of durable entries. */
  reviewerKeys(): readonly ReviewerKey[];
  /** Control tokens that were granted and not revoked; those of durable entries. */
  tokenGrants(): readonly TokenGrant[];
  /** Releases by one person alone, in order: all that wait for a review, and the newest of the others; durable ones. */
  glassBroken(): readonly BrokenGlass[];
  /** Whose stead somebody may rule in, in order: what nothing ended, and the newest of what something did; durable ones. */
  delegations(): readonly Delegation[];
  /**
   * Durable requests below `before` that may have all the terms, the newest first; read each before believing it.
   * Throws UnreadableEntry for one that cannot be read.
   */
  find(terms: SearchTerms, before: number): AsyncIterable<number>;
  /**
   * Durable entries below `before`, the newest first; with terms only requests that may have all of them. One that
   * cannot be read stands as such in its place.
   */
  newest(before: number, terms?: SearchTerms): AsyncIterable<Entry | UnreadableEntry>;
  /**
   * How many durable entries below `before` come before the first that was sealed at this time or later; some of them are
   * of this time or later too where a clock was set or they cannot be read, see time-span.ts.
   */
  countBefore(atMs: number, before: number): Promise<number>;
  /** Durable entries from a seq on, a block at a time; what cannot be read stands as such in its place. */
  oldest(fromSeq: number): AsyncIterable<readonly (Entry | UnreadableEntry)[]>;
  /** Durable blocks of entries from a seq on, or backwards from it. Throws UnreadableEntry. */
  blocks(range: { readonly fromSeq: number; readonly reverse: boolean }): AsyncIterable<readonly Entry[]>;
  /** Proofs and tiles over what is durable. */
  readonly tree: Pick<TreeReader, 'inclusion' | 'consistency' | 'tile'>;
  decisionId(requestSeq: number): string;
  holdId(holdSeq: number): string;
  legalHoldId(seq: number): string;
  seqOfId(kind: 'd' | 'h' | 'l', id: string): number | null;
  /** Seals `stop`, waits until all is durable, for `lastly` and for what is sealed meanwhile, and lets the store go. */
  close(reason: string, lastly?: () => Promise<void>): Promise<void>;
}
const heartbeatEveryMs = 60_000;

/**
 * Opens the ledger, begins one when the store is empty. Throws `data_dir_locked`, `ledger_damaged`,
 * `ledger_rolled_back`; then nothing was written.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const onError = (error: unknown): void => options.onEvent({ kind: 'index_failed', error });
  const keys = createLedgerKeys(options);
  const log: Reopening = createReopening({
    open: (reason) => opening.open(reason),
    onEvent: options.onEvent,
    onWritable: () => settling.flush(),
  });
  const settling = createSettling({
    isWritable: log.isWritable,
    isOpen: (decision) => log.opened().head.open.has(decision),
    seal: (draft) => log.opened().sealer.seal(draft),
  });
  const deriving = openDerived({
    openIndexStore: options.openIndexStore,
    store: () => log.opened().store,
    durable: log.durable,
    onError,
  });
  const { derived, copied } = await checkCopyBeside(deriving, options, keys);
  const { outcomeOf } = settling;
  const opening = createOpening({ ledger: options, keys, derived, copied, outcomeOf, onFailure: log.failed });
  try {
    await log.start();
  } catch (error) {
    await derived.close();
    throw error;
  }
  derived.tree.advance();
  const erasures = createErasures({ opened: log.opened, seal: log.seal, keks: keys.keks });
  const decisions = createDecisions({ opened: log.opened, ...derived, keks: keys.keks });
  return ledgerOf({ options, keys, log, settling, derived, erasures, decisions, onError });
}

interface Parts {
  readonly options: LedgerOptions;
  readonly keys: LedgerKeys;
  readonly log: Reopening;
  readonly settling: Settling;
  readonly derived: Derived;
  readonly erasures: Erasures;
  readonly decisions: Decisions;
  /** Of what is derived. */
  readonly onError: (error: unknown) => void;
}

function ledgerOf(parts: Parts): Ledger {
  const { keys, log, settling, derived, erasures, decisions } = parts;
  const { opened, seal } = log;
  const { ledgerId } = opened();
  const { subjects, tree } = derived;
  return {
    id: ledgerId,
    origin: keys.signer().origin,
    get verifierKey() {
      return keys.signer().verifierKey;
    },
    seal,
    settle: settling.settle,
    isWritable: log.isWritable,
    ...keyChangesOf(parts.options, keys, log),
    keks: keys.keks,
    durable: log.durable,
    openDecisions: () => [...opened().head.open.keys()],
    isOpen: (decision) => opened().head.open.has(decision),
    decision: (seq, missing) => log.reading(() => decisions.decision(seq, missing)),
    entry: (seq) => log.reading(() => readEntry(opened().store, seq)),
    part: (seq, name) => log.reading(() => decisions.part(seq, name)),
    erase: erasures.erase,
    sealBetweenErasures: (draft) =>
      erasures.inTurn(async () => {
        const { seq, durable } = seal(draft());
        await durable;
        return seq;
      }),
    erasureAge: erasures.age,
    reclaim: () => erasures.inTurn(() => opened().store.reclaim()),
    decisionsOf: decisions.decisionsOf,
    linesOf: decisions.linesOf,
    legalHolds: () => subjects.legalHolds(),
    retentionMarks: derived.retentionMarks,
    reviewerKeys: () => derived.reviewerKeys.all(),
    tokenGrants: () => derived.tokenGrants.all(),
    glassBroken: () => derived.oversight.glassBroken(),
    delegations: () => derived.oversight.delegations(),
    find: decisions.find,
    newest: decisions.newest,
    countBefore: (atMs, before) => countBefore(opened().store, Math.min(before, log.durable().size), atMs),
    oldest: (fromSeq) => oldestFirst(opened().store, fromSeq, log.durable().size),
    blocks: (range) => readBlocks(opened().store, range),
    tree,
    decisionId: (seq) => decisionId(ledgerId, seq),
    holdId: (seq) => holdId(ledgerId, seq),
    legalHoldId: (seq) => legalHoldId(ledgerId, seq),
    seqOfId: (kind, id) => seqOfId(kind, ledgerId, id),
    close: closingOf(parts, startHeartbeat(log)),
  };
}

/** Returns what ends it. */
function startHeartbeat(log: Reopening): () => void {
  const heartbeat = setInterval(() => {
    if (!log.isWritable()) return;
    try {
      log.opened().sealer.beat();
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
    }
  }, heartbeatEveryMs).unref();
  return () => clearInterval(heartbeat);
}

function closingOf({ log, settling, derived, erasures, onError }: Parts, stopHeartbeat: () => void) {
  return async (reason: string, lastly?: () => Promise<void>): Promise<void> => {
    stopHeartbeat();
    await log.stop();
    await erasures.idle();
    const { sealer, store } = log.opened();
    try {
      if (log.isWritable()) {
        settling.flush();
        sealer.seal({ type: 'stop', data: { reason } });
        await sealer.drain();
        await lastly?.();
        log.end();
        await sealer.drain();
      }
    } finally {
      log.end();
      settling.stop();
      // Derived, and made again from the ledger: their failure must not keep the evidence from being closed.
      await derived.close().catch(onError);
      await store.close();
    }
  };
}
