/**
 * The ledger's store: a commit is durable as one frame of the journal, and LevelDB takes in the blocks shortly
 * after, many commits at a time. Bodies stay in the journal; LevelDB keeps where. FORMAT.md, "Files".
 */

import { isBodiesKey } from '../ledger/block.ts';
import { encodeFrame } from '../ledger/frame.ts';
import type { LedgerStore, ScanRange, StoredRecord } from '../ledger/store.ts';
import {
  type Extent,
  framesFrom,
  type Journal,
  type JournalReader,
  openJournal,
  openJournalReader,
  type Place,
} from './journal.ts';
import { type LevelCopy, openLevelCopy, openLevelStore } from './level.ts';

/** How long, and how much, LevelDB may lag behind the journal while calls come in. */
const absorbWithinMs = 100;
const absorbBytesMax = 256 * 1024;
/** After this much of the journal LevelDB is synced, so that a start never reads more of it again. */
const syncEveryBytes = 64 * 1024 * 1024;
/** Sorts after every record's key, whose first byte is 0. */
const absorbedKey = Buffer.from('journal');
const lastRecordKey = Buffer.from([0, ...Array<number>(8).fill(0xff)]);
const referenceMagic = Buffer.from('HPR1');
const referenceBytes = 20;
const keyAndLengthBytes = 13;
const frameHeaderBytes = 8;

/** Opens the store in `dir`, exclusively; `data_dir_locked` when it is in use, `ledger_damaged` when it cannot be. */
export async function openLedgerStore(dir: string): Promise<LedgerStore> {
  const level = await openLevelStore(dir);
  try {
    const absorbed = await readAbsorbed(level);
    const end = await absorb(level, dir, absorbed, true);
    return journaled(level, await openJournal(dir, end), openJournalReader(dir));
  } catch (error) {
    await level.close();
    throw error;
  }
}

/** As `openLevelCopy`: reads a store, or one that is being written, without changing one byte of it. */
export async function openLedgerCopy(
  dir: string,
  under?: string,
  checkedBytesMax?: number,
): Promise<LevelCopy> {
  const level = await openLevelCopy(dir, under, checkedBytesMax);
  const reader = openJournalReader(dir);
  const close = (): Promise<void> => {
    reader.close();
    return level.close();
  };
  try {
    await absorb(level, dir, await readAbsorbed(level), false);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...level,
    get: async (key) => resolved(reader, key, await level.get(key)),
    scan: (range) => scanResolved(level, reader, range),
    close,
  };
}

/** Puts into LevelDB what only the journal has; returns where the journal's whole frames end. */
async function absorb(
  level: LedgerStore,
  dir: string,
  from: Place | null,
  sync: boolean,
): Promise<Place | null> {
  let end = from;
  let batch: StoredRecord[] = [];
  let bytes = 0;
  const put = async (): Promise<void> => {
    if (end === null || batch.length === 0) return;
    await level.commit([...batch, absorbedAt(end)], sync);
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

/** What LevelDB keeps of a frame: bodies by reference, everything else as it is. */
function absorbedRecords(records: readonly StoredRecord[], place: Place): StoredRecord[] {
  let offset = place.offset + frameHeaderBytes;
  return records.map(({ key, value }) => {
    const extent = { segment: place.segment, offset: offset + keyAndLengthBytes, bytes: value.length };
    offset += keyAndLengthBytes + value.length;
    return isBodiesKey(key) ? { key, value: encodeReference(extent) } : { key, value };
  });
}

function journaled(level: LedgerStore, journal: Journal, reader: JournalReader): LedgerStore {
  /** In the journal, not yet handed to LevelDB; then handed over, not yet acknowledged. */
  let waiting = new Map<string, StoredRecord>();
  let handed = new Map<string, StoredRecord>();
  let waitingBytes = 0;
  let unsyncedBytes = 0;
  /** After the last frame whose records are in `waiting` or further. */
  let taken: Place = journal.end();
  let timer: NodeJS.Timeout | null = null;
  let absorbing: Promise<void> = Promise.resolve();
  let failure: unknown = null;

  function absorbSoon(): void {
    if (waitingBytes >= absorbBytesMax) absorbNow();
    else timer ??= setTimeout(absorbNow, absorbWithinMs).unref();
  }

  /** One at a time; what fails is told by the next commit, and the journal still has it all. */
  function absorbNow(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    absorbing = absorbing.then(handOver).catch((error: unknown) => {
      failure ??= error;
    });
  }

  async function handOver(): Promise<void> {
    if (waiting.size === 0 || failure !== null) return;
    handed = waiting;
    waiting = new Map();
    waitingBytes = 0;
    const end = taken;
    const sync = unsyncedBytes >= syncEveryBytes;
    if (sync) unsyncedBytes = 0;
    // LevelDB must never know of a frame that a power failure can still take from the journal.
    await journal.sync();
    await level.commit([...handed.values(), absorbedAt(end)], sync);
    handed = new Map();
  }

  async function settled(): Promise<void> {
    absorbNow();
    await absorbing;
    if (failure !== null) throw failure;
  }

  return {
    commit: async (records, sync) => {
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
      unsyncedBytes += frame.length;
      absorbSoon();
    },
    get: async (key) => {
      const name = key.toString('latin1');
      const known = waiting.get(name) ?? handed.get(name);
      return resolved(reader, key, known?.value ?? (await level.get(key)));
    },
    scan: async function* (range) {
      await settled();
      yield* scanResolved(level, reader, range);
    },
    close: async () => {
      try {
        absorbNow();
        await absorbing;
      } finally {
        journal.close();
        reader.close();
        await level.close();
      }
    },
  };
}

async function* scanResolved(
  level: LedgerStore,
  reader: JournalReader,
  range: ScanRange,
): AsyncGenerator<StoredRecord> {
  for await (const { key, value } of level.scan({ ...range, to: range.to ?? lastRecordKey })) {
    if (range.withoutBodies === true && isBodiesKey(key)) continue;
    const found = await resolved(reader, key, value);
    if (found !== undefined) yield { key, value: found };
  }
}

/** A bodies record from where it lies; empty, which no bodies record is, where the journal has lost it. */
async function resolved(
  reader: JournalReader,
  key: Buffer,
  value: Buffer | undefined,
): Promise<Buffer | undefined> {
  if (value === undefined || !isBodiesKey(key)) return value;
  const extent = decodeReference(value);
  if (extent === null) return Buffer.alloc(0);
  const found = await reader.read(extent);
  return found.length === extent.bytes ? found : Buffer.alloc(0);
}

function absorbedAt(end: Place): StoredRecord {
  return { key: absorbedKey, value: encodeReference({ ...end, bytes: 0 }) };
}

async function readAbsorbed(level: LedgerStore): Promise<Place | null> {
  const value = await level.get(absorbedKey);
  return value === undefined ? null : decodeReference(value);
}

/** "HPR1" || u32 segment || u64 offset || u32 length of the value. */
function encodeReference({ segment, offset, bytes }: Extent): Buffer {
  const value = Buffer.alloc(referenceBytes);
  referenceMagic.copy(value);
  value.writeUInt32BE(segment, 4);
  value.writeBigUInt64BE(BigInt(offset), 8);
  value.writeUInt32BE(bytes, 16);
  return value;
}

function decodeReference(value: Buffer): Extent | null {
  if (value.length !== referenceBytes || !value.subarray(0, 4).equals(referenceMagic)) return null;
  return {
    segment: value.readUInt32BE(4),
    offset: Number(value.readBigUInt64BE(8)),
    bytes: value.readUInt32BE(16),
  };
}
