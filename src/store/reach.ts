/**
 * What LevelDB keeps of how far it has the journal. A reach is written with the records that it counts in and sorts right
 * after them: one under a key of its own would make every table overlap every other, and LevelDB write each of them
 * again. The last key of the database is the reach that holds. FORMAT.md, "Keys of the database".
 */
import { recordKey } from '../ledger/block.ts';
import type { RecordStore, StoredRecord } from '../ledger/store.ts';
import type { Place } from './journal.ts';
import { decodeReference, encodeReference, referenceBytes } from './reference.ts';

export interface Reach {
  /** The highest seq in a key of LevelDB. */
  readonly seq: number;
  /** LevelDB has every frame before this place, or had it: a power failure may take what is in no table. */
  readonly taken: Place;
  /** What lies before this place is in tables on disk, and no start need read it; null for nothing. */
  readonly inTables: Place | null;
}

/** Sorts after the kinds of records. */
const reachKind = 0x04;
/** The greatest key that a record or a reach can have. */
export const lastKey = Buffer.from([0, ...Array<number>(8).fill(0xff)]);

export function isReachKey(key: Uint8Array): boolean {
  return key.length === 9 && key[8] === reachKind;
}

/** key: u64 seq || 0x04; value: reference to `taken` || reference to `inTables`, with segment 0 for null. */
export function encodeReach({ seq, taken, inTables }: Reach): StoredRecord {
  const key = recordKey(seq, 'block');
  key[key.length - 1] = reachKind;
  const places = [taken, inTables ?? { segment: 0, offset: 0 }];
  return { key, value: Buffer.concat(places.map((place) => encodeReference({ ...place, bytes: 0 }))) };
}

/** The reach that holds; null where there is none, or none that can be read: then the journal is read from its start. */
export async function readReach(level: RecordStore): Promise<Reach | null> {
  for await (const { key, value } of level.scan({ to: lastKey, reverse: true, limit: 1 })) {
    const taken = decodePlace(value.subarray(0, referenceBytes));
    const inTables = decodePlace(value.subarray(referenceBytes));
    if (!isReachKey(key) || taken === null || inTables === null) return null;
    const seq = Number(key.readBigUInt64BE());
    return { seq, taken, inTables: inTables.segment === 0 ? null : inTables };
  }
  return null;
}

function decodePlace(value: Buffer): Place | null {
  const reference = decodeReference(value);
  return reference === null ? null : { segment: reference.segment, offset: reference.offset };
}

export function isBefore(place: Place, other: Place): boolean {
  return place.segment < other.segment || (place.segment === other.segment && place.offset < other.offset);
}

export function isSame(place: Place, other: Place | null): boolean {
  return place.segment === other?.segment && place.offset === other.offset;
}
