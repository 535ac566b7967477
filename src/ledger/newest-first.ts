/**
 * Reads what is stored from the newest entry to the oldest, past what is damaged: an entry that cannot be read stands
 * as such in its place, a block that cannot be as all of its entries, and so does a gap between two blocks.
 */
import { HoldpointError } from '../core/errors.ts';
import { decodeBlock, parseRecordKey, recordKey } from './block.ts';
import { decodeLeaf, type Entry } from './entry.ts';
import { UnreadableEntry } from './reader.ts';
import type { RecordStore } from './store.ts';

/** Entries below `before`, which must be no more than are durable, the newest first. */
export async function* newestFirst(
  store: RecordStore,
  before: number,
): AsyncGenerator<Entry | UnreadableEntry> {
  // Everything from here on was given.
  let end = before;
  const range = { to: recordKey(before, 'snapshot'), reverse: true, withoutBodies: true };
  for await (const { key, value } of store.scan(range)) {
    const place = parseRecordKey(key);
    if (place?.kind !== 'block' || place.seq >= end) continue;
    yield* entriesIn(place.seq, value, end).reverse();
    end = place.seq;
  }
  if (end > 0) yield missing(0, end - 1);
}

/** What a block has of the entries from its first one to `end`, each of them once. */
export function entriesIn(firstSeq: number, record: Buffer, end: number): (Entry | UnreadableEntry)[] {
  const leaves = damageOr(firstSeq, end - 1, () => decodeBlock(record).leaves);
  if (leaves instanceof UnreadableEntry) return [leaves];
  const found = leaves
    .slice(0, end - firstSeq)
    .map((leaf, at) => damageOr(firstSeq + at, firstSeq + at, () => entryAt(firstSeq + at, leaf)));
  const next = firstSeq + leaves.length;
  if (next < end) found.push(missing(next, end - 1));
  return found;
}

function entryAt(seq: number, leaf: Buffer): Entry {
  const entry = decodeLeaf(leaf);
  if (entry.seq === seq) return entry;
  throw new HoldpointError('ledger_damaged', `In its place stands an entry that says it is ${entry.seq}.`);
}

/** What no block has. */
export function missing(seq: number, last: number): UnreadableEntry {
  return new UnreadableEntry(seq, new HoldpointError('ledger_damaged', 'No block has it.'), last);
}

function damageOr<T>(seq: number, last: number, read: () => T): T | UnreadableEntry {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error;
    return new UnreadableEntry(seq, error, last);
  }
}
