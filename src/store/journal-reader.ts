/** Reads values of the journal back by their place; needs no lock, and opens few files at a time. */
import { closeSync, existsSync, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { readFlags } from './disk-work.ts';
import { type Extent, segmentFile } from './journal.ts';

const readAt = promisify(read);

export interface JournalReader {
  /**
   * The bytes at a place; fewer where the segment ends early or is gone. What is overwritten meanwhile begins with zeros,
   * however much of it was read before.
   */
  read(extent: Extent): Promise<Buffer>;
  /** Lets a segment go that was removed, so that its space is free. */
  forget(segment: number): void;
  close(): void;
}

/** Segments that stay open for reading; of those nobody reads, the one used longest ago is closed first. */
const openSegmentsMax = 16;

interface OpenSegment {
  readonly fd: number;
  users: number;
}

const headBytes = 4;
/** So much is allocated without asking how much there is. */
const unaskedBytesMax = 64 * 1024;

/** How much there may be of what is asked for: what a damaged reference asks for is not allocated. */
function bytesAt(fd: number, offset: number, asked: number): number {
  return asked <= unaskedBytesMax ? asked : fstatSync(fd).size - offset;
}

/** Whoever overwrites begins with the first byte: while that stands, what was read by then was whole. */
function markOverwritten(fd: number, offset: number, value: Buffer): void {
  const head = Buffer.alloc(headBytes);
  if (value.length < headBytes || readSync(fd, head, 0, headBytes, offset) < headBytes) return;
  if (head.readUInt32BE(0) === 0) value.fill(0, 0, headBytes);
}

/** Reads values back by their place; needs no lock. */
export function openJournalReader(dir: string): JournalReader {
  /** In the order of their last use. Owns the descriptors. */
  const files = new Map<number, OpenSegment>();

  /** Null where there is no such segment. */
  function take(segment: number): OpenSegment | null {
    const path = segmentFile(dir, segment);
    const known = files.get(segment);
    if (known === undefined && !existsSync(path)) return null;
    const file = known ?? { fd: openSync(path, readFlags), users: 0 };
    file.users += 1;
    files.delete(segment);
    files.set(segment, file);
    return file;
  }

  function closeIdle(keep: number): void {
    for (const [segment, { fd, users }] of files) {
      if (files.size <= keep) return;
      if (users > 0) continue;
      files.delete(segment);
      closeSync(fd);
    }
  }

  return {
    read: async ({ segment, offset, bytes }) => {
      const file = take(segment);
      if (file === null) return Buffer.alloc(0);
      try {
        const buffer = Buffer.alloc(Math.max(0, Math.min(bytes, bytesAt(file.fd, offset, bytes))));
        let done = 0;
        while (done < buffer.length) {
          const { bytesRead } = await readAt(file.fd, buffer, done, buffer.length - done, offset + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        markOverwritten(file.fd, offset, buffer.subarray(0, done));
        return buffer.subarray(0, done);
      } finally {
        file.users -= 1;
        if (files.get(segment) !== file && file.users === 0) closeSync(file.fd);
        closeIdle(openSegmentsMax);
      }
    },
    forget: (segment) => {
      const file = files.get(segment);
      files.delete(segment);
      // Whoever reads from it still closes it.
      if (file?.users === 0) closeSync(file.fd);
    },
    close: () => closeIdle(0),
  };
}
