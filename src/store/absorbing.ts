/**
 * How LevelDB takes in the journal: what it holds of a frame, and what a start reads again of what it may have lost.
 */
import { HoldpointError } from '../core/errors.ts';
import { isBodiesKey, parseRecordKey } from '../ledger/block.ts';
import type { RecordStore, StoredRecord } from '../ledger/store.ts';
import type { Place } from './journal.ts';
import { framesFrom } from './journal-frames.ts';
import { encodeReach, isBefore, type Reach } from './reach.ts';
import { encodeReference } from './reference.ts';

/** How much LevelDB takes in at once, and how much it may lag behind the journal while calls come in. */
export const absorbBytesMax = 256 * 1024;
const keyAndLengthBytes = 13;
const frameHeaderBytes = 8;

export interface Absorbed {
  /** Where the journal's whole frames end; null where there is none. */
  readonly end: Place | null;
  /** The highest seq in a key of LevelDB. */
  readonly seq: number;
}

/**
 * Puts into LevelDB what it may not have of the journal. A frame that is damaged before what LevelDB once took in is
 * passed over: LevelDB has what it held, or whoever reads finds a gap; a body within it shows by its hash. Throws
 * `ledger_damaged` for one that nothing else can stand in for.
 * @param reach how far LevelDB says it has the journal; null where it does not say
 * @param onDamage told of that instead; what comes before it is there then
 */
export async function absorb(
  level: RecordStore,
  dir: string,
  reach: Reach | null,
  onDamage?: (error: HoldpointError) => void,
): Promise<Absorbed> {
  if (reach === null) return absorbFrom(level, dir, null, null, onDamage);
  let found: Absorbed | null = null;
  try {
    found = await absorbFrom(level, dir, reach.inTables, reach);
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error;
  }
  if (found !== null && found.end !== null && !isBefore(found.end, reach.taken)) return found;
  return absorbFrom(level, dir, reach.taken, reach, onDamage);
}

async function absorbFrom(
  level: RecordStore,
  dir: string,
  from: Place | null,
  reach: Reach | null,
  onDamage?: (error: HoldpointError) => void,
): Promise<Absorbed> {
  const inTables = reach?.inTables ?? null;
  let end = from;
  let seq = reach?.seq ?? 0;
  let batch: StoredRecord[] = [];
  let bytes = 0;
  const put = async (): Promise<void> => {
    if (end === null || batch.length === 0) return;
    const taken = reach !== null && isBefore(end, reach.taken) ? reach.taken : end;
    await level.commit([...batch, encodeReach({ seq, taken, inTables })], false);
    batch = [];
    bytes = 0;
  };
  try {
    for await (const frame of framesFrom(dir, from)) {
      batch.push(...absorbedRecords(frame.records, frame.place));
      seq = Math.max(seq, lastSeqOf(frame.records));
      bytes += frame.end.offset - frame.place.offset;
      end = frame.end;
      if (bytes >= absorbBytesMax) await put();
    }
  } catch (error) {
    if (onDamage === undefined || !(error instanceof HoldpointError)) throw error;
    onDamage(error);
  }
  await put();
  return { end, seq };
}

/** The highest seq in the records' keys. */
export function lastSeqOf(records: readonly StoredRecord[]): number {
  return records.reduce((last, { key }) => Math.max(last, parseRecordKey(key)?.seq ?? 0), 0);
}

/** What LevelDB keeps of a frame: bodies by reference, unless they were overwritten since, everything else as it is. */
export function absorbedRecords(records: readonly StoredRecord[], place: Place): StoredRecord[] {
  let offset = place.offset + frameHeaderBytes;
  return records.flatMap(({ key, value }) => {
    const extent = { segment: place.segment, offset: offset + keyAndLengthBytes, bytes: value.length };
    offset += keyAndLengthBytes + value.length;
    if (!isBodiesKey(key)) return [{ key, value }];
    return isOverwritten(value) ? [] : [{ key, value: encodeReference(extent) }];
  });
}

/** A bodies record begins with its magic; one that was erased or moved, with zeros. */
export function isOverwritten(value: Buffer): boolean {
  return value.length < 4 || value.readUInt32BE(0) === 0;
}
