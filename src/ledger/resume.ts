/**
 * Start-up and reopening: re-checks a bounded tail of the store against the last signed checkpoint and
 * returns the state to continue from. LevelDB opens without a word after losing records to a flipped bit,
 * so density, hashes, bodies, the signature and the high-water mark are all checked here.
 */
import { createHash } from 'node:crypto';
import { sha256Hex } from '../core/bytes.ts';
import { HoldpointError } from '../core/errors.ts';
import {
  type BodyItem,
  decodeBlock,
  decodeBodies,
  parseRecordKey,
  type RecordKind,
  recordKey,
} from './block.ts';
import { isCheckpointOf, type Signer } from './checkpoint.ts';
import { type Entry, type PartCommitment, readLeaf } from './entry.ts';
import { targetsOf } from './erasure.ts';
import { advance, decodeSnapshot, emptyHead, type Head } from './head.ts';
import { incomingKid } from './rotation.ts';
import type { HighWater, RecordStore } from './store.ts';
import { appendLeaf, emptyTree, leafHash, type TreeState, treeRoot } from './tree.ts';
import { isStoredAs, type KeyEncryptionKey, keysOpen } from './vault.ts';

export interface Resumed {
  readonly ledgerId: string;
  readonly head: Head;
  readonly tree: TreeState;
  readonly note: Buffer;
  /** Key hash of the key that the next entry is to be sealed under. */
  readonly kid: string;
  /** Names the key-encryption key of the latest bodies; null when the tail has none. */
  readonly kekId: string | null;
  readonly entriesChecked: number;
  /** A high-water mark stood beside it; without one nothing says that it was not rolled back. */
  readonly isRemembered: boolean;
  /** SHA-256 over the mark and the records that were checked: the same ones need not be checked again. */
  readonly checked: string;
}

/** Of the newest bodies this much is re-hashed, of so many blocks: they never change once they are in the journal. */
const bodiesTailBytes = 4 * 1024 * 1024;
const bodiesTailBlocks = 128;

interface TailRecord {
  readonly seq: number;
  readonly kind: RecordKind;
  readonly value: Buffer;
}

/** A part that an entry of the tail commits to. */
interface ExpectedPart {
  readonly seq: number;
  readonly index: number;
  readonly part: PartCommitment;
}

/** What the walk over the tail has established so far. */
interface Walk {
  readonly head: Head;
  readonly markSize: number;
  tree: TreeState;
  ledgerId: string;
  note: Buffer;
  rootAtMark: string | null;
  /** The blocks that have bodies, oldest first. */
  readonly withBodies: { readonly firstSeq: number; readonly parts: readonly ExpectedPart[] }[];
  snapshotDigest: string | null;
  /** Of the key that the next entry is to be sealed under. */
  kid: string;
  /** `seq/part` of what erasures name; those of a body in the tail come after it, so they are in the tail too. */
  readonly erased: Set<string>;
  /** Of the key before it, when the last entry is the rotation to it. */
  kidBefore: string | null;
}

/**
 * The state at the end of the store, or null when it is empty.
 * Throws HoldpointError `ledger_damaged`, `ledger_rolled_back`, or `config_invalid` for another ledger's
 * signing key; the store is not changed.
 * @param signerFor the signer with this key hash, or any other one when there is none
 * @param tailBytesMin at least this much of leaves is re-checked, from the snapshot before it on
 * @param before what a copy of the store resumed to; given back where this store has the same tail, byte for byte
 */
export async function resume(
  store: RecordStore,
  highWater: HighWater,
  signerFor: (ledgerId: string, kid: string) => Signer,
  tailBytesMin: number,
  keks: readonly KeyEncryptionKey[],
  before: Resumed | null = null,
): Promise<Resumed | null> {
  const mark = highWater.read();
  const { records, snapshot } = await readTail(store, tailBytesMin);
  if (records.length === 0) {
    if (mark !== null) throw rolledBack(0, mark.size);
    return null;
  }
  const checked = digestOf(mark, records);
  if (before?.checked === checked) return before;
  const walk = startWalk(snapshot, mark?.size ?? -1);
  const startSize = walk.tree.size;
  for (const record of records) checkRecord(walk, record);
  if (mark !== null && mark.size > walk.tree.size) throw rolledBack(walk.tree.size, mark.size);
  const signer = signerFor(walk.ledgerId, walk.kid);
  if (signer.kid !== walk.kid) throw otherKey(walk.kid, signer.kid);
  if (!isCheckpointOf(signer, walk.note, walk.tree.size, treeRoot(walk.tree), walk.kidBefore)) {
    throw damaged(walk.tree.size - 1, 'the last checkpoint is not a valid signature over what is stored');
  }
  if (mark !== null && walk.rootAtMark !== null && walk.rootAtMark !== mark.root) {
    throw damaged(mark.size - 1, 'the high-water mark remembers another root at this size');
  }
  const kekId = await checkLatestBodies(store, walk, keks);
  const { ledgerId, head, tree, note } = walk;
  const entriesChecked = tree.size - startSize;
  const isRemembered = mark !== null;
  return { ledgerId, head, tree, note, kid: walk.kid, kekId, entriesChecked, isRemembered, checked };
}

function digestOf(mark: ReturnType<HighWater['read']>, records: readonly TailRecord[]): string {
  const hash = createHash('sha256').update(`${mark?.size} ${mark?.root}\n`);
  for (const { seq, kind, value } of records) hash.update(`${seq} ${kind} ${value.length}\n`).update(value);
  return hash.digest('hex');
}

/** Reads backwards to the first snapshot that has at least `tailBytesMin` of records after it. */
async function readTail(store: RecordStore, tailBytesMin: number) {
  const reversed: TailRecord[] = [];
  let bytes = 0;
  let snapshot: TailRecord | null = null;
  for await (const { key, value } of store.scan({ reverse: true, withoutBodies: true })) {
    const place = parseRecordKey(key);
    if (place === null) throw damaged(-1, 'a key in the store is not one of this format');
    const record = { ...place, value };
    if (record.kind === 'snapshot' && bytes >= tailBytesMin) snapshot = record;
    bytes += value.length;
    reversed.push(record);
    if (snapshot !== null && record.kind === 'block' && record.seq === snapshot.seq) break;
  }
  return { records: reversed.reverse(), snapshot };
}

function startWalk(record: TailRecord | null, markSize: number): Walk {
  const fresh = {
    markSize,
    ledgerId: '',
    note: Buffer.alloc(0),
    rootAtMark: null,
    withBodies: [],
    kid: '',
    erased: new Set<string>(),
    kidBefore: null,
  };
  if (record === null) return { ...fresh, head: emptyHead(), tree: emptyTree, snapshotDigest: null };
  const snapshot = decodeSnapshot(record.value);
  if (snapshot === null || snapshot.size !== record.seq)
    throw damaged(record.seq, 'its snapshot does not parse');
  const open = new Map(snapshot.open.map(([decision, seqs]) => [decision, [...seqs]]));
  return {
    ...fresh,
    head: { prev: snapshot.prev, nextSeq: snapshot.size, open },
    tree: { size: snapshot.size, frontier: snapshot.frontier.map((node) => Buffer.from(node, 'hex')) },
    snapshotDigest: sha256Hex(record.value),
  };
}

function checkRecord(walk: Walk, record: TailRecord): void {
  if (record.kind === 'snapshot') return;
  if (record.seq !== walk.head.nextSeq) {
    throw damaged(walk.head.nextSeq, `it is missing: the next block that is stored starts at ${record.seq}`);
  }
  const block = decodeBlock(record.value);
  // Of the entries only their parts are kept: thousands of them would be moved about until the walk is over.
  const parts: ExpectedPart[] = [];
  for (const leaf of block.leaves) {
    const { seq, parts: committed } = checkLeaf(walk, leaf);
    for (const [index, part] of committed.entries()) parts.push({ seq, index, part });
  }
  if (parts.length > 0) walk.withBodies.push({ firstSeq: record.seq, parts });
  walk.note = block.note;
}

function checkLeaf(walk: Walk, leaf: Buffer): Entry {
  const { head } = walk;
  // That it is canonical is part of what the checkpoint's signature, checked at the end, says of its hash.
  const entry = readLeaf(leaf);
  if (entry.seq !== head.nextSeq || entry.prev !== head.prev) {
    throw damaged(head.nextSeq, 'it does not continue the hash chain');
  }
  if (walk.ledgerId !== '' && entry.ledger !== walk.ledgerId)
    throw damaged(entry.seq, 'it belongs to another ledger');
  walk.ledgerId = entry.ledger;
  const incoming = incomingKid(entry.type, entry.data);
  walk.kid = incoming ?? entry.kid;
  walk.kidBefore = incoming === null ? null : entry.kid;
  if (walk.snapshotDigest !== null && entry.data['snapshot'] !== walk.snapshotDigest) {
    throw damaged(entry.seq, 'its snapshot is not the one that was sealed');
  }
  walk.snapshotDigest = null;
  for (const [seq, part] of targetsOf(entry)) walk.erased.add(`${seq}/${part}`);
  const hash = leafHash(leaf);
  walk.tree = appendLeaf(walk.tree, hash);
  advance(head, entry);
  head.prev = hash.toString('hex');
  if (walk.tree.size === walk.markSize) walk.rootAtMark = treeRoot(walk.tree).toString('hex');
  return entry;
}

/** The newest bodies, a bounded amount of them; returns what names their key-encryption key, null without any. */
async function checkLatestBodies(
  store: RecordStore,
  walk: Walk,
  keks: readonly KeyEncryptionKey[],
): Promise<string | null> {
  const ledgerId = Buffer.from(walk.ledgerId, 'hex');
  let kekId: string | null = null;
  let bytes = 0;
  for (const { firstSeq, parts } of walk.withBodies.slice(-bodiesTailBlocks).reverse()) {
    if (bytes >= bodiesTailBytes) break;
    const value = await store.get(recordKey(firstSeq, 'bodies'));
    if (value === undefined) {
      checkBodies(parts, [], walk.erased);
      continue;
    }
    bytes += value.length;
    const bodies = decodeBodies(value);
    kekId ??= bodies.kekId;
    const kek = keks.find(({ id }) => id === bodies.kekId);
    // The newest may name a key that is not at hand, which is the operator's mistake and said as such.
    const opens = kek !== undefined && keysOpen(kek, ledgerId, firstSeq, bodies);
    if (!opens && keks.some(({ id }) => id === kekId))
      throw damaged(firstSeq, 'the keys of its bodies were altered');
    checkBodies(parts, bodies.items, walk.erased);
  }
  return kekId;
}

/** Each part is stored as it was sealed, unless an erasure names it: then it may be gone. */
function checkBodies(
  expected: readonly ExpectedPart[],
  stored: readonly BodyItem[],
  erased: ReadonlySet<string>,
): void {
  let next = 0;
  for (const { seq, part, index } of expected) {
    const item = stored[next];
    const isThere = item !== undefined && item.seq === seq && item.partIndex === index;
    if (isThere) next += 1;
    else if (erased.has(`${seq}/${index}`)) continue;
    if (!isThere || !isStoredAs(item, part))
      throw damaged(seq, `its ${part.name} body is missing or was altered`);
  }
}

const nextStep =
  'Nothing was changed. Keep the directory as it is, run `holdpoint verify` on it, and restore a backup or start a new data directory.';

function damaged(seq: number, what: string): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    `The ledger does not verify at entry ${seq}: ${what}.`,
    nextStep,
  );
}

function otherKey(sealed: string, given: string): HoldpointError {
  return new HoldpointError(
    'config_invalid',
    `The ledger is sealed under the key ${sealed}, but signing.pem, or whatever keys.signing names, is ${given} for it.`,
    'Restore the signing key that this ledger was last sealed with.',
  );
}

/** Entries that the high-water mark remembers are not there. */
export function rolledBack(size: number, markSize: number): HoldpointError {
  return new HoldpointError(
    'ledger_rolled_back',
    `The ledger holds ${size} entries, but ${markSize} were sealed before: entries are gone.`,
    nextStep,
  );
}
