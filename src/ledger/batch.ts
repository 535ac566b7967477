/** What one commit seals: the entries that queued for it, until they are the records of a block. Owned by the sealer. */
import { encodeBlock, encodeBodies, lengthOf, recordKey } from './block.ts';
import type { Signer } from './checkpoint.ts';
import { closeLeaf, type LeafDraft, type PartCommitment } from './entry.ts';
import type { Head, Step } from './head.ts';
import type { StoredRecord } from './store.ts';
import { appendLeaf, leafHash, type TreeState } from './tree.ts';
import { type KeyEncryptionKey, type PartContent, type SealedPart, sealPart, wrapBodies } from './vault.ts';

/** The commitments of an entry's parts; null until they are made. Whoever waits for the entry keeps no more of it than this. */
export interface Commitments {
  parts: readonly PartCommitment[] | null;
}

/** An entry that has its number and its place, and is encrypted, chained and hashed when its commit begins. */
export interface QueuedEntry {
  readonly seq: number;
  readonly leaf: LeafDraft;
  /** Of the leaf and the ciphertexts. */
  readonly bytes: number;
  readonly contents: readonly PartContent[];
  /** What was encrypted at once, being large; null for what waits. */
  readonly sealed: readonly SealedPart[] | null;
  readonly commitments: Commitments;
}

export interface Batch {
  readonly firstSeq: number;
  readonly steps: Step[];
  /** Those that are not chained yet; none once they are, and then the four after it say what is to be stored. */
  queued: QueuedEntry[];
  leaves: readonly Buffer[];
  hashes: readonly Buffer[];
  parts: readonly SealedPart[];
  tree: TreeState | null;
  /** Resolves when all of it is durable. */
  readonly durable: PromiseWithResolvers<void>;
  /** Two in the block of a rotation. */
  signers: readonly [Signer, ...Signer[]];
  snapshot: Buffer | null;
  /** Of its leaves and its parts' ciphertexts. */
  bytes: number;
}

/** An empty one that begins at `firstSeq`. */
export function beginBatch(firstSeq: number, signer: Signer): Batch {
  const durable = Promise.withResolvers<void>();
  // Callers await it; a batch nobody awaits must not end the process when it fails: onFailure reports it.
  durable.promise.catch(() => undefined);
  return {
    firstSeq,
    steps: [],
    queued: [],
    leaves: [],
    hashes: [],
    parts: [],
    tree: null,
    durable,
    signers: [signer],
    snapshot: null,
    bytes: 0,
  };
}

/** The parts of one entry, encrypted. */
export function sealParts(ledgerId: Buffer, seq: number, contents: readonly PartContent[]): SealedPart[] {
  return contents.map((part, index) => sealPart(ledgerId, seq, index, part));
}

/**
 * Encrypts, chains and hashes what queued, and returns the tree with it. All of it or, where it throws, nothing. One
 * step for all entries before the next step: what a step works with stays in the processor's caches, and an entry
 * takes half the time that it takes alone.
 */
export function chainEntries(batch: Batch, head: Head, tree: TreeState, ledgerId: Buffer): TreeState {
  const encrypted = batch.queued.map((entry) => {
    const parts = entry.sealed ?? sealParts(ledgerId, entry.seq, entry.contents);
    return { entry, parts, commitments: parts.map((part) => part.commitment) };
  });
  const leaves: Buffer[] = [];
  const hashes: Buffer[] = [];
  let { prev } = head;
  let grown = tree;
  for (const { entry, parts, commitments } of encrypted) {
    const leaf = closeLeaf(entry.leaf, commitments, prev);
    // It was taken for as long as it was then.
    const bytes = parts.reduce((sum, { item }) => sum + lengthOf(item.ciphertext), leaf.length);
    if (bytes !== entry.bytes) throw new Error(`Entry ${entry.seq} was changed while it waited.`);
    const hash = leafHash(leaf);
    prev = hash.toString('hex');
    grown = appendLeaf(grown, hash);
    leaves.push(leaf);
    hashes.push(hash);
  }
  for (const { entry, commitments } of encrypted) entry.commitments.parts = commitments;
  head.prev = prev;
  batch.queued = [];
  batch.leaves = leaves;
  batch.hashes = hashes;
  batch.parts = encrypted.flatMap(({ parts }) => parts);
  batch.tree = grown;
  return grown;
}

/** Its block, its bodies wrapped under `kek`, and the snapshot of its heartbeat. */
export function recordsOf(
  { firstSeq, leaves, parts, snapshot }: Batch,
  note: Buffer,
  kek: KeyEncryptionKey,
  ledgerId: Buffer,
): StoredRecord[] {
  const records: StoredRecord[] = [{ key: recordKey(firstSeq, 'block'), value: encodeBlock(leaves, note) }];
  if (parts.length > 0) {
    const bodies = wrapBodies(kek, ledgerId, firstSeq, parts);
    records.push({ key: recordKey(firstSeq, 'bodies'), value: encodeBodies(bodies) });
  }
  if (snapshot !== null) records.push({ key: recordKey(firstSeq, 'snapshot'), value: snapshot });
  return records;
}
