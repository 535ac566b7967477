/**
 * A ledger as one stream of bytes, as `holdpoint ledger export` writes it:
 *
 *     stream = "HPJ1" || u32 0 || 8 zero bytes || frames || zeros, if any
 *     frame  = u32 length || u32 CRC-32 (IEEE) of body || body      body = (9-byte key || u32 length || value)*
 *
 * Integers are big-endian and unsigned. Portable; imports only its own folder.
 */
import { fromUtf8 } from './encoding.ts';
import { portable } from './primitives.ts';

export interface StreamRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Byte of the stream at which the value begins: who keeps it can read the value again without the rest. */
  readonly at: number;
}

const headerBytes = 16;
const frameHeadBytes = 8;
const frameBytesMax = 1_073_741_824;
const keyBytes = 9;
const pieceBytes = 65_536;

/** Reads a stream, cut into any chunks; throws Error that says at which byte the first damage is. */
export async function* readStream(
  chunks: AsyncIterable<Uint8Array>,
  { crc32 } = portable,
): AsyncGenerator<StreamRecord> {
  const take = taker(chunks);
  const header = await take(headerBytes);
  const isHeader =
    fromUtf8(header.subarray(0, 4)) === 'HPJ1' && header.subarray(4).every((byte) => byte === 0);
  if (header.length < headerBytes || !isHeader) throw new Error('it does not begin as a stream of version 1');
  for (let at = headerBytes; ; ) {
    const head = await take(frameHeadBytes);
    if (head.length === 0) return;
    if (isZeros(head)) return requireZeros(take, at);
    if (head.length < frameHeadBytes) throw new Error(`it ends inside the frame at byte ${at}`);
    const view = viewOf(head);
    const length = view.getUint32(0);
    if (length > frameBytesMax) throw new Error(`the frame at byte ${at} claims ${length} bytes`);
    const body = await take(length);
    if (body.length < length) throw new Error(`it ends inside the frame at byte ${at}`);
    if (crc32(body) !== view.getUint32(4)) throw new Error(`the frame at byte ${at} has another checksum`);
    yield* recordsOf(body, at);
    at += frameHeadBytes + length;
  }
}

/** Room behind the last frame of a journal that is being written, or whose writer was killed. */
async function requireZeros(take: Take, from: number): Promise<void> {
  for (;;) {
    const piece = await take(pieceBytes);
    if (piece.length === 0) return;
    if (!isZeros(piece)) throw new Error(`it has zeros from byte ${from} on, and something behind them`);
  }
}

function isZeros(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function* recordsOf(body: Uint8Array, frameAt: number): Generator<StreamRecord> {
  const view = viewOf(body);
  for (let at = 0; at < body.length; ) {
    const valueAt = at + keyBytes + 4;
    const end = valueAt <= body.length ? valueAt + view.getUint32(at + keyBytes) : valueAt;
    if (end > body.length) throw new Error(`the frame at byte ${frameAt} ends inside a record`);
    yield {
      key: body.subarray(at, at + keyBytes),
      value: body.subarray(valueAt, end),
      at: frameAt + frameHeadBytes + valueAt,
    };
    at = end;
  }
}

/** Gives the next bytes, fewer than asked for only at the end. */
type Take = (length: number) => Promise<Uint8Array>;

function taker(chunks: AsyncIterable<Uint8Array>): Take {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  return async (length) => {
    const pieces: Uint8Array[] = [];
    let held = 0;
    while (held < length) {
      if (rest.length === 0) {
        const next = await iterator.next();
        if (next.done === true) break;
        rest = next.value;
      }
      const piece = rest.subarray(0, length - held);
      rest = rest.subarray(piece.length);
      held += piece.length;
      pieces.push(piece);
    }
    const [only] = pieces;
    if (only !== undefined && pieces.length === 1) return only;
    const taken = new Uint8Array(held);
    let at = 0;
    for (const piece of pieces) {
      taken.set(piece, at);
      at += piece.length;
    }
    return taken;
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
