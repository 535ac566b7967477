/** Reads entries and bodies back; everything that is returned was re-hashed or checked against its commitment. */
import { HoldpointError } from '../core/errors.ts';
import { type Block, decodeBlock, decodeBodies, parseRecordKey, recordKey } from './block.ts';
import { decodeLeaf, type Entry } from './entry.ts';
import type { RecordStore } from './store.ts';
import { type KeyEncryptionKey, openPart } from './vault.ts';

/** One entry that is stored and cannot be read, or a run of them; the others may be. */
export class UnreadableEntry extends HoldpointError {
  readonly seq: number;
  /** The same, or the last one of the run. */
  readonly last: number;

  constructor(seq: number, cause: HoldpointError, last = seq) {
    const which = last === seq ? `Entry ${seq}` : `Entries ${seq} to ${last}`;
    super('ledger_damaged', `${which} cannot be read: ${cause.message}`, verifyNext, cause);
    this.seq = seq;
    this.last = last;
  }
}

const verifyNext = 'Run `holdpoint verify` on the data directory.';

/** Reads one entry; throws `not_found` when it is not (yet) durable, UnreadableEntry when it is damaged. */
export async function readEntry(store: RecordStore, seq: number): Promise<Entry> {
  const entry = entryOf(await readBlockAt(store, seq), seq);
  if (entry === undefined) throw notFound(seq);
  return entry;
}

/** The plaintext of the named part of an entry; throws `not_found` when the entry has no such part. */
export async function readPart(
  store: RecordStore,
  keks: readonly KeyEncryptionKey[],
  seq: number,
  name: string,
): Promise<Buffer> {
  const block = await readBlockAt(store, seq);
  const { firstSeq } = block;
  const entry = entryOf(block, seq);
  const index = entry?.parts.findIndex((part) => part.name === name) ?? -1;
  const commitment = entry?.parts[index];
  if (entry === undefined || commitment === undefined) {
    throw new HoldpointError('not_found', `Entry ${seq} has no ${name} body.`);
  }
  const record = await store.get(recordKey(firstSeq, 'bodies'));
  if (record === undefined)
    throw new HoldpointError('ledger_damaged', `The bodies of entry ${seq} are missing.`);
  const bodies = decodeBodies(record);
  const kek = keks.find(({ id }) => id === bodies.kekId);
  if (kek === undefined) {
    throw new HoldpointError(
      'ledger_damaged',
      `A body of entry ${seq} is encrypted under another key (${bodies.kekId}).`,
      'Restore that key-encryption key to keys.dir as kek-<id>.key.',
    );
  }
  return openPart(kek, Buffer.from(entry.ledger, 'hex'), firstSeq, bodies, seq, index, commitment);
}

/** False where a part of an entry is not in the ledger's files any more; where its record is damaged nobody can tell. */
export async function mayBeStored(store: RecordStore, seq: number, index: number): Promise<boolean> {
  const record = await store.get(recordKey(await firstSeqOf(store, seq), 'bodies'));
  if (record === undefined) return false;
  try {
    return decodeBodies(record).items.some((item) => item.seq === seq && item.partIndex === index);
  } catch (error) {
    if (error instanceof HoldpointError) return true;
    throw error;
  }
}

/** Blocks' entries in order, newest first when `reverse`; starting at or before `fromSeq`. Throws UnreadableEntry. */
export async function* readBlocks(
  store: RecordStore,
  range: { readonly fromSeq: number; readonly reverse: boolean },
): AsyncIterable<readonly Entry[]> {
  const at = recordKey(range.fromSeq, 'snapshot');
  const from = range.reverse ? undefined : recordKey(await firstSeqOf(store, range.fromSeq), 'block');
  const bound = range.reverse ? { to: at, reverse: true } : from === undefined ? {} : { from };
  for await (const { key, value } of store.scan({ ...bound, withoutBodies: true })) {
    const place = parseRecordKey(key);
    if (place?.kind !== 'block') continue;
    const { leaves } = readable(place.seq, () => decodeBlock(value));
    yield leaves.map((leaf, i) => readable(place.seq + i, () => decodeLeaf(leaf)));
  }
}

/** The leaves of the block that begins at `firstSeq`, as they are stored; null when none does. */
export async function readBlockLeaves(
  store: RecordStore,
  firstSeq: number,
): Promise<readonly Buffer[] | null> {
  const record = await store.get(recordKey(firstSeq, 'block'));
  return record === undefined ? null : decodeBlock(record).leaves;
}

/** The leaves [from, to), as they are stored; throws `not_found` where one is missing. */
export async function readLeaves(store: RecordStore, from: number, to: number): Promise<readonly Buffer[]> {
  const first = await findBlock(store, from);
  if (first === null) throw notFound(from);
  const leaves = first.leaves.slice(from - first.firstSeq, to - first.firstSeq);
  for (let seq = first.firstSeq + first.leaves.length; seq < to; ) {
    const block = await readBlockLeaves(store, seq);
    if (block === null) throw notFound(seq);
    leaves.push(...block.slice(Math.max(0, from - seq), to - seq));
    seq += block.length;
  }
  return leaves;
}

/** The checkpoint of the block that ends with a tree of `size` leaves; null when none does. */
export async function readNoteAt(store: RecordStore, size: number): Promise<Buffer | null> {
  const found = await findBlock(store, size - 1);
  return found !== null && found.firstSeq + found.leaves.length === size ? found.note : null;
}

/** Where the block with this entry begins. */
export async function firstSeqOf(store: RecordStore, seq: number): Promise<number> {
  return (await findBlockRecord(store, seq))?.firstSeq ?? seq;
}

interface FoundBlock extends Block {
  readonly firstSeq: number;
}

/** The last block that begins at or before this entry; null where none does. */
async function findBlock(store: RecordStore, seq: number): Promise<FoundBlock | null> {
  const found = await findBlockRecord(store, seq);
  return found === null ? null : { firstSeq: found.firstSeq, ...decodeBlock(found.record) };
}

/** A block, its bodies and its snapshot: one of the last so many records up to an entry is the block that has it. */
const recordsOfBlockMax = 3;

async function findBlockRecord(
  store: RecordStore,
  seq: number,
): Promise<{ readonly firstSeq: number; readonly record: Buffer } | null> {
  // LevelDB keeps what an iterator read last until the iterator is collected: of many blocks that is much.
  const keys = { to: recordKey(seq, 'block'), reverse: true, limit: recordsOfBlockMax, keysOnly: true };
  for await (const { key } of store.scan({ ...keys, withoutBodies: true })) {
    const place = parseRecordKey(key);
    if (place?.kind !== 'block') continue;
    const record = await store.get(key);
    return record === undefined ? null : { firstSeq: place.seq, record };
  }
  return null;
}

interface ReadBlock {
  readonly firstSeq: number;
  readonly leaves: readonly Buffer[];
  /** By their place in the block, once they were asked for: a block has up to a thousand others. */
  readonly entries: Map<number, Entry>;
}

function entryOf({ firstSeq, leaves, entries }: ReadBlock, seq: number): Entry | undefined {
  const known = entries.get(seq - firstSeq);
  if (known !== undefined) return known;
  const leaf = leaves[seq - firstSeq];
  if (leaf === undefined) return undefined;
  const entry = readable(seq, () => decodeLeaf(leaf));
  // One that says it is another is not where it belongs.
  if (entry.seq !== seq) return undefined;
  entries.set(seq - firstSeq, entry);
  return entry;
}

/**
 * The blocks read last, each leaf checked when it is first asked for; they never change once durable. A decision's entries lie
 * close together and so do the decisions of a page: without this each of them decodes a block of its own.
 */
const readBlocksMax = 8;
const lately = new WeakMap<RecordStore, ReadBlock[]>();

async function readBlockAt(store: RecordStore, seq: number): Promise<ReadBlock> {
  const kept = lately.get(store) ?? [];
  const known = kept.find(({ firstSeq, leaves }) => firstSeq <= seq && seq < firstSeq + leaves.length);
  if (known !== undefined) return known;
  const record = await findBlockRecord(store, seq);
  if (record === null) throw notFound(seq);
  const found = { firstSeq: record.firstSeq, ...readable(seq, () => decodeBlock(record.record)) };
  const block = { firstSeq: found.firstSeq, leaves: found.leaves, entries: new Map<number, Entry>() };
  lately.set(store, [block, ...(lately.get(store) ?? [])].slice(0, readBlocksMax));
  return block;
}

/** Throws UnreadableEntry where `read` finds damage, so that whoever hears of it hears of which entry. */
function readable<T>(seq: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof HoldpointError) || error instanceof UnreadableEntry) throw error;
    throw new UnreadableEntry(seq, error);
  }
}

function notFound(seq: number): HoldpointError {
  return new HoldpointError('not_found', `The ledger has no entry ${seq}.`);
}
