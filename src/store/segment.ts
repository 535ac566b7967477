/**
 * One segment of the journal as a file in which values lie: which there are, and overwriting some in place.
 * FORMAT.md, "Journal". A frame keeps its length and place; its checksum is made to fit what it holds then.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { HoldpointError } from '../core/errors.ts';
import { isBodiesKey } from '../ledger/block.ts';
import { frameHeaderBytes, streamHeader } from '../ledger/frame.ts';

/** A value of the segment, by the byte at which it begins. */
export interface Placed {
  readonly key: Buffer;
  readonly offset: number;
  readonly bytes: number;
}

interface PlacedBodies extends Placed {
  /** Overwritten: it holds nothing any more. */
  readonly isWiped: boolean;
  /** Byte at which its frame begins. */
  readonly frame: number;
}

/** How much of a segment is what. */
export interface SegmentUse {
  readonly fileBytes: number;
  /** Of bodies that are not wiped. */
  readonly bodiesBytes: number;
  readonly wipedBytes: number;
}

const keyBytes = 9;
/** Before each value: its key and its length. */
export const recordHeaderBytes = keyBytes + 4;
const windowBytes = 256 * 1024;
const pieceBytes = 1024 * 1024;
const zeros = Buffer.alloc(pieceBytes);

/** What overwriting values of a segment came to. */
export interface Wiped {
  readonly use: SegmentUse;
  /** Not touched: what is at the place is not that record. */
  readonly refused: readonly { readonly value: Placed; readonly cause: unknown }[];
}

/**
 * Overwrites values with zeros; resolves when that is on disk. Those that were overwritten before are again. Throws what
 * the disk says; some may be overwritten then.
 */
export async function wipe(file: string, values: readonly Placed[]): Promise<Wiped> {
  const handle = await open(file, 'r+');
  try {
    const refused: { value: Placed; cause: unknown }[] = [];
    const offsets = new Set<number>();
    for (const value of values) {
      try {
        await requireRecord(handle, file, value);
        offsets.add(value.offset);
      } catch (cause) {
        if (!(cause instanceof HoldpointError)) throw cause;
        refused.push({ value, cause });
      }
    }
    for (const { offset, bytes } of values) if (offsets.has(offset)) await overwrite(handle, offset, bytes);
    const frames = new Set<number>();
    let bodiesBytes = 0;
    let wipedBytes = 0;
    for await (const found of bodiesOf(handle)) {
      if (offsets.has(found.offset)) frames.add(found.frame);
      if (found.isWiped) wipedBytes += found.bytes;
      else bodiesBytes += found.bytes;
    }
    for (const frame of frames) await fixChecksum(handle, frame);
    await handle.datasync();
    return { use: { fileBytes: (await handle.stat()).size, bodiesBytes, wipedBytes }, refused };
  } finally {
    await handle.close();
  }
}

/** The bodies that a segment holds and that are not wiped, in order. */
export async function* bodiesIn(file: string): AsyncGenerator<Placed> {
  const handle = await open(file, 'r');
  try {
    for await (const found of bodiesOf(handle)) if (!found.isWiped) yield found;
  } finally {
    await handle.close();
  }
}

/** Ends where the last whole frame ends; bodies are hopped over, not read. */
async function* bodiesOf(handle: FileHandle): AsyncGenerator<PlacedBodies> {
  const read = reader(handle);
  for (let frame = streamHeader.length; ; ) {
    const head = await read(frame, frameHeaderBytes);
    // Zeros are room behind the last frame.
    if (head.length < frameHeaderBytes || head.readUInt32BE(0) === 0) return;
    const end = frame + frameHeaderBytes + head.readUInt32BE(0);
    for (let at = frame + frameHeaderBytes; at + recordHeaderBytes <= end; ) {
      const record = await read(at, recordHeaderBytes + 4);
      if (record.length < recordHeaderBytes) return;
      const key = Buffer.from(record.subarray(0, keyBytes));
      const bytes = record.readUInt32BE(keyBytes);
      const offset = at + recordHeaderBytes;
      if (isBodiesKey(key)) {
        const isWiped = record.subarray(recordHeaderBytes).equals(zeros.subarray(0, 4));
        yield { key, offset, bytes, isWiped, frame };
      }
      at = offset + bytes;
    }
    frame = end;
  }
}

/** Reads short pieces, forwards, through a window of the file. */
function reader(handle: FileHandle): (offset: number, bytes: number) => Promise<Buffer> {
  const window = Buffer.allocUnsafe(windowBytes);
  let from = 0;
  let filled = 0;
  return async (offset, bytes) => {
    if (offset < from || offset + bytes > from + filled) {
      const { bytesRead } = await handle.read(window, 0, windowBytes, offset);
      from = offset;
      filled = bytesRead;
    }
    return window.subarray(offset - from, Math.min(offset - from + bytes, filled));
  };
}

/** True where the bytes before a value say that it is this one. */
export function isHeaderOf(header: Buffer, { key, bytes }: Omit<Placed, 'offset'>): boolean {
  return (
    header.length === recordHeaderBytes &&
    header.subarray(0, keyBytes).equals(key) &&
    header.readUInt32BE(keyBytes) === bytes
  );
}

export function notThere(file: string, offset: number): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    `What is to be erased does not lie at byte ${offset} of ${file}.`,
    'Nothing was erased there. Run `holdpoint verify` on the data directory.',
  );
}

async function requireRecord(handle: FileHandle, file: string, value: Placed): Promise<void> {
  const { offset, bytes } = value;
  const header = Buffer.alloc(recordHeaderBytes);
  const at = Math.max(0, offset - recordHeaderBytes);
  const { bytesRead } = await handle.read(header, 0, recordHeaderBytes, at);
  const ends = offset + bytes <= (await handle.stat()).size;
  if (!ends || !isHeaderOf(header.subarray(0, bytesRead), value)) throw notThere(file, offset);
}

/** From the first byte on: whoever reads meanwhile looks there, last, for whether it was begun (journal-reader.ts). */
async function overwrite(handle: FileHandle, offset: number, bytes: number): Promise<void> {
  for (let done = 0; done < bytes; ) {
    const { bytesWritten } = await handle.write(zeros, 0, Math.min(pieceBytes, bytes - done), offset + done);
    done += bytesWritten;
  }
}

async function fixChecksum(handle: FileHandle, frame: number): Promise<void> {
  const head = Buffer.alloc(frameHeaderBytes);
  await handle.read(head, 0, frameHeaderBytes, frame);
  const end = frame + frameHeaderBytes + head.readUInt32BE(0);
  const piece = Buffer.allocUnsafe(pieceBytes);
  let checksum = 0;
  for (let at = frame + frameHeaderBytes; at < end; ) {
    const { bytesRead } = await handle.read(piece, 0, Math.min(pieceBytes, end - at), at);
    if (bytesRead === 0) return;
    checksum = crc32(piece.subarray(0, bytesRead), checksum);
    at += bytesRead;
  }
  head.writeUInt32BE(checksum, 4);
  await handle.write(head, 4, 4, frame + 4);
}
