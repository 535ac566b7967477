/**
 * The ledger's store: a commit is durable as one frame of the journal, and LevelDB takes in the blocks shortly
 * after, many commits at a time. Bodies stay in the journal; LevelDB keeps where. FORMAT.md, "Files".
 */

import { HoldpointError } from '../core/errors.ts';
import { isBodiesKey } from '../ledger/block.ts';
import { encodeFrame } from '../ledger/frame.ts';
import type { LedgerStore, RecordStore, ScanRange, StoredRecord } from '../ledger/store.ts';
import { createErasing, type ErasingStep } from './erasing.ts';
import { framesFrom, type Journal, openJournal, type Place, segmentsIn } from './journal.ts';
import { type JournalReader, openJournalReader } from './journal-reader.ts';
import { type Change, type LevelCopy, type LevelStore, openLevelCopy, openLevelStore } from './level.ts';
import { decodeReference, encodeReference } from './reference.ts';

/** How long, and how much, LevelDB may lag behind the journal while calls come in. */
const absorbWithinMs = 100;
const absorbBytesMax = 256 * 1024;
/** A start reads about this much of the journal again at the most, after a kill or a power failure. */
const markEveryBytes = 32 * 1024 * 1024;
/** LevelDB's own keys, which sort after every record's: its first byte is 0. */
const markedKey = Buffer.from('journal');
const takenKey = Buffer.from('journal end');
const unfinishedKey = Buffer.from('erasing');
const lastRecordKey = Buffer.from([0, ...Array<number>(8).fill(0xff)]);
const keyAndLengthBytes = 13;
const frameHeaderBytes = 8;

/** Opens the store in `dir`, exclusively; `data_dir_locked` when it is in use, `ledger_damaged` when it cannot be. */
export async function openLedgerStore(
  dir: string,
  onStep: (step: ErasingStep) => void = () => undefined,
): Promise<LedgerStore> {
  const level = await openLevelStore(dir);
  try {
    const marked = await readPlace(level, markedKey);
    const end = await absorb(level, dir, marked);
    if (end !== null && !isSame(end, marked)) await mark(level, end);
    return await journaled(dir, level, await openJournal(dir, end), openJournalReader(dir), onStep);
  } catch (error) {
    await level.close();
    throw error;
  }
}

/** How often reading starts over because a writer moved what was being read. */
const copyAttemptsMax = 20;

/** As `openLevelCopy`: reads a store, or one that is being written, without changing one byte of it. */
export async function openLedgerCopy(
  dir: string,
  under?: string,
  checkedBytesMax?: number,
): Promise<LevelCopy> {
  for (let attempt = 1; ; attempt += 1) {
    // A directory that cannot be listed is told of by the next line.
    const segments = await segmentsIn(dir).catch(() => []);
    const level = await openLevelCopy(dir, under, checkedBytesMax);
    let failure: unknown = null;
    try {
      await absorb(level, dir, await readPlace(level, markedKey));
    } catch (error) {
      failure = error;
    }
    const isStill = (await level.isWhole()) && (await stillThere(dir, segments));
    if (failure === null && (isStill || attempt >= copyAttemptsMax))
      return resolvingCopy(level, openJournalReader(dir), isStill);
    await level.close();
    // Nothing moved: it is the ledger itself that cannot be read.
    if (isStill || attempt >= copyAttemptsMax) throw failure;
  }
}

/** False once a segment was reclaimed: its records are then sought where the copy does not know of them. */
async function stillThere(dir: string, segments: readonly number[]): Promise<boolean> {
  const now = new Set(await segmentsIn(dir));
  return segments.every((segment) => now.has(segment));
}

function resolvingCopy(level: LevelCopy, reader: JournalReader, isStill: boolean): LevelCopy {
  let stale = !isStill;
  // Whoever writes may have erased or moved it since: then the copy knows a place that holds nothing any more.
  const moved = (key: Buffer): Promise<Buffer | undefined> => {
    stale = true;
    return level.get(key);
  };
  return {
    ...level,
    get: async (key) => resolved(reader, key, await level.get(key), moved),
    scan: (range) => scanResolved(level, reader, range, moved),
    isWhole: async () => !stale && (await level.isWhole()),
    close: () => {
      reader.close();
      return level.close();
    },
  };
}

/**
 * Puts into LevelDB what it may not have of the journal; returns where the journal's whole frames end. A frame that
 * is damaged before what LevelDB once took in is passed over: LevelDB has what it held, or whoever reads finds a gap;
 * a body within it shows by its hash. Throws `ledger_damaged` for one that nothing else can stand in for.
 */
async function absorb(level: RecordStore, dir: string, from: Place | null): Promise<Place | null> {
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
async function mark(level: LevelStore, end: Place): Promise<void> {
  // LevelDB does not sync a log that it has done with: a mark in the next one could outlive what was in it.
  await level.flush();
  await level.write([placeAt(markedKey, end), placeAt(takenKey, end)], true);
}

function isBefore(end: Place, other: Place): boolean {
  return end.segment < other.segment || (end.segment === other.segment && end.offset < other.offset);
}

function isSame(end: Place, other: Place | null): boolean {
  return end.segment === other?.segment && end.offset === other.offset;
}

/** What LevelDB keeps of a frame: bodies by reference, unless they were overwritten since, everything else as it is. */
function absorbedRecords(records: readonly StoredRecord[], place: Place): StoredRecord[] {
  let offset = place.offset + frameHeaderBytes;
  return records.flatMap(({ key, value }) => {
    const extent = { segment: place.segment, offset: offset + keyAndLengthBytes, bytes: value.length };
    offset += keyAndLengthBytes + value.length;
    if (!isBodiesKey(key)) return [{ key, value }];
    return isOverwritten(value) ? [] : [{ key, value: encodeReference(extent) }];
  });
}

/** A bodies record begins with its magic; one that was erased or moved, with zeros. */
function isOverwritten(value: Buffer): boolean {
  return value.length < 4 || value.readUInt32BE(0) === 0;
}

async function journaled(
  dir: string,
  level: LevelStore,
  journal: Journal,
  reader: JournalReader,
  onStep: (step: ErasingStep) => void,
): Promise<LedgerStore> {
  /** In the journal, not yet handed to LevelDB; then handed over, not yet acknowledged. */
  let waiting = new Map<string, Change>();
  let handed = new Map<string, Change>();
  let waitingBytes = 0;
  let unmarkedBytes = 0;
  let marked: Place = journal.end();
  /** After the last frame whose records are in `waiting` or further. */
  let taken: Place = journal.end();
  let timer: NodeJS.Timeout | null = null;
  let absorbing: Promise<void> = Promise.resolve();
  let failure: unknown = null;
  let isClosing = false;
  /** Whoever appends takes turns. */
  let turn: Promise<unknown> = Promise.resolve();

  function absorbSoon(): void {
    if (waitingBytes >= absorbBytesMax) absorbNow();
    else timer ??= setTimeout(absorbNow, absorbWithinMs).unref();
  }

  /** One at a time; what fails is told by the next commit, and the journal still has it all. */
  function absorbNow(thenMark = false): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    absorbing = absorbing
      .then(() => handOver(thenMark))
      .catch((error: unknown) => {
        failure ??= error;
      });
  }

  async function handOver(demanded: boolean): Promise<void> {
    if ((waiting.size === 0 && !demanded) || failure !== null) return;
    handed = waiting;
    waiting = new Map();
    waitingBytes = 0;
    const end = taken;
    // LevelDB must never know of a frame that a power failure can still take from the journal.
    await journal.sync();
    await level.write([...handed.values(), placeAt(takenKey, end)], false);
    handed = new Map();
    if (unmarkedBytes < markEveryBytes && !demanded) return;
    unmarkedBytes = 0;
    marked = end;
    await mark(level, end);
  }

  /** With `thenMark`, no start reads again what was appended so far. */
  async function settled(thenMark = false): Promise<void> {
    absorbNow(thenMark);
    await absorbing;
    if (failure !== null) throw failure;
  }

  function append(records: readonly StoredRecord[], sync: boolean): Promise<void> {
    const done = turn.then(() => appendNext(records, sync));
    turn = done.catch(() => undefined);
    return done;
  }

  async function appendNext(records: readonly StoredRecord[], sync: boolean): Promise<void> {
    if (failure !== null) throw failure;
    if (journal.isFull()) await journal.rotate();
    const place = journal.end();
    const frame = encodeFrame(records);
    await journal.append(frame, sync);
    // Durable from this line on.
    taken = { segment: place.segment, offset: place.offset + frame.length };
    for (const record of absorbedRecords(records, place)) {
      waiting.set(record.key.toString('latin1'), record);
      waitingBytes += record.value.length;
    }
    unmarkedBytes += frame.length;
    absorbSoon();
  }

  /** What LevelDB has of a record, or is about to have. */
  async function current(key: Buffer): Promise<Buffer | undefined> {
    const name = key.toString('latin1');
    const known = waiting.get(name) ?? handed.get(name);
    return known === undefined ? level.get(key) : (known.value ?? undefined);
  }

  const erasing = createErasing(
    {
      dir,
      place: async (key) => {
        const value = await current(key);
        return value === undefined ? null : decodeReference(value);
      },
      read: (extent) => reader.read(extent),
      append: (records) => append(records, true),
      remove: (keys) => {
        for (const key of keys) waiting.set(key.toString('latin1'), { key, value: null });
      },
      settle: () => settled(true),
      note: (changes) => level.write(changes, true),
      noted: (key) => level.get(key),
      currentSegment: () => journal.end().segment,
      forget: (segment) => reader.forget(segment),
    },
    onStep,
  );
  await erasing.finish();

  return {
    commit: append,
    get: async (key) => resolved(reader, key, await current(key), current),
    scan: async function* (range) {
      await settled();
      yield* scanResolved(level, reader, range, current);
    },
    rewriteBodies: erasing.rewriteBodies,
    reclaim: erasing.reclaim,
    readUnfinishedFrom: async () => {
      const value = await level.get(unfinishedKey);
      return value === undefined ? null : Number(value.readBigUInt64BE());
    },
    writeUnfinishedFrom: (seq) =>
      level.write([{ key: unfinishedKey, value: seq === null ? null : u64(seq) }], true),
    close: async () => {
      try {
        // Once: a full disk that takes no mark must not keep the directory from being let go. The journal has it all.
        if (isClosing) return;
        isClosing = true;
        await erasing.idle();
        absorbNow();
        await absorbing;
        if (failure === null && !isSame(taken, marked)) await mark(level, taken);
      } finally {
        journal.close();
        reader.close();
        await level.close();
      }
    },
  };
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

async function* scanResolved(
  level: RecordStore,
  reader: JournalReader,
  range: ScanRange,
  current: (key: Buffer) => Promise<Buffer | undefined>,
): AsyncGenerator<StoredRecord> {
  for await (const { key, value } of level.scan({ ...range, to: range.to ?? lastRecordKey })) {
    if (range.withoutBodies === true && isBodiesKey(key)) continue;
    const found = await resolved(reader, key, value, current);
    if (found !== undefined) yield { key, value: found };
  }
}

/**
 * A bodies record from where it lies; empty, which no bodies record is, where the journal has lost it. What was
 * erased or moved while it was read lies elsewhere `current`ly, or nowhere.
 */
async function resolved(
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

function placeAt(key: Buffer, place: Place): StoredRecord {
  return { key, value: encodeReference({ ...place, bytes: 0 }) };
}

async function readPlace(level: RecordStore, key: Buffer): Promise<Place | null> {
  const value = await level.get(key);
  return value === undefined ? null : decodeReference(value);
}
