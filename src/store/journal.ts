/**
 * The journal: append-only segment files beside LevelDB's own, one frame per commit (FORMAT.md, "Journal").
 * A frame is durable before anything in LevelDB is; bodies stay here for good and are never rewritten by
 * compaction. Owns the segments and the place where the next frame goes.
 */
import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  open as openFile,
  openSync,
  write,
} from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HoldpointError } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import { type Frame, readFrames, streamHeader } from '../ledger/frame.ts';
import { frameBehind } from './frame-behind.ts';

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
  close(): void;
}

/** Small enough to be rewritten when its bodies are due, large enough to be few. */
const segmentBytesMax = 64 * 1024 * 1024;
const segmentName = /^journal-(\d{10})\.hpj$/;
const readBytes = 1024 * 1024;
const writeAt = promisify(write);
const syncData = promisify(fdatasync);
const openAt = promisify<string, number, number, number>(openFile);

export function isSegment(name: string): boolean {
  return segmentName.test(name);
}

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
export async function openJournal(dir: string, end: Place | null): Promise<Journal> {
  let segment = end?.segment ?? 1;
  let offset = end?.offset ?? 0;
  /** One opened to write through to the disk, one not; each when it is first needed. */
  let files: { synced?: number; unsynced?: number } = {};
  let broken: unknown = null;
  let hasUnsynced = false;
  const inTurn = createInTurn();
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

  function close(): void {
    for (const fd of Object.values(files)) closeSync(fd);
    files = {};
  }

  return {
    end: () => ({ segment, offset }),
    isFull: () => offset >= segmentBytesMax,
    append: async (frame, sync) => {
      if (broken !== null) throw broken;
      try {
        await writeAll(await fileFor(sync), frame, offset);
        offset += frame.length;
        if (!sync) hasUnsynced = true;
      } catch (error) {
        broken = error;
        throw error;
      }
    },
    sync: syncAll,
    rotate: async () => {
      await syncAll();
      close();
      await begin(segment + 1);
    },
    close,
  };
}

async function writeAll(fd: number, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await writeAt(fd, bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
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

/** A file that was just made, or removed, is only so after a power failure when its directory was synced too. */
export function syncDirectory(dir: string): void {
  syncPath(dir);
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export interface FoundFrame extends Pick<Frame, 'records'> {
  readonly place: Place;
  readonly end: Place;
}

/**
 * The whole frames from a place on, null for the first. Ends at the first that is not whole: the last write may
 * have been cut off. Throws `ledger_damaged` where more follows, in a later segment or behind it: no crash leaves that.
 */
export async function* framesFrom(dir: string, from: Place | null): AsyncGenerator<FoundFrame> {
  const segments = (await segmentsIn(dir)).filter((segment) => segment >= (from?.segment ?? 0));
  const last = segments.at(-1);
  for (const segment of segments) {
    const skipped = segment === from?.segment ? from.offset - streamHeader.length : 0;
    const bytes = segmentBytes(segmentFile(dir, segment), skipped);
    try {
      for await (const frame of readFrames(bytes)) {
        if (frame.kind === 'defect') {
          const [file, at] = [segmentFile(dir, segment), frame.at + skipped];
          const behind = segment === last ? await frameBehind(file, at) : null;
          if (segment === last && behind === null) return;
          const more = behind === null ? 'more follows' : `at byte ${behind} there is one`;
          throw damaged(file, `at byte ${at} it has no whole frame (${frame.reason}), and ${more}`);
        }
        yield {
          records: frame.records,
          place: { segment, offset: frame.at + skipped },
          end: { segment, offset: frame.end + skipped },
        };
      }
    } finally {
      // Whoever stops early leaves its file open otherwise.
      await bytes.return(undefined);
    }
  }
}

/** A segment as a stream of its own: its header, then its bytes from where reading goes on. */
async function* segmentBytes(file: string, skippedBytes: number): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r');
  try {
    let position = 0;
    if (skippedBytes > 0) {
      yield streamHeader;
      position = streamHeader.length + skippedBytes;
    }
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(readBytes), 0, readBytes, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function damaged(file: string, what: string): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    `The journal's segment ${file} is damaged: ${what}.`,
    'Nothing was changed. Keep the directory as it is, and run `holdpoint verify` on it. If it is intact, `holdpoint ledger backup` takes all of it, and what `holdpoint ledger restore` makes of that is sound; if not, restore an earlier backup.',
  );
}
