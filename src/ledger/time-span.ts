/**
 * What was sealed in a span of time. Entries are in the order in which they were sealed, and their times mostly are too;
 * where the clock was set, they run back or ahead for a while, so that the first entry outside the span is not its end.
 * Its end is where a bounded number of entries in a row lie outside.
 */
import { HoldpointError } from '../core/errors.ts';
import { parseRecordKey, recordKey } from './block.ts';
import type { Entry } from './entry.ts';
import { entriesIn } from './newest-first.ts';
import { oldestFirst } from './oldest-first.ts';
import { firstSeqOf, readEntry, UnreadableEntry } from './reader.ts';
import type { RecordStore } from './store.ts';

/** Readers that stop after more entries than this come to the end of a span, and go past it by no more. */
export const strayEntriesMax = 10_000;
/** How often a place is sought anew, each time by reading so many entries. */
const searchesMax = 4;

export interface TimeSpan {
  /**
   * Takes what a reader meets, the newest first, from anywhere on: whether it is of the span, and `over` where it and
   * what is older need not be looked at. What cannot be read may be of it.
   */
  place(found: Entry | UnreadableEntry): 'within' | 'outside' | 'over';
}

/** From `sinceMs` on and before `untilMs`, both in milliseconds since the Unix epoch or infinite. */
export function openTimeSpan(sinceMs: number, untilMs: number): TimeSpan {
  /** What is below lies behind so many older ones that it counts as older too. */
  let floor = 0;
  return {
    place: (found) => {
      if (found instanceof UnreadableEntry) return found.last < floor ? 'over' : 'within';
      if (found.seq < floor) return 'over';
      const atMs = Date.parse(found.at);
      if (atMs < sinceMs) {
        if (floor === 0) floor = Math.max(0, found.seq - strayEntriesMax);
        return 'outside';
      }
      floor = 0;
      return atMs < untilMs ? 'within' : 'outside';
    },
  };
}

/**
 * Where to begin reading, the newest first, for what was sealed before a time: at or below `size`, which must be no more
 * than are durable. Of what is not read then, `strayEntriesMax` entries from there on that can be read are of this time
 * or later. `size` itself where the times run back so often that no such place is found in a few searches.
 */
export async function countBefore(store: RecordStore, size: number, atMs: number): Promise<number> {
  let from = 0;
  for (let searches = 0; searches < searchesMax; searches++) {
    const found = await firstFrom(store, from, size, atMs);
    const stray = await lastBefore(store, found, Math.min(size, found + strayEntriesMax), atMs);
    if (stray === null) return found;
    from = stray + 1;
  }
  return size;
}

/**
 * Seq of the first of the entries [start, size) that says it was sealed at this time or later, `size` where none does:
 * a binary search over those that can be read, which takes their times to be in order.
 */
async function firstFrom(store: RecordStore, start: number, size: number, atMs: number): Promise<number> {
  let found = size;
  let from = start;
  let to = size;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    const entry = await firstReadable(store, middle, to);
    if (entry !== null && Date.parse(entry.at) < atMs) {
      from = entry.seq + 1;
      continue;
    }
    found = entry?.seq ?? found;
    to = middle;
  }
  return found;
}

/** Seq of the last of the entries [from, to) that was sealed before this time; null where none was. */
async function lastBefore(
  store: RecordStore,
  from: number,
  to: number,
  atMs: number,
): Promise<number | null> {
  let last: number | null = null;
  if (from >= to) return last;
  for await (const block of oldestFirst(store, from, to))
    for (const found of block)
      if (!(found instanceof UnreadableEntry) && Date.parse(found.at) < atMs) last = found.seq;
  return last;
}

/** The first of the entries [from, to) that can be read; null where none can. */
async function firstReadable(store: RecordStore, from: number, to: number): Promise<Entry | null> {
  try {
    return await readEntry(store, from);
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error;
  }
  const start = recordKey(await firstSeqOf(store, from), 'block');
  for await (const { key, value } of store.scan({ from: start, withoutBodies: true })) {
    const place = parseRecordKey(key);
    if (place?.kind !== 'block') continue;
    if (place.seq >= to) return null;
    for (const found of entriesIn(place.seq, value, to))
      if (!(found instanceof UnreadableEntry) && found.seq >= from) return found;
  }
  return null;
}
