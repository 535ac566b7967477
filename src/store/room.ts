/**
 * Room behind the end of a segment: zeros that are on disk before a frame takes their place. A frame that replaces bytes
 * leaves the length of the file and where it lies as they are, so that the disk is waited for once; where the file grows,
 * the file system waits for it a second time, for its own journal. Nothing else may write where zeros are on their way.
 */
import { closeSync, constants } from 'node:fs';
import { openAt, syncData, writeAll } from './disk-work.ts';

export interface RoomOptions {
  /** How much is made at a time: when half of it is left, more is. */
  readonly bytes: number;
  /** Not before so much was appended to the segment: a sidecar that is called now and then needs none. */
  readonly afterBytes: number;
  /** For frames up to this: a longer one carries many calls, for which its bytes would be written twice to save little. */
  readonly frameBytesMax: number;
}

export const usualRoom: RoomOptions = {
  bytes: 1024 * 1024,
  afterBytes: 64 * 1024,
  frameBytesMax: 16 * 1024,
};

export interface Room {
  /** True where everything up to the byte `to` may be written at once. */
  has(to: number): boolean;
  /** Resolves when anything may be written anywhere. Rejects with what the disk said to the zeros, for good. */
  free(): Promise<void>;
  /** Has more of it made behind the byte `end`, where a frame of so many bytes ends and little is left. Nobody waits for that. */
  ensure(end: number, frameBytes: number): void;
  /** Resolves when it writes nothing; whether that went well `free` says. */
  idle(): Promise<void>;
  /** True where the file may go on behind the byte `end`. */
  isBehind(end: number): boolean;
}

/** Others of the file's writers wait while one piece is written. */
const pieceBytesMax = 256 * 1024;
const zeros = Buffer.alloc(pieceBytesMax);

/** Makes none until it is told where the segment ends. */
export function createRoom(file: string, { bytes, afterBytes, frameBytesMax }: RoomOptions): Room {
  /** There are zeros on disk up to here, or there were until frames replaced them. */
  let until = 0;
  let firstEnd: number | null = null;
  let making: Promise<void> | null = null;
  /** So far zeros were to go; more than `until` where not all of them did. */
  let wantedUntil = 0;
  /** No more is made: frames go on without, as they do where the file grows. */
  let isOver = false;
  let failure: unknown = null;

  async function make(from: number): Promise<void> {
    try {
      const fd = await opened(file);
      if (fd === null) {
        isOver = true;
        return;
      }
      wantedUntil = from + bytes;
      await writeZeros(fd, from, bytes);
      until = wantedUntil;
    } catch (error) {
      // The disk tells whoever needs what it does not have: an append that goes beyond the zeros.
      if (isNoSpace(error)) isOver = true;
      else failure = error;
    } finally {
      making = null;
    }
  }

  return {
    has: (to) => to <= until || (making === null && failure === null),
    free: async () => {
      await making;
      if (failure !== null) throw failure;
    },
    ensure: (end, frameBytes) => {
      firstEnd ??= end;
      const isEnough = end - firstEnd < afterBytes || until - end > bytes / 2;
      if (isEnough || frameBytes > frameBytesMax || making !== null || isOver || failure !== null) return;
      making = make(Math.max(until, end));
    },
    idle: async () => {
      await making;
    },
    isBehind: (end) => wantedUntil > end,
  };
}

/** Null where it cannot be, as where too many files are open: nothing was written then, so nothing is in doubt. */
async function opened(file: string): Promise<number | null> {
  try {
    return await openAt(file, constants.O_WRONLY, 0o600);
  } catch {
    return null;
  }
}

/** Resolves when they are on disk: what is only in the system's memory has no place there yet. Closes the file. */
async function writeZeros(fd: number, from: number, bytes: number): Promise<void> {
  try {
    for (let done = 0; done < bytes; done += pieceBytesMax)
      await writeAll(fd, zeros.subarray(0, Math.min(pieceBytesMax, bytes - done)), from + done);
    await syncData(fd);
  } finally {
    closeSync(fd);
  }
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
