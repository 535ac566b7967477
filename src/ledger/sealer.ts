/**
 * The sole writer. Entries are numbered and checked when they are handed in; whatever queued while one commit was in
 * flight is the next, and is encrypted and chained then: one signature, one atomic batch, one fsync for all. Where the
 * signature comes from far away, entries gather meanwhile: batches grow, and no call waits for another's signature.
 * Must not import the proxy or a store; time, keys and the store are handed in.
 */
import type { Clock } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import { type Batch, beginBatch, type Commitments, chainEntries, recordsOf, sealParts } from './batch.ts';
import type { JsonObject } from './canonical.ts';
import { type Signer, signCheckpointBy } from './checkpoint.ts';
import { type Durability, draftLeaf, type EntryType, type PartCommitment } from './entry.ts';
import { advance, encodeSnapshot, type Head, type Step } from './head.ts';
import type { HighWater, LedgerStore } from './store.ts';
import { type TreeState, treeRoot } from './tree.ts';
import { utc } from './utc.ts';
import { ciphertextBytes, type KeyEncryptionKey, type PartContent, sizeOf } from './vault.ts';

/** What to seal. `decision` in `data` ties the entry to an open decision. */
export interface Draft {
  readonly type: EntryType;
  readonly data: JsonObject;
  readonly refs?: readonly number[];
  readonly parts?: readonly PartContent[];
}

export interface Sealed {
  readonly seq: number;
  /** What the leaf says of its parts: there once it is durable. Throws while it waits for its commit. */
  parts(): readonly PartCommitment[];
  /**
   * Resolves when the entry is on disk (strict: after fsync; relaxed: handed to the store). Rejects with
   * `ledger_unavailable` when it is not known to be: then nothing that depends on it may happen.
   */
  readonly durable: Promise<void>;
}

export interface SealerOptions {
  readonly ledgerId: string;
  readonly boot: string;
  readonly durability: Durability;
  readonly signer: Signer;
  readonly kek: KeyEncryptionKey;
  readonly clock: Clock;
  readonly highWater: HighWater;
  readonly store: LedgerStore;
  readonly head: Head;
  readonly tree: TreeState;
  /** The checkpoint over `tree`; empty before genesis. */
  readonly note: Buffer;
  /** Called after each commit with what is durable now, and its leaf hashes. */
  readonly onDurable: (steps: readonly Step[], hashes: readonly Buffer[]) => void;
  /** Called once, when a commit failed; the sealer accepts nothing afterwards. */
  readonly onFailure: (error: unknown) => void;
}

export interface Sealer {
  /** Numbers and queues an entry, whose contents nobody may change any more. Throws `ledger_unavailable` or `overloaded`; then nothing was queued. */
  seal(draft: Draft): Sealed;
  /** Seals a heartbeat with a snapshot; throws as `seal` does. */
  beat(): void;
  /**
   * Seals the rotation to `next` as the last entry of its block, whose checkpoint both keys sign; what is sealed
   * after it is under `next`. `data` proves it for the seq that comes next. Throws as `seal` does.
   */
  changeKey(next: Signer, data: JsonObject): Sealed;
  /** Bodies of the commits that begin from now on are wrapped under this one. */
  useKek(next: KeyEncryptionKey): void;
  /** Resolves when everything queued so far is durable. */
  drain(): Promise<void>;
  /** Entries on disk and the checkpoint over them. */
  durable(): { readonly size: number; readonly note: Buffer };
}

export const bounds = {
  commitEntriesMax: 1024,
  /** How long a batch may grow while the event loop is busy: rounds of it, and microseconds. */
  gatherRoundsMax: 64,
  gatherUsMax: 2_000,
  /** A round of the event loop that took less did no work. */
  idleRoundUsMax: 50,
  commitBytesMax: 16 * 1024 * 1024,
  /** Contents of an entry that wait for their commit in the clear: encrypting more together saves nothing. */
  waitingBytesMax: 64 * 1024,
  queuedBytesMax: 256 * 1024 * 1024,
  snapshotEveryEntries: 1024,
  snapshotEveryBytes: 8 * 1024 * 1024,
};

/** Starts a sealer at the given head. `signer.origin` belongs to `ledgerId`. */
export function startSealer(options: SealerOptions): Sealer {
  const { head, store, clock, durability, boot, ledgerId: ledger } = options;
  const ledgerIdBytes = Buffer.from(ledger, 'hex');
  const ready: Batch[] = [];
  let { kek, signer, tree } = options;
  let current = newBatch();
  let committing = false;
  let running = Promise.resolve();
  let failed = false;
  /** The commit before had more than one entry: then the next may find company too. */
  let isShared = true;
  let queuedBytes = 0;
  let sinceSnapshot = { entries: 0, bytes: 0 };
  let durable: { size: number; note: Buffer } = { size: tree.size, note: options.note };

  function newBatch(): Batch {
    return beginBatch(head.nextSeq, signer);
  }

  function seal(draft: Draft): Sealed {
    if (failed) throw unavailable();
    if (queuedBytes > bounds.queuedBytesMax) {
      throw new HoldpointError(
        'overloaded',
        'The ledger cannot keep up: too much waits to be sealed.',
        'Slow down and retry.',
      );
    }
    const decision = draft.data['decision'];
    if (typeof decision === 'number' && draft.type !== 'access' && !head.open.has(decision)) {
      throw new HoldpointError(
        'ledger_unavailable',
        'This decision was closed while the ledger was being recovered.',
        'Retry the call.',
      );
    }
    if (
      sinceSnapshot.entries >= bounds.snapshotEveryEntries ||
      sinceSnapshot.bytes >= bounds.snapshotEveryBytes
    )
      takeSnapshot();
    return append(draft);
  }

  function append({ type, data, refs = [], parts: contents = [] }: Draft): Sealed {
    const seq = head.nextSeq;
    const at = utc(clock.nowMs());
    const mono = clock.monoUs();
    const kid = signer.kid;
    const sizes = contents.map((part) => ({ name: part.name, size: sizeOf(part) }));
    const leaf = draftLeaf({ at, boot, data, durability, kid, ledger, mono, refs, seq, type, v: 1 }, sizes);
    let bytes = leaf.bytes;
    let plainBytes = 0;
    for (const { size } of sizes) {
      bytes += ciphertextBytes(size);
      plainBytes += size;
    }
    const sealed = plainBytes > bounds.waitingBytesMax ? sealParts(ledgerIdBytes, seq, contents) : null;
    const step = { seq, type, data };
    advance(head, step);
    const batch = current;
    const commitments: Commitments = { parts: null };
    batch.steps.push(step);
    batch.queued.push({ seq, leaf, bytes, contents: sealed === null ? contents : [], sealed, commitments });
    batch.bytes += bytes;
    queuedBytes += bytes;
    sinceSnapshot.entries += 1;
    sinceSnapshot.bytes += bytes;
    if (batch.steps.length >= bounds.commitEntriesMax || batch.bytes >= bounds.commitBytesMax) rotate();
    schedule();
    return { seq, parts: () => partsOf(commitments), durable: batch.durable.promise };
  }

  /** The tree with the batch, whose entries are chained at the latest now; those before it are. */
  function chained(batch: Batch): TreeState {
    if (batch.tree !== null) return batch.tree;
    tree = chainEntries(batch, head, tree, ledgerIdBytes);
    return tree;
  }

  /** A heartbeat that starts a block of its own and vouches for the state before it. */
  function takeSnapshot(): void {
    rotate();
    ready.forEach(chained);
    const batch = current;
    const snapshot = encodeSnapshot(head, tree.frontier);
    append({ type: 'heartbeat', data: { open: head.open.size, snapshot: snapshot.digest } });
    // Only with its heartbeat: one that nothing names is damage to whoever verifies.
    batch.snapshot = snapshot.bytes;
    sinceSnapshot = { entries: 0, bytes: 0 };
  }

  function changeKey(next: Signer, data: JsonObject): Sealed {
    const batch = current;
    batch.signers = [signer, next];
    try {
      return append({ type: 'key', data });
    } catch (error) {
      batch.signers = [signer];
      throw error;
    } finally {
      if (batch.signers.length > 1) {
        signer = next;
        rotate();
      }
    }
  }

  function rotate(): void {
    if (current.steps.length > 0) ready.push(current);
    else current.durable.resolve();
    current = newBatch();
  }

  function schedule(): void {
    if (committing) return;
    committing = true;
    running = run();
  }

  async function run(): Promise<void> {
    while (!failed) {
      // A call that is alone waits for nobody, and at least for what it seals in the same breath.
      if (isShared) await gather();
      else await Promise.resolve();
      if (ready.length === 0) rotate();
      const batch = ready.shift();
      if (batch === undefined) break;
      isShared = batch.steps.length > 1;
      try {
        await commit(batch);
      } catch (error) {
        fail(batch, error);
      }
    }
    committing = false;
  }

  /**
   * Lets the batch grow while the event loop is busy: a signature and a write to the disk cost the same for one
   * entry as for fifty, and calls that are being worked on are about to bring more. A round that did nothing ends
   * it, so an idle sidecar waits for nobody.
   */
  async function gather(): Promise<void> {
    const startedUs = clock.monoUs();
    let roundUs = startedUs;
    for (let round = 0; round < bounds.gatherRoundsMax; round++) {
      if (ready.length > 0) return;
      const entries = current.steps.length;
      await new Promise<void>((resolve) => setImmediate(resolve));
      const nowUs = clock.monoUs();
      const idle = entries === current.steps.length && nowUs - roundUs < bounds.idleRoundUsMax;
      if (idle || nowUs - startedUs > bounds.gatherUsMax) return;
      roundUs = nowUs;
    }
  }

  async function commit(batch: Batch): Promise<void> {
    const grown = chained(batch);
    const root = treeRoot(grown);
    const note = await signCheckpointBy(batch.signers, grown.size, root);
    await store.commit(recordsOf(batch, note, kek, ledgerIdBytes), durability === 'strict');
    // Durable from this line on.
    options.highWater.write(grown.size, root);
    durable = { size: grown.size, note };
    queuedBytes -= batch.bytes;
    batch.durable.resolve();
    options.onDurable(batch.steps, batch.hashes);
  }

  function fail(batch: Batch, error: unknown): void {
    failed = true;
    for (const waiting of [batch, ...ready.splice(0), current]) waiting.durable.reject(unavailable(error));
    options.onFailure(error);
  }

  return {
    seal,
    beat: () => {
      if (failed) throw unavailable();
      takeSnapshot();
    },
    changeKey: (next, data) => {
      if (failed) throw unavailable();
      return changeKey(next, data);
    },
    useKek: (next) => {
      kek = next;
    },
    drain: async () => {
      while (committing) await running;
      if (failed) throw unavailable();
    },
    durable: () => durable,
  };
}

function partsOf({ parts }: Commitments): readonly PartCommitment[] {
  if (parts === null) throw new Error('The commitments of an entry are there once it is durable.');
  return parts;
}

function unavailable(cause?: unknown): HoldpointError {
  return new HoldpointError(
    'ledger_unavailable',
    'The ledger cannot be written, so nothing is sent or delivered.',
    'Holdpoint retries by itself; check disk space and the log, then retry the call.',
    cause,
  );
}
