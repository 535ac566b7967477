/**
 * How LevelDB takes in the journal, and the marks it keeps of how far: what it holds of a frame, what a start reads
 * again, and from where on nothing need be read.
 */
import { HoldpointError } from '../core/errors.ts';
import { isBodiesKey } from '../ledger/block.ts';
import type { RecordStore, StoredRecord } from '../ledger/store.ts';
import { framesFrom, type Place } from './journal.ts';
import type { LevelStore } from './level.ts';
import { decodeReference, encodeReference } from './reference.ts';

/** How much LevelDB takes in at once, and how much it may lag behind the journal while calls come in. */
export const absorbBytesMax = 256 * 1024;
/** How far no start need read, and how far LevelDB has taken the journal in: keys that sort after every record's. */
export const markedKey = Buffer.from('journal');
export const takenKey = Buffer.from('journal end');
const keyAndLengthBytes = 13;
const frameHeaderBytes = 8;

/**
 * Puts into LevelDB what it may not have of the journal; returns where the journal's whole frames end. A frame that
 * is damaged before what LevelDB once took in is passed over: LevelDB has what it held, or whoever reads finds a gap;
 * a body within it shows by its hash. Throws `ledger_damaged` for one that nothing else can stand in for.
 */
export async function absorb(level: RecordStore, dir: string, from: Place | null): Promise<Place | null> {
  const taken = await readPlace(level, takenKey);
  let end: Place | null = null;
  try {
    end = await absorbFrom(level, dir, from);
  } catch (error) {
    if (taken === null || !(error instanceof HoldpointError)) throw error;
  }
  if (taken === null || (end !== null && !isBefore(end, taken))) return end;
  return absorbFrom(level, dir, taken);
}

async function absorbFrom(level: RecordStore, dir: string, from: Place | null): Promise<Place | null> {
  let end = from;
  let batch: StoredRecord[] = [];
  let bytes = 0;
  const put = async (): Promise<void> => {
    if (batch.length > 0) await level.commit(batch, false);
    batch = [];
    bytes = 0;
  };
  for await (const frame of framesFrom(dir, from)) {
    batch.push(...absorbedRecords(frame.records, frame.place));
    bytes += frame.end.offset - frame.place.offset;
    end = frame.end;
    if (bytes >= absorbBytesMax) await put();
  }
  await put();
  return end;
}

/** Whatever LevelDB loses from here on, the journal before `end` need not be read for it: it is in tables. */
export async function mark(level: LevelStore, end: Place): Promise<void> {
  // LevelDB does not sync a log that it has done with: a mark in the next one could outlive what was in it.
  await level.flush();
  await level.write([placeAt(markedKey, end), placeAt(takenKey, end)], true);
}

function isBefore(end: Place, other: Place): boolean {
  return end.segment < other.segment || (end.segment === other.segment && end.offset < other.offset);
}

export function isSame(end: Place, other: Place | null): boolean {
  return end.segment === other?.segment && end.offset === other.offset;
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

/** A mark under `key`. */
export function placeAt(key: Buffer, place: Place): StoredRecord {
  return { key, value: encodeReference({ ...place, bytes: 0 }) };
}

/** The mark under `key`; null where there is none. */
export async function readPlace(level: RecordStore, key: Buffer): Promise<Place | null> {
  const value = await level.get(key);
  return value === undefined ? null : decodeReference(value);
}
