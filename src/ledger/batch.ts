/** What one commit seals: the entries that queued for it, until they are the records of a block. Owned by the sealer. */
import { encodeBlock, encodeBodies, recordKey } from './block.ts';
import type { Signer } from './checkpoint.ts';
import type { Step } from './head.ts';
import type { StoredRecord } from './store.ts';
import type { TreeState } from './tree.ts';
import { type KeyEncryptionKey, type SealedPart, wrapBodies } from './vault.ts';

export interface Batch {
  readonly firstSeq: number;
  readonly leaves: Buffer[];
  readonly hashes: Buffer[];
  readonly steps: Step[];
  readonly parts: SealedPart[];
  readonly durable: PromiseWithResolvers<void>;
  /** Two in the block of a rotation. */
  signers: readonly [Signer, ...Signer[]];
  snapshot: Buffer | null;
  bytes: number;
  tree: TreeState;
}

/** An empty one that begins at `firstSeq`. */
export function beginBatch(firstSeq: number, signer: Signer, tree: TreeState): Batch {
  const durable = Promise.withResolvers<void>();
  // Callers await it; a batch nobody awaits must not end the process when it fails: onFailure reports it.
  durable.promise.catch(() => undefined);
  return {
    firstSeq,
    leaves: [],
    hashes: [],
    steps: [],
    parts: [],
    durable,
    signers: [signer],
    snapshot: null,
    bytes: 0,
    tree,
  };
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
