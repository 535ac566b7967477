/**
 * Reads what is stored from an entry on, in order, past what is damaged: as newest-first.ts the other way round. For
 * whoever must come to the end of the ledger and say what they could not read.
 */
import { parseRecordKey, recordKey } from './block.ts';
import type { Entry } from './entry.ts';
import { entriesIn, missing } from './newest-first.ts';
import { firstSeqOf, type UnreadableEntry } from './reader.ts';
import type { RecordStore } from './store.ts';

/**
 * The entries [from, size), of which `size` must be no more than are durable, a block at a time. Of a block that cannot be
 * read they stand as one, up to where the next one begins; so do those that no block has.
 */
export async function* oldestFirst(
  store: RecordStore,
  from: number,
  size: number,
): AsyncGenerator<readonly (Entry | UnreadableEntry)[]> {
  /** The block that was found last: how far it should reach, the next one tells. */
  let before: { readonly seq: number; readonly value: Buffer } | null = null;
  function* given(end: number): Generator<readonly (Entry | UnreadableEntry)[]> {
    const found = before === null ? [] : entriesIn(before.seq, before.value, end);
    if (before === null && from < end) found.push(missing(from, end - 1));
    const wanted = found.filter((one) => lastOf(one) >= from);
    if (wanted.length > 0) yield wanted;
  }
  const start = recordKey(await firstSeqOf(store, from), 'block');
  for await (const { key, value } of store.scan({ from: start, withoutBodies: true })) {
    const place = parseRecordKey(key);
    if (place?.kind !== 'block') continue;
    if (place.seq >= size) break;
    yield* given(place.seq);
    before = { seq: place.seq, value };
  }
  yield* given(size);
}

function lastOf(one: Entry | UnreadableEntry): number {
  return 'last' in one ? one.last : one.seq;
}
