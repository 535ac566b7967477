/** Records as whoever reads wants them: LevelDB's own, and bodies from where the journal has them. */
import { isBodiesKey } from '../ledger/block.ts';
import type { RecordStore, ScanRange, StoredRecord } from '../ledger/store.ts';
import { isOverwritten } from './absorbing.ts';
import type { JournalReader } from './journal-reader.ts';
import { isReachKey, lastKey } from './reach.ts';
import { decodeReference } from './reference.ts';

/** Records of a range, in order; `current` says where what was moved meanwhile lies. */
export async function* scanResolved(
  level: RecordStore,
  reader: JournalReader,
  range: ScanRange,
  current: (key: Buffer) => Promise<Buffer | undefined>,
): AsyncGenerator<StoredRecord> {
  const limit = range.limit ?? Number.POSITIVE_INFINITY;
  // No block has more than one reach after it.
  const keysMax = range.limit === undefined ? {} : { limit: 2 * range.limit };
  let passed = 0;
  for await (const { key, value } of level.scan({ ...range, to: range.to ?? lastKey, ...keysMax })) {
    if (isReachKey(key)) continue;
    passed += 1;
    if (passed > limit) return;
    if (range.withoutBodies === true && isBodiesKey(key)) continue;
    const found = await resolved(reader, key, value, current);
    if (found !== undefined) yield { key, value: found };
  }
}

/**
 * A bodies record from where it lies; empty, which no bodies record is, where the journal has lost it. What was
 * erased or moved while it was read lies elsewhere `current`ly, or nowhere.
 */
export async function resolved(
  reader: JournalReader,
  key: Buffer,
  value: Buffer | undefined,
  current: (key: Buffer) => Promise<Buffer | undefined>,
): Promise<Buffer | undefined> {
  if (value === undefined || !isBodiesKey(key)) return value;
  const extent = decodeReference(value);
  if (extent === null) return Buffer.alloc(0);
  const read = await reader.read(extent);
  const found = read.length === extent.bytes ? read : Buffer.alloc(0);
  if (!isOverwritten(found)) return found;
  const now = await current(key);
  if (now?.equals(value) === true) return found;
  return now === undefined ? undefined : resolved(reader, key, now, current);
}
