/**
 * The ledger's store: a commit is durable as one frame of the journal, and LevelDB takes in the blocks shortly
 * after, many commits at a time. Bodies stay in the journal; LevelDB keeps where. FORMAT.md, "Files".
 */
import { HoldpointError } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import { isBodiesKey } from '../ledger/block.ts';
import { encodeFrameIn } from '../ledger/frame.ts';
import type { LedgerStore, StoredRecord } from '../ledger/store.ts';
import { absorb, absorbBytesMax, absorbedRecords, lastSeqOf } from './absorbing.ts';
import { createErasing } from './erasing.ts';
import type { ErasingStep } from './erasing-store.ts';
import { createFrameMemory } from './frame-memory.ts';
import { type Journal, openJournal, type Place, syncLastSegment } from './journal.ts';
import { openJournalReader } from './journal-reader.ts';
import { createLatelyRead } from './lately-read.ts';
import { type Change, type LevelStore, openLevelStore } from './level.ts';
import { encodeReach, isSame, lastKey, readReach } from './reach.ts';
import { decodeReference } from './reference.ts';
import { resolved, scanResolved } from './resolving.ts';
import { parseRestored } from './restored.ts';
import { type RoomOptions, usualRoom } from './room.ts';

/** How long LevelDB may lag behind the journal while calls come in; how much, absorbing.ts says. */
const absorbWithinMs = 100;
/** A start reads about this much of the journal again at the most, after a kill or a power failure. */
const flushEveryBytes = 32 * 1024 * 1024;
/** Sorted after every record's key, as those of erasing.ts. */
const unfinishedKey = Buffer.from('erasing');
const restoredKey = Buffer.from('restored');

/** Opens the store in `dir`, exclusively; `data_dir_locked` when it is in use, `ledger_damaged` when it cannot be. */
export async function openLedgerStore(
  dir: string,
  onStep: (step: ErasingStep) => void = () => undefined,
  room: RoomOptions = usualRoom,
): Promise<LedgerStore> {
  const level = await openLevelStore(dir);
  try {
    const reach = await readReach(level);
    // LevelDB must not know of a frame that a power failure can still take from the journal, here as in `handOver`.
    await syncLastSegment(dir);
    const { end, seq } = await absorb(level, dir, reach);
    if (end === null) await requireNothingTaken(level, dir);
    if (end !== null && !isSame(end, reach?.inTables ?? null)) await putInTables(level, seq, end);
    const journal = await openJournal(dir, end, room);
    try {
      return await journaled(dir, level, journal, seq, onStep);
    } catch (error) {
      // Before LevelDB lets the directory go: what still makes room must not write into another's journal.
      await journal.close();
      throw error;
    }
  } catch (error) {
    await level.close();
    throw error;
  }
}

/** Where the journal has no whole frame it is begun, which is for a LevelDB that never took anything from one. */
async function requireNothingTaken(level: LevelStore, dir: string): Promise<void> {
  for await (const _ of level.scan({ to: lastKey, limit: 1, keysOnly: true }))
    throw new HoldpointError(
      'ledger_damaged',
      `The journal in ${dir} has no whole frame, but LevelDB has what it once took from it.`,
      'Nothing was changed. Keep the directory as it is, and restore a backup.',
    );
}

/** Whatever LevelDB loses from here on, the journal before `end` need not be read for it: it is in tables. */
async function putInTables(level: LevelStore, seq: number, end: Place): Promise<void> {
  // LevelDB does not sync a log that it has done with: a reach in the next one could outlive what was in it.
  await level.flush();
  await level.write([encodeReach({ seq, taken: end, inTables: end })], true);
}

async function journaled(
  dir: string,
  level: LevelStore,
  journal: Journal,
  lastSeq: number,
  onStep: (step: ErasingStep) => void,
): Promise<LedgerStore> {
  const reader = openJournalReader(dir);
  /** In the journal, not yet handed to LevelDB; then handed over, not yet acknowledged. */
  let waiting = new Map<string, Change>();
  let handed = new Map<string, Change>();
  let waitingBytes = 0;
  let unflushedBytes = 0;
  const openedAt: Place = journal.end();
  let inTables = openedAt;
  /** After the last frame whose records are in `waiting` or further, and the highest seq of these. */
  let taken = openedAt;
  let seq = lastSeq;
  let timer: NodeJS.Timeout | null = null;
  let absorbing: Promise<void> = Promise.resolve();
  let failure: unknown = null;
  let isClosing = false;
  /** Whoever appends takes turns. */
  const inTurn = createInTurn();
  /** So one frame is there at a time, and done with when it is appended. */
  const memoryForFrame = createFrameMemory();

  function absorbSoon(): void {
    if (waitingBytes >= absorbBytesMax) absorbNow();
    else timer ??= setTimeout(absorbNow, absorbWithinMs).unref();
  }

  /** One at a time; what fails is told by the next commit, and the journal still has it all. */
  function absorbNow(intoTables = false): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    absorbing = absorbing
      .then(() => handOver(intoTables))
      .catch((error: unknown) => {
        failure ??= error;
      });
  }

  async function handOver(intoTables: boolean): Promise<void> {
    if ((waiting.size === 0 && !intoTables) || failure !== null) return;
    handed = waiting;
    waiting = new Map();
    waitingBytes = 0;
    const [end, endSeq] = [taken, seq];
    // LevelDB must never know of a frame that a power failure can still take from the journal.
    await journal.sync();
    await level.write([...handed.values(), encodeReach({ seq: endSeq, taken: end, inTables })], false);
    handed = new Map();
    if (unflushedBytes < flushEveryBytes && !intoTables) return;
    unflushedBytes = 0;
    // Told with what is handed over next: written once more, the reach would make the next table overlap this one.
    if (intoTables) await putInTables(level, endSeq, end);
    else await level.flush();
    inTables = end;
  }

  /** With `intoTables`, no start reads again what was appended so far. */
  async function settled(intoTables = false): Promise<void> {
    absorbNow(intoTables);
    await absorbing;
    if (failure !== null) throw failure;
  }

  function append(records: readonly StoredRecord[], sync: boolean): Promise<void> {
    return inTurn(() => appendNext(records, sync));
  }

  async function appendNext(records: readonly StoredRecord[], sync: boolean): Promise<void> {
    if (failure !== null) throw failure;
    if (journal.isFull()) await journal.rotate();
    const place = journal.end();
    const frame = encodeFrameIn(memoryForFrame, records);
    await journal.append(frame, sync);
    // Durable from this line on.
    taken = { segment: place.segment, offset: place.offset + frame.length };
    seq = Math.max(seq, lastSeqOf(records));
    for (const record of absorbedRecords(records, place)) {
      waiting.set(record.key.toString('latin1'), record);
      waitingBytes += record.value.length;
    }
    unflushedBytes += frame.length;
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
      record: current,
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
  try {
    await erasing.finish();
  } catch (error) {
    // Nothing of it is handed over any more: the journal has it, for the next start.
    failure ??= error;
    await absorbing;
    reader.close();
    throw error;
  }
  const lately = createLatelyRead();

  return {
    commit: append,
    get: async (key) => {
      if (!isBodiesKey(key)) return current(key);
      const known = lately.find(key);
      if (known !== undefined) return known;
      const keep = lately.reading();
      const value = await resolved(reader, key, await current(key), current);
      keep(key, value);
      return value;
    },
    scan: async function* (range) {
      await settled();
      yield* scanResolved(level, reader, range, current);
    },
    rewriteBodies: (keys, rewrite) => lately.during(() => erasing.rewriteBodies(keys, rewrite)),
    reclaim: erasing.reclaim,
    readUnfinishedFrom: async () => {
      const value = await level.get(unfinishedKey);
      return value === undefined ? null : Number(value.readBigUInt64BE());
    },
    writeUnfinishedFrom: (seq) =>
      level.write([{ key: unfinishedKey, value: seq === null ? null : u64(seq) }], true),
    readRestored: async () => {
      const value = await level.get(restoredKey);
      return value === undefined ? null : parseRestored(value.toString('utf8'), dir);
    },
    writeRestored: (restored) =>
      level.write(
        [{ key: restoredKey, value: restored === null ? null : Buffer.from(JSON.stringify(restored)) }],
        true,
      ),
    close: async () => {
      try {
        // Once: a full disk that takes no reach must not keep the directory from being let go. The journal has it all.
        if (isClosing) return;
        isClosing = true;
        await erasing.idle();
        // In its turn: LevelDB would be told that it has what is appended meanwhile, and no start would look for that again.
        await inTurn(async () => {
          absorbNow();
          await absorbing;
          if (failure === null && !isSame(taken, openedAt)) await putInTables(level, seq, taken);
        });
      } finally {
        reader.close();
        try {
          // What is being appended comes first: it lies where room is cut away otherwise. What comes later is refused.
          await inTurn(() => {
            failure ??= letGo();
            return journal.close();
          });
        } finally {
          await level.close();
        }
      }
    },
  };
}

/** The directory may be another's by now. */
function letGo(): HoldpointError {
  return new HoldpointError('ledger_unavailable', 'The ledger was closed meanwhile.', 'Ask again.');
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
