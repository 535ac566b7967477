/**
 * Tells damage from a write that was cut off. The journal is written from front to back, and what is written through to
 * the disk begins once all before it is there: no crash leaves a frame that is not whole with such a frame behind it.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { HoldpointError } from '../core/errors.ts';
import { decodeBlock } from '../ledger/block.ts';
import { readLeaf } from '../ledger/entry.ts';
import { frameBodyBytesMax, frameHeaderBytes } from '../ledger/frame.ts';
import { readFlags } from './disk-work.ts';
import { recordHeaderBytes } from './segment.ts';

/** What the first value of a commit's frame begins with. */
const magic = Buffer.from('HPB1');
/** Before the first value of a frame. */
const headBytes = frameHeaderBytes + recordHeaderBytes;
const windowBytes = 1024 * 1024;

/**
 * The byte at which the next whole frame begins that was written through to the disk, behind the byte `at` at which none
 * does; null where there is none, and where the one at `at` is whole by now: a sidecar that runs was writing it.
 */
export async function frameBehind(file: string, at: number): Promise<number | null> {
  const handle = await open(file, readFlags);
  try {
    if ((await bodyBytesOf(handle, at)) !== null) return null;
    for await (const place of candidates(handle, at + 1)) {
      const bytes = await bodyBytesOf(handle, place);
      if (bytes !== null && (await wasSynced(handle, place, bytes))) return place;
    }
    return null;
  } finally {
    await handle.close();
  }
}

/** Where a frame may begin: so far before each magic. */
async function* candidates(handle: FileHandle, from: number): AsyncGenerator<number> {
  for (let at = from; ; at += windowBytes) {
    // A magic that goes on into the next window is found in this one.
    const window = await read(handle, at, windowBytes + magic.length - 1);
    if (window.length < magic.length) return;
    for (let i = window.indexOf(magic); i !== -1; i = window.indexOf(magic, i + 1))
      if (at + i - headBytes >= from) yield at + i - headBytes;
  }
}

/** Length of the body of a whole frame; null where none begins. */
async function bodyBytesOf(handle: FileHandle, at: number): Promise<number | null> {
  const head = await read(handle, at, frameHeaderBytes);
  if (head.length < frameHeaderBytes) return null;
  const bytes = head.readUInt32BE(0);
  if (bytes < recordHeaderBytes || bytes > frameBodyBytesMax) return null;
  let checksum = 0;
  for (let done = 0; done < bytes; ) {
    const piece = await read(handle, at + frameHeaderBytes + done, Math.min(windowBytes, bytes - done));
    if (piece.length === 0) return null;
    checksum = crc32(piece, checksum);
    done += piece.length;
  }
  return checksum === head.readUInt32BE(4) ? bytes : null;
}

/** False for entries under relaxed durability: a power failure may take what is before them. */
async function wasSynced(handle: FileHandle, at: number, bodyBytes: number): Promise<boolean> {
  const lengthAt = at + headBytes - 4;
  const valueBytes = (await read(handle, lengthAt, 4)).readUInt32BE();
  const value = await read(handle, at + headBytes, Math.min(valueBytes, bodyBytes - recordHeaderBytes));
  try {
    return decodeBlock(value).leaves.some((leaf) => readLeaf(leaf).durability === 'strict');
  } catch (error) {
    if (error instanceof HoldpointError) return false;
    throw error;
  }
}

async function read(handle: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  const { bytesRead } = await handle.read(buffer, 0, bytes, at);
  return buffer.subarray(0, bytesRead);
}
