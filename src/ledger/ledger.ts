/**
 * The ledger as the rest of the house sees it: seal, settle, read. It opens or begins the log, closes what a
 * crash left open, and after a failed write stops, reopens, re-checks and recovers by the same code.
 */
import type { KeyObject } from 'node:crypto';
import type { Clock, RandomBytes } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from './canonical.ts';
import { type Signer, type SigningKey, signerOf } from './checkpoint.ts';
import type { Durability, Entry, Outcome } from './entry.ts';
import { destroy, erases, erasureIsAbout, finishErasures, targetsOf } from './erasure.ts';
import { emptyHead, outcomesOf } from './head.ts';
import { decisionId, holdId, legalHoldId, seqOfId } from './ids.ts';
import { epochDraft, escrowDraft, retirementDraft, revocationDraft } from './key-drafts.ts';
import { type Lookup, openLookup } from './lookup.ts';
import { countBefore, readBlocks, readEntry, readPart } from './reader.ts';
import { type Resumed, resume, rolledBack } from './resume.ts';
import { type KeyOrder, proveRotation, rotationData } from './rotation.ts';
import { type Draft, type Sealed, type Sealer, startSealer } from './sealer.ts';
import { openSearchIndex, type SearchIndex, type SearchTerms } from './search.ts';
import type { HighWater, LedgerStore, OpenStore, RecordStore } from './store.ts';
import { type LegalHold, openSubjects, type Subjects } from './subjects.ts';
import { emptyTree } from './tree.ts';
import { openTreeReader, type TreeReader } from './tree-reader.ts';
import type { KeyEncryptionKey } from './vault.ts';

export interface LedgerOptions {
  readonly openStore: OpenStore;
  /**
   * A copy of the store as it lies there; null when there is none yet. Checked before the store itself is
   * opened, because opening repairs: what a refused start leaves behind is then exactly what it found.
   */
  readonly openCopy?: () => Promise<RecordStore | null>;
  /** Where the directory was made from a backup and nothing was sealed in it since: that is sealed first. */
  readonly restored?: Restored | null;
  readonly openIndexStore: OpenStore<RecordStore>;
  readonly highWater: HighWater;
  readonly signingKey: KeyObject | SigningKey;
  /** Further keys that the ledger may ask for: the one before a rotation or after it, as a crash left them. */
  readonly otherSigningKeys?: readonly (KeyObject | SigningKey)[];
  /** Rotate to this one once the ledger is open, unless it is under it already. */
  readonly nextSigningKey?: KeyObject | SigningKey;
  readonly kek: KeyEncryptionKey;
  /** Of earlier epochs: their bodies stay readable. */
  readonly retiredKeks?: readonly KeyEncryptionKey[];
  /** 32 bytes, the X25519 key that key-encryption keys are boxed to; absent where nobody holds one. */
  readonly escrow?: Buffer;
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
  | { readonly kind: 'index_failed'; readonly error: unknown }
  /** What was sealed is not destroyed yet; it is tried again before the next erasure and at the next start. */
  | { readonly kind: 'erasure_failed'; readonly error: unknown };

export interface Ledger {
  readonly id: string;
  readonly origin: string;
  /** Of the key that seals now. */
  readonly verifierKey: string;
  /** See Sealer.seal. */
  seal(draft: Draft): Sealed;
  /** Records how a decision ended; sealed within `settleWithinMs`, many in one entry. */
  settle(decision: number, outcome: Outcome): void;
  isWritable(): boolean;
  /**
   * Seals the change to another signing key; resolves once the boundary is durable. When it rejects with
   * `ledger_unavailable` the boundary may or may not be: both keys must be kept until the ledger is open again.
   */
  rotateSigningKey(key: KeyObject | SigningKey, order: KeyOrder): Promise<void>;
  /** Seals the beginning of an epoch; bodies are wrapped under its key once that is durable. */
  beginEpoch(kek: KeyEncryptionKey, order: KeyOrder): Promise<void>;
  /**
   * Forgets the key of an earlier epoch, its bodies wrapped anew under the one in use, and seals that. Rejects with
   * `invalid_argument` when bodies are wrapped under it and the store cannot rewrite them; then nothing changed.
   */
  retireKek(id: string, order: KeyOrder): Promise<void>;
  /**
   * Seals that a former key is trusted no further than `size` entries. Rejects with `invalid_argument` when no former
   * key has this key hash, or it signed fewer.
   */
  revokeKey(kid: string, size: number, order: KeyOrder): Promise<void>;
  /** The key-encryption keys there are, the one in use first. */
  keks(): readonly KeyEncryptionKey[];
  durable(): { readonly size: number; readonly note: Buffer };
  /** Request seqs of the decisions that have no outcome yet. */
  openDecisions(): readonly number[];
  isOpen(decision: number): boolean;
  /** Every durable entry of a decision, its request first. Throws `not_found`. */
  decision(requestSeq: number): Promise<readonly Entry[]>;
  entry(seq: number): Promise<Entry>;
  /** The plaintext of a body. Throws `not_found`, `erased` with who erased it and when, `ledger_damaged`. */
  part(seq: number, name: string): Promise<Buffer>;
  /**
   * Seals an `erasure` entry and, once it is durable, destroys what it names, one entry at a time. When it resolves,
   * neither ciphertext nor keys are in the ledger's files. Throws as `seal` does, and then nothing was destroyed; any
   * other error means that the entry is sealed and is carried out before the next one or at the next start.
   * @param isStillDue asked in one step with the sealing; false seals nothing and gives null
   */
  erase(
    draft: Draft,
    isStillDue: () => boolean,
  ): Promise<{ readonly seq: number; readonly bytesWiped: number } | null>;
  /** Seals a legal hold or its end between two erasures; resolves with its seq once it is durable. */
  sealBetweenErasures(draft: Draft): Promise<number>;
  /** Seq of the erasure carried out last since the start, -1 before: what was read earlier may be erased. */
  lastErasure(): number;
  /** Gives back disk space that erasures emptied; returns how many bytes. */
  reclaim(): Promise<number>;
  /** Request seqs of the decisions of a subject by its fingerprint, ascending. */
  decisionsOf(subject: string): Promise<readonly number[]>;
  /** Request seqs of the lines that a decision carried. */
  linesOf(decision: number): Promise<readonly number[]>;
  legalHolds(): readonly LegalHold[];
  /** Request seqs below `before` that may have all the terms, the newest first; read each before believing it. */
  find(terms: SearchTerms, before: number): AsyncIterable<number>;
  /** How many durable entries come before the first that was sealed at this time or later; a clock that stepped back blurs it. */
  countBefore(atMs: number): Promise<number>;
  /** Durable blocks of entries from a seq on, or backwards from it. */
  blocks(range: { readonly fromSeq: number; readonly reverse: boolean }): AsyncIterable<readonly Entry[]>;
  /** Proofs and tiles over what is durable. */
  readonly tree: Pick<TreeReader, 'inclusion' | 'consistency' | 'tile'>;
  decisionId(requestSeq: number): string;
  holdId(holdSeq: number): string;
  legalHoldId(seq: number): string;
  seqOfId(kind: 'd' | 'h' | 'l', id: string): number | null;
  /** Seals `stop`, waits until all is durable, then for `lastly`, and lets the store go. */
  close(reason: string, lastly?: () => Promise<void>): Promise<void>;
}

const nothingDurable = { size: 0, note: Buffer.alloc(0) };
const rotationAttemptsMax = 64;
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
  const indexStore = await options.openIndexStore();
  const onIndexError = (error: unknown): void => options.onEvent({ kind: 'index_failed', error });
  const lookup = await openLookup(indexStore, onIndexError);
  const search = await openSearchIndex(indexStore, onIndexError);
  const subjects = await openSubjects(indexStore, onIndexError);
  /** Erasures, one after the other. */
  let erasing: Promise<unknown> = Promise.resolve();
  let lastErasure = -1;
  /** Outcomes that are not known to be on disk: first those to seal, then those on their way. */
  const unsettled = new Map<number, Outcome>();
  const settling = new Map<number, Outcome>();
  let settleTimer: NodeJS.Timeout | null = null;
  let reopenTimer: NodeJS.Timeout | null = null;
  let reopening: Promise<void> = Promise.resolve();
  let reopenWaitMs = reopenAfterMs;
  let writable = false;
  let closing = false;
  /** One rotation at a time. */
  let rotating: Promise<void> = Promise.resolve();
  let signer: Signer = signerOf('holdpoint/', options.signingKey);
  const signingKeys = [options.signingKey, ...(options.otherSigningKeys ?? [])];
  let keks: readonly KeyEncryptionKey[] = [options.kek, ...(options.retiredKeks ?? [])];
  if (options.nextSigningKey !== undefined) signingKeys.push(options.nextSigningKey);
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
    await closeIndex();
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

  async function resumeFrom(store: RecordStore): Promise<Resumed | null> {
    const resumed = await resume(store, options.highWater, signerFor, options.tailBytesMin, keks);
    requireKek(resumed?.kekId ?? null, keks);
    return resumed;
  }

  /** The one the ledger asks for by its key hash; the configured one when none is. */
  function signerFor(id: string, kid = ''): Signer {
    const origin = `holdpoint/${id}`;
    const signers = signingKeys.map((key) => signerOf(origin, key));
    return signers.find((candidate) => candidate.kid === kid) ?? signerOf(origin, options.signingKey);
  }

  /**
   * The statement names the seq it is for. Entries may be sealed while it is being signed, so that it is made anew
   * then; where nothing else is sealed, as at start, the first one fits.
   */
  async function changeKey(
    sealer: Sealer,
    head: Opened['head'],
    next: Signer,
    order: KeyOrder,
  ): Promise<void> {
    if (next.kid === signer.kid)
      throw new HoldpointError('invalid_argument', `The ledger is under the key ${next.kid} already.`);
    for (let attempt = 0; attempt < rotationAttemptsMax; attempt++) {
      const seq = head.nextSeq;
      const proof = await proveRotation(signer, next, ledgerId, seq);
      if (head.nextSeq !== seq) continue;
      const { durable } = sealer.changeKey(next, rotationData(next, proof, order));
      await durable;
      return;
    }
    throw new HoldpointError(
      'overloaded',
      'The signing key answers too slowly to rotate while calls are sealed.',
      'Configure keys.nextSigning and start again: the rotation is sealed before calls are taken.',
    );
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
    signer = signerFor(ledgerId, resumed?.kid);
    const head = resumed?.head ?? emptyHead();
    const sealer = startSealer({
      ledgerId,
      boot,
      signer,
      store,
      head,
      durability: options.durability,
      kek: kekInUse(),
      clock: options.clock,
      highWater: options.highWater,
      tree: resumed?.tree ?? emptyTree,
      note: resumed?.note ?? Buffer.alloc(0),
      onDurable: (steps, hashes) => {
        for (const one of [lookup, subjects, search]) one.add(steps);
        tree.advance(steps[0]?.seq, hashes);
      },
      onFailure: (error) => {
        // While it is being opened, whoever opens it hears of the failure from `drain`.
        if (opened?.sealer === sealer) onFailure(error);
      },
    });
    await catchUp(store, [lookup, subjects, search], head.nextSeq);
    if (resumed === null) {
      sealer.seal({
        type: 'genesis',
        data: { key: signer.verifierKey, origin: signer.origin, product: options.product },
      });
    }
    const isRestored = reason === 'start' && resumed !== null && options.restored?.size === head.nextSeq;
    if (isRestored) sealRestore(sealer, options.restored);
    // Before any body is wrapped under them, and at each start: which keys and whose escrow may both have changed.
    if (reason === 'start' && options.escrow !== undefined) {
      sealer.seal(escrowDraft(keks, options.escrow));
    }
    const closed = await recover(store, sealer, head, isRestored ? 'restore' : reason);
    if (reason === 'start') sealer.seal({ type: 'start', data: options.startData });
    await rotateAtStart(sealer, head);
    // The key was replaced, and a crash or a restart stood between that and its first body.
    if (resumed !== null && resumed.kekId !== null && resumed.kekId !== kekInUse().id)
      sealer.seal(epochDraft(kekInUse(), { by: 'holdpoint', reason: 'start' }, options.escrow));
    await sealer.drain();
    await finishErasures(store, keks, ledgerId).catch(onErasureError);
    return { store, sealer, head, entriesChecked: resumed?.entriesChecked ?? 0, closed };
  }

  /** What the configuration, or a rotation that a crash cut short, asks for. */
  async function rotateAtStart(sealer: Sealer, head: Opened['head']): Promise<void> {
    if (options.nextSigningKey === undefined) return;
    const next = signerOf(signer.origin, options.nextSigningKey);
    if (next.kid === signer.kid) return;
    await changeKey(sealer, head, next, { by: 'holdpoint', reason: 'keys.nextSigning' });
    signer = next;
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

  function kekInUse(): KeyEncryptionKey {
    return keks[0] ?? options.kek;
  }

  async function beginEpoch(next: KeyEncryptionKey, order: KeyOrder): Promise<void> {
    await sealNow(epochDraft(next, order, options.escrow));
    keks = [next, ...keks.filter(({ id }) => id !== next.id)];
    opened.sealer.useKek(next);
  }

  async function retireKek(id: string, order: KeyOrder): Promise<void> {
    await sealNow(await retirementDraft(opened.store, ledgerId, keks, id, order));
    keks = keks.filter((kek) => kek.id !== id);
  }

  async function sealNow(draft: Draft): Promise<void> {
    if (!writable) throw notWritable();
    await opened.sealer.seal(draft).durable;
  }

  async function rotateTo(key: KeyObject | SigningKey, order: KeyOrder): Promise<void> {
    if (!writable) throw notWritable();
    const { sealer, head } = opened;
    const next = signerOf(signer.origin, key);
    // Known before it is used: should the commit fail, what is reopened may ask for either.
    if (next.kid !== signer.kid) signingKeys.push(key);
    await changeKey(sealer, head, next, order);
    signer = next;
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

  function onErasureError(error: unknown): void {
    options.onEvent({ kind: 'erasure_failed', error });
  }

  async function closeIndex(): Promise<void> {
    try {
      await Promise.all([subjects.flush(), search.flush()]);
    } finally {
      await lookup.close();
    }
  }

  function seal(draft: Draft): Sealed {
    if (!writable) {
      throw new HoldpointError(
        'ledger_unavailable',
        'The ledger cannot be written, so nothing is sent or delivered.',
        'Holdpoint retries by itself; check disk space and the log, then retry the call.',
      );
    }
    return opened.sealer.seal(draft);
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = erasing.then(work);
    erasing = done.catch(() => undefined);
    return done;
  }

  async function erase(
    draft: Draft,
    isStillDue: () => boolean,
  ): Promise<{ seq: number; bytesWiped: number } | null> {
    const { store, sealer } = opened;
    await finishErasures(store, keks, ledgerId);
    // Before the entry: a crash after it is durable must find it.
    await store.writeUnfinishedFrom(sealer.durable().size);
    if (!isStillDue()) return null;
    requireClosed(targetsOf(draft));
    const { seq, durable } = seal(draft);
    await durable;
    const bytesWiped = await destroy(store, keks, ledgerId, targetsOf(draft));
    await store.writeUnfinishedFrom(null);
    lastErasure = seq;
    return { seq, bytesWiped };
  }

  /** In one step with the sealing, so that no decision opens or closes in between. */
  function requireClosed(targets: readonly (readonly [number, number])[]): void {
    const open = targets.find(([seq]) => opened.head.open.has(seq));
    if (open === undefined) return;
    throw new HoldpointError(
      'erasure_under_way',
      `Decision ${decisionId(ledgerId, open[0])} has no outcome yet.`,
      'Erase it once it ended.',
    );
  }

  /** A body that is not stored was erased, or the ledger is damaged: only a sealed entry tells which. */
  async function part(seq: number, name: string): Promise<Buffer> {
    const { store } = opened;
    try {
      return await readPart(store, keks, seq, name);
    } catch (error) {
      if (!(error instanceof HoldpointError) || error.code !== 'ledger_damaged') throw error;
      const entry = await readEntry(store, seq);
      const erased = await erasureOf(
        seq,
        entry.parts.findIndex((candidate) => candidate.name === name),
      );
      if (erased === undefined) throw error;
      throw new HoldpointError(
        'erased',
        `The ${name} body of entry ${seq} was erased on ${erased.at} by ${String(erased.data['by'])}.`,
        `Entry ${erased.seq} says on what basis.`,
      );
    }
  }

  async function erasureOf(seq: number, partIndex: number): Promise<Entry | undefined> {
    const { size } = opened.sealer.durable();
    for (const about of await lookup.entriesOf(seq)) {
      if (about >= size) continue;
      const entry = await readEntry(opened.store, about);
      if (erases(entry, seq, partIndex)) return entry;
    }
    return undefined;
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
    get verifierKey() {
      return signer.verifierKey;
    },
    seal,
    erase: (draft, isStillDue) => inTurn(() => erase(draft, isStillDue)),
    lastErasure: () => lastErasure,
    sealBetweenErasures: (draft) =>
      inTurn(async () => {
        const { seq, durable } = seal(draft);
        await durable;
        return seq;
      }),
    reclaim: () => inTurn(() => opened.store.reclaim()),
    decisionsOf: (subject) => subjects.decisionsOf(subject),
    linesOf: (decision) => subjects.linesOf(decision),
    legalHolds: () => subjects.legalHolds(),
    find: (terms, before) => search.find(terms, before),
    countBefore: (atMs) => countBefore(opened.store, opened.sealer.durable().size, atMs),
    settle: (decision, outcome) => {
      // The first one stands.
      if (unsettled.has(decision)) return;
      unsettled.set(decision, outcome);
      if (unsettled.size >= settlePerEntryMax) flushSettled();
      else settleTimer ??= setTimeout(flushSettled, settleWithinMs);
    },
    isWritable: () => writable,
    rotateSigningKey: (key, order) => {
      const rotated = rotating.then(() => rotateTo(key, order));
      rotating = rotated.catch(() => undefined);
      return rotated;
    },
    beginEpoch,
    retireKek,
    revokeKey: async (kid, size, order) => sealNow(await revocationDraft(opened.store, kid, size, order)),
    keks: () => keks,
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
    part,
    blocks: (range) => readBlocks(opened.store, range),
    tree,
    decisionId: (seq) => decisionId(ledgerId, seq),
    holdId: (seq) => holdId(ledgerId, seq),
    legalHoldId: (seq) => legalHoldId(ledgerId, seq),
    seqOfId: (kind, id) => seqOfId(kind, ledgerId, id),
    close: async (reason, lastly) => {
      closing = true;
      clearInterval(heartbeat);
      if (reopenTimer !== null) clearTimeout(reopenTimer);
      await reopening;
      await erasing;
      try {
        if (writable) {
          flushSettled();
          opened.sealer.seal({ type: 'stop', data: { reason } });
          await opened.sealer.drain();
          await lastly?.();
        }
      } finally {
        writable = false;
        if (settleTimer !== null) clearTimeout(settleTimer);
        // Derived, and made again from the ledger: their failure must not keep the evidence from being closed.
        await tree.close().catch(onIndexError);
        await closeIndex().catch(onIndexError);
        await opened.store.close();
      }
    },
  };
}

function notWritable(): HoldpointError {
  return new HoldpointError(
    'ledger_unavailable',
    'The ledger cannot be written, so nothing is sent or delivered.',
    'Holdpoint retries by itself; check disk space and the log, then retry the call.',
  );
}

/** Bodies sealed under another key could not be read any more: that is noticed before anything is sealed. */
function requireKek(kekId: string | null, keks: readonly KeyEncryptionKey[]): void {
  if (kekId === null || keks.some(({ id }) => id === kekId)) return;
  throw new HoldpointError(
    'config_invalid',
    `The ledger's bodies are encrypted under the key ${kekId}, but kek.key is ${keks[0]?.id}.`,
    `Restore the kek.key that this ledger was last sealed with to keys.dir, or that one as kek-${kekId}.key.`,
  );
}

function isAbout(entry: Entry, decision: number): boolean {
  return (
    entry.data['decision'] === decision ||
    outcomesOf(entry.data).some(([closed]) => closed === decision) ||
    erasureIsAbout(entry).includes(decision)
  );
}

/** What is kept beside the ledger and can be made from it again. */
type Derived = Pick<Lookup | Subjects | SearchIndex, 'add' | 'nextSeq' | 'forget'>;

/** Feeds what is derived with what the ledger sealed and it did not see, such as after a crash. */
async function catchUp(store: RecordStore, derived: readonly Derived[], size: number): Promise<void> {
  // It knows more than was sealed: it belongs to entries that are gone, so it is made anew.
  for (const one of derived) if (one.nextSeq() > size) one.forget();
  const from = Math.min(...derived.map((one) => one.nextSeq()));
  if (from >= size) return;
  for await (const entries of readBlocks(store, { fromSeq: from, reverse: false }))
    for (const one of derived) one.add(entries.filter((entry) => entry.seq >= one.nextSeq()));
}
