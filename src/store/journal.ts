/**
 * The journal: append-only segment files beside LevelDB's own, one frame per commit (FORMAT.md, "Journal").
 * A frame is durable before anything in LevelDB is; bodies stay here for good and are never rewritten by
 * compaction. Owns the segments and the place where the next frame goes.
 */
import { closeSync, constants, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldpointError } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import { streamHeader } from '../ledger/frame.ts';
import { openAt, syncData, writeAll } from './disk-work.ts';
import { createRoom, type Room, type RoomOptions, usualRoom } from './room.ts';
import { syncDirectory, syncPath } from './whole-file.ts';

/** Where a frame, or a value within one, begins. */
export interface Place {
  /** Counted from 1. */
  readonly segment: number;
  readonly offset: number;
}

export interface Extent extends Place {
  readonly bytes: number;
}

export interface Journal {
  /** Where the next frame goes. */
  end(): Place;
  /**
   * Appends one frame; with `sync`, resolves only when it is on disk. If it rejects, the frame may or may not
   * be there, whole or in part: close, and open again from what is found.
   */
  append(frame: Buffer, sync: boolean): Promise<void>;
  /** Resolves when all that was appended is on disk. */
  sync(): Promise<void>;
  /** True once the segment is full: `rotate` before the next append. */
  isFull(): boolean;
  /** Begins the next segment; resolves when its file will still be there after a power failure. */
  rotate(): Promise<void>;
  /** Gives back what was made ready behind the last frame. */
  close(): Promise<void>;
}

/** Small enough to be rewritten when its bodies are due, large enough to be few. */
const segmentBytesMax = 64 * 1024 * 1024;
const segmentName = /^journal-(\d{10})\.hpj$/;

export function segmentFile(dir: string, segment: number): string {
  return join(dir, `journal-${String(segment).padStart(10, '0')}.hpj`);
}

/** The numbers of the segments in `dir`, ascending. */
export async function segmentsIn(dir: string): Promise<number[]> {
  const names = await readdir(dir);
  return names
    .flatMap((name) => segmentName.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Opens the journal to append at `end`, the place after the last whole frame; what a cut-off write left behind
 * it goes. Null begins the journal. The directory is owned by whoever holds LevelDB's lock.
 */
export async function openJournal(
  dir: string,
  end: Place | null,
  roomOptions: RoomOptions = usualRoom,
): Promise<Journal> {
  let segment = end?.segment ?? 1;
  let offset = end?.offset ?? 0;
  /** One opened to write through to the disk, one not; each when it is first needed. */
  let files: { synced?: number; unsynced?: number } = {};
  let broken: unknown = null;
  let hasUnsynced = false;
  const inTurn = createInTurn();
  let room: Room = createRoom(segmentFile(dir, segment), roomOptions);
  if (end === null) await begin(segment);
  else cut(dir, end);

  async function begin(number: number): Promise<void> {
    const file = segmentFile(dir, number);
    const fd = await openAt(file, constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY, 0o600);
    try {
      await writeAll(fd, streamHeader, 0);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    syncDirectory(dir);
    segment = number;
    offset = streamHeader.length;
    room = createRoom(file, roomOptions);
  }

  async function fileFor(sync: boolean): Promise<number> {
    const kind = sync ? 'synced' : 'unsynced';
    const known = files[kind];
    if (known !== undefined) return known;
    // Writing and waiting for the disk in one call, rather than two trips through the thread pool.
    const fd = await openAt(
      segmentFile(dir, segment),
      constants.O_WRONLY | (sync ? constants.O_DSYNC : 0),
      0o600,
    );
    files = { ...files, [kind]: fd };
    return fd;
  }

  /** Whoever asks while one is under way waits for that too: its file must not be closed before it ends. */
  function syncAll(): Promise<void> {
    return inTurn(async () => {
      if (broken !== null) throw broken;
      if (!hasUnsynced || files.unsynced === undefined) return;
      hasUnsynced = false;
      try {
        await syncData(files.unsynced);
      } catch (error) {
        // What it did not write may be lost from the system's memory too: a later success would say nothing.
        broken = error;
        throw error;
      }
    });
  }

  /** What room there is goes, so that a segment that is done with ends where its last frame does. */
  async function close(): Promise<void> {
    await room.idle();
    for (const fd of Object.values(files)) closeSync(fd);
    files = {};
    const hasRoom = room.isBehind(offset);
    // Once: where it is closed a second time the directory may be another's by now.
    room = createRoom(segmentFile(dir, segment), roomOptions);
    if (broken === null && hasRoom) cut(dir, { segment, offset });
  }

  return {
    end: () => ({ segment, offset }),
    isFull: () => offset >= segmentBytesMax,
    append: async (frame, sync) => {
      if (broken !== null) throw broken;
      try {
        const file = await fileFor(sync);
        if (!room.has(offset + frame.length)) await room.free();
        await writeAll(file, frame, offset);
        offset += frame.length;
        if (sync) room.ensure(offset, frame.length);
        else hasUnsynced = true;
      } catch (error) {
        broken = error;
        throw error;
      }
    },
    sync: syncAll,
    rotate: async () => {
      await syncAll();
      await close();
      await begin(segment + 1);
    },
    close,
  };
}

/** Takes away what follows the last whole frame. */
function cut(dir: string, { segment, offset }: Place): void {
  const file = segmentFile(dir, segment);
  if (!existsSync(file)) throw damaged(file, 'it is gone');
  const fd = openSync(file, 'r+');
  try {
    const { size } = fstatSync(fd);
    if (size < offset) throw damaged(file, `it ends at byte ${size}, before ${offset}`);
    if (size === offset) return;
    ftruncateSync(fd, offset);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Puts on disk what was written without waiting for it (relaxed durability) by a process that was killed. The last segment
 * is enough: `rotate` waits for the disk before it begins another.
 */
export async function syncLastSegment(dir: string): Promise<void> {
  const last = (await segmentsIn(dir)).at(-1);
  if (last !== undefined) syncPath(segmentFile(dir, last));
}

export function damaged(file: string, what: string): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    `The journal's segment ${file} is damaged: ${what}.`,
    'Nothing was changed. Keep the directory as it is, and run `holdpoint verify` on it. If it is intact, `holdpoint ledger backup` takes all of it, and what `holdpoint ledger restore` makes of that is sound; if not, restore an earlier backup.',
  );
}
