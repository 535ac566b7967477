/**
 * Frames: how records lie in a stream of bytes, one frame per commit. FORMAT.md, "Stream of records". Pure.
 *
 *     stream = "HPJ1" || u32 0 || 8 zero bytes || frames || zeros, if any
 *     frame  = u32 length || u32 CRC-32 of body || body      body = (9-byte key || u32 length || value)*
 *
 * The checksum tells a torn or rotten frame from a whole one; what it holds is still proven by its hashes only.
 */
import { crc32 } from 'node:zlib';
import type { StoredRecord } from './store.ts';

/** What every stream begins with. */
export const streamHeader: Buffer = Buffer.concat([Buffer.from('HPJ1'), Buffer.alloc(12)]);
export const frameHeaderBytes = 8;
/** A commit closes at 16 MiB; the one entry that may come over it has parts of at most the proxy's bounds. */
export const frameBodyBytesMax = 1024 ** 3;
const keyBytes = 9;
const recordHeaderBytes = keyBytes + 4;

/** One whole frame as it was read. */
export interface Frame {
  readonly kind: 'frame';
  /** Byte of the stream at which it begins. */
  readonly at: number;
  /** Byte of the stream after its last. */
  readonly end: number;
  readonly records: readonly StoredRecord[];
}

/** Why no further frame can be read; everything before byte `at` was whole. */
export interface FrameDefect {
  readonly kind: 'defect';
  readonly at: number;
  /**
   * `header`: the stream does not begin as one. `ends_early`: it ends inside a frame, as a write that was cut off
   * leaves it. `zeros`: there are only zeros from here on, as room that was made for frames is left, and as a disk gives
   * back what it lost. `length`: a length that no frame has. `checksum`: the body has another. `body`: it holds no records.
   */
  readonly reason: 'header' | 'ends_early' | 'zeros' | 'length' | 'checksum' | 'body';
}

/** The frame of one commit's records; throws RangeError for a key of another length or a body that is too long. */
export function encodeFrame(records: readonly StoredRecord[]): Buffer {
  return encodeFrameIn(Buffer.allocUnsafe, records);
}

/** The same in memory that is handed out: so many bytes, all of which the frame takes. */
export function encodeFrameIn(
  memoryFor: (bytes: number) => Buffer,
  records: readonly StoredRecord[],
): Buffer {
  const bodyBytes = records.reduce((sum, { value }) => sum + recordHeaderBytes + value.length, 0);
  if (bodyBytes > frameBodyBytesMax || records.length === 0) {
    throw new RangeError(`A frame holds 1 record or more, and at most ${frameBodyBytesMax} bytes.`);
  }
  const frame = memoryFor(frameHeaderBytes + bodyBytes);
  let at = frameHeaderBytes;
  for (const { key, value } of records) {
    if (key.length !== keyBytes) throw new RangeError(`A record's key has ${keyBytes} bytes.`);
    frame.set(key, at);
    frame.writeUInt32BE(value.length, at + keyBytes);
    frame.set(value, at + recordHeaderBytes);
    at += recordHeaderBytes + value.length;
  }
  frame.writeUInt32BE(bodyBytes, 0);
  frame.writeUInt32BE(crc32(frame.subarray(frameHeaderBytes)), 4);
  return frame;
}

/** The records of a frame's body, or null when it is not made of whole records. The buffers are views of `body`. */
export function decodeFrameBody(body: Buffer): StoredRecord[] | null {
  const records: StoredRecord[] = [];
  let at = 0;
  while (at < body.length) {
    if (at + recordHeaderBytes > body.length) return null;
    const from = at + recordHeaderBytes;
    const to = from + body.readUInt32BE(at + keyBytes);
    if (to > body.length) return null;
    records.push({ key: body.subarray(at, at + keyBytes), value: body.subarray(from, to) });
    at = to;
  }
  return records.length === 0 ? null : records;
}

/**
 * The frames of a stream, however it is cut into chunks. A defect is the last thing that is yielded; a stream
 * that ends after a whole frame, or after its header, has none. Rejects only when `chunks` does. Holds one frame
 * and one chunk in memory.
 * @param expected the header the stream must begin with
 */
export async function* readFrames(
  chunks: AsyncIterable<Uint8Array>,
  expected: Buffer = streamHeader,
): AsyncGenerator<Frame | FrameDefect> {
  const source = byteSource(chunks);
  const header = await source.take(expected.length);
  if (!header.equals(expected)) {
    const isCut = header.equals(expected.subarray(0, header.length));
    yield { kind: 'defect', at: 0, reason: isCut ? 'ends_early' : 'header' };
    return;
  }
  for (let at = expected.length; ; ) {
    const head = await source.take(frameHeaderBytes);
    if (head.length === 0) return;
    const read = await readBehind(source, head);
    if (typeof read === 'string') {
      yield { kind: 'defect', at, reason: read };
      return;
    }
    const end = at + frameHeaderBytes + read.bytes;
    yield { kind: 'frame', at, end, records: read.records };
    at = end;
  }
}

async function readBehind(
  source: ByteSource,
  head: Buffer,
): Promise<FrameDefect['reason'] | { readonly bytes: number; readonly records: StoredRecord[] }> {
  if (head.length < frameHeaderBytes) return 'ends_early';
  if (isZeros(head) && (await isZerosToTheEnd(source))) return 'zeros';
  const bytes = head.readUInt32BE(0);
  if (bytes > frameBodyBytesMax || bytes < recordHeaderBytes) return 'length';
  const body = await source.take(bytes);
  if (body.length < bytes) return 'ends_early';
  if (crc32(body) !== head.readUInt32BE(4)) return 'checksum';
  const records = decodeFrameBody(body);
  return records === null ? 'body' : { bytes, records };
}

async function isZerosToTheEnd(source: ByteSource): Promise<boolean> {
  for (;;) {
    const piece = await source.take(zeros.length);
    if (piece.length === 0) return true;
    if (!isZeros(piece)) return false;
  }
}

const zeros = Buffer.alloc(64 * 1024);

/** Of at most as many bytes as `zeros` has. */
function isZeros(bytes: Buffer): boolean {
  return bytes.equals(zeros.subarray(0, bytes.length));
}

interface ByteSource {
  /** The next `length` bytes; fewer only at the end. */
  take(length: number): Promise<Buffer>;
}

function byteSource(chunks: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  return {
    take: async (length) => {
      const taken: Uint8Array[] = [];
      let missing = length;
      while (missing > 0) {
        if (rest.length === 0) {
          const next = await iterator.next();
          if (next.done === true) break;
          rest = next.value;
          continue;
        }
        const piece = rest.subarray(0, missing);
        taken.push(piece);
        rest = rest.subarray(piece.length);
        missing -= piece.length;
      }
      return Buffer.concat(taken);
    },
  };
}
