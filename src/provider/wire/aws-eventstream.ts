/**
 * The binary frames of application/vnd.amazon.eventstream
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html and smithy.io, "Amazon Event
 * Stream"), read incrementally and written. Keeps every byte: the raw bytes of all frames and the rest
 * concatenate to the input. Pure; no sockets, no JSON.
 *
 *     total length u32 | headers length u32 | CRC-32 of these 8 bytes u32 | headers | payload | CRC-32 of all before u32
 *     header: name length u8 | name | type u8 | value; a text (type 7) or bytes (type 6) after their length u16
 *
 * Where a frame ends stands in its prelude alone. Once a prelude cannot be trusted, nothing after it can be
 * read by anybody, and all of it is one defect.
 */
import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';

/** The largest frame that is read; Amazon's own limit is a payload of 24 MiB. */
export const frameBytesMaxDefault = 25 * 1024 * 1024;
/** Amazon's limit on all headers of a frame. */
const headersBytesMax = 128 * 1024;

const preludeBytes = 12;
const crcBytes = 4;
const frameBytesMin = preludeBytes + crcBytes;
const textType = 7;
const kindHeaders: ReadonlySet<string> = new Set([':message-type', ':event-type', ':exception-type']);
const none = Buffer.alloc(0);

export interface Frame {
  /** The bytes as received; a view of the pushed chunk where the frame lay in one. */
  readonly raw: Buffer;
  /** The headers whose value is text, by name as written: `:message-type`, `:event-type`. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Buffer;
  /** Why clients may read this frame otherwise, or not at all; '' when all agree. */
  readonly defect: string;
}

export interface FrameSplitter {
  /** The frames that became whole. The chunk's memory must not be reused afterwards. */
  push(chunk: Buffer): Frame[];
  /** Bytes after the last whole frame, and why they are none; '' when there are no such bytes. */
  finish(): { readonly rest: Buffer; readonly defect: string };
}

/** Bytes of a header's value without its own length, by type; -1 where a length of 16 bits goes before it. */
const valueBytes: readonly number[] = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16];

interface HeadersReading {
  readonly headers: Map<string, string>;
  readonly defect: string;
}

function readHeaders(bytes: Buffer): HeadersReading {
  const headers = new Map<string, string>();
  const seen = new Set<string>();
  const failed = (defect: string): HeadersReading => ({ headers, defect });
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    if (nameEnd >= bytes.length) return failed('the headers of a frame are cut');
    const name = bytes.subarray(at + 1, nameEnd);
    const type = bytes.readUInt8(nameEnd);
    const fixed = valueBytes[type];
    if (fixed === undefined) return failed('a header of a frame has an unknown type');
    let valueStart = nameEnd + 1;
    let length = fixed;
    if (fixed === -1) {
      if (valueStart + 2 > bytes.length) return failed('the headers of a frame are cut');
      length = bytes.readUInt16BE(valueStart);
      valueStart += 2;
    }
    at = valueStart + length;
    if (at > bytes.length) return failed('the headers of a frame are cut');
    const value = bytes.subarray(valueStart, at);
    if (!isUtf8(name) || (type === textType && !isUtf8(value))) {
      return failed('a header of a frame is not valid UTF-8');
    }
    const key = name.toString('utf8');
    // The first counts for some clients, the last for others.
    if (seen.has(key)) return failed('a frame has a header twice');
    seen.add(key);
    if (type === textType) headers.set(key, value.toString('utf8'));
    else if (kindHeaders.has(key)) return failed('a header that says what a frame is, is not text');
  }
  return { headers, defect: '' };
}

function unread(raw: Buffer, defect: string): Frame {
  return { raw, headers: new Map(), payload: none, defect };
}

/** Reads one frame whose length is known to be that of `raw`. */
function readFrame(raw: Buffer): Frame {
  const end = raw.length - crcBytes;
  if (crc32(raw.subarray(0, end)) !== raw.readUInt32BE(end)) {
    return unread(raw, 'the checksum of a frame does not match');
  }
  const payloadStart = preludeBytes + raw.readUInt32BE(4);
  const { headers, defect } = readHeaders(raw.subarray(preludeBytes, payloadStart));
  return { raw, headers, payload: raw.subarray(payloadStart, end), defect };
}

/** Why a prelude cannot be trusted; '' when it can. */
function preludeDefect(prelude: Buffer, frameBytesMax: number): string {
  if (crc32(prelude.subarray(0, 8)) !== prelude.readUInt32BE(8)) {
    return 'the checksum of the start of a frame does not match';
  }
  const total = prelude.readUInt32BE(0);
  const headers = prelude.readUInt32BE(4);
  if (total < frameBytesMin || headers > total - frameBytesMin) return 'the lengths of a frame contradict';
  if (headers > headersBytesMax) return `the headers of a frame are larger than ${headersBytesMax} bytes`;
  return total > frameBytesMax ? `a frame is larger than ${frameBytesMax} bytes` : '';
}

/** Opens a splitter. `frameBytesMax` bounds what is kept for one frame. */
export function createFrameSplitter(frameBytesMax: number = frameBytesMaxDefault): FrameSplitter {
  let parts: Buffer[] = [];
  let partsBytes = 0;
  /** The whole frame's length once its prelude was read; 0 before. */
  let frameBytes = 0;
  let lost = '';

  function whole(): Buffer {
    const [only] = parts;
    const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    parts = [];
    partsBytes = 0;
    return bytes;
  }

  function keep(piece: Buffer): void {
    if (piece.length === 0) return;
    parts.push(piece);
    partsBytes += piece.length;
  }

  /** Gathers until `length` bytes are kept; returns where the chunk goes on, or -1 when it is used up. */
  function gather(chunk: Buffer, at: number, length: number): number {
    const end = at + length - partsBytes;
    keep(chunk.subarray(at, Math.min(end, chunk.length)));
    return end <= chunk.length ? end : -1;
  }

  function push(chunk: Buffer): Frame[] {
    if (lost !== '') return chunk.length === 0 ? [] : [unread(chunk, lost)];
    const out: Frame[] = [];
    let at = 0;
    while (at < chunk.length) {
      const next = gather(chunk, at, frameBytes === 0 ? preludeBytes : frameBytes);
      if (next === -1) return out;
      at = next;
      const bytes = whole();
      if (frameBytes !== 0) {
        frameBytes = 0;
        out.push(readFrame(bytes));
        continue;
      }
      lost = preludeDefect(bytes, frameBytesMax);
      if (lost !== '') {
        out.push(unread(bytes, lost));
        if (at < chunk.length) out.push(unread(chunk.subarray(at), lost));
        return out;
      }
      frameBytes = bytes.readUInt32BE(0);
      // A frame that lies in one chunk is handed out as a view of it.
      const start = at - preludeBytes;
      if (start >= 0 && start + frameBytes <= chunk.length) at = start;
      else keep(bytes);
    }
    return out;
  }

  return {
    push,
    finish() {
      const rest = whole();
      return { rest, defect: rest.length === 0 ? '' : 'the stream ends within a frame' };
    },
  };
}

function headerBytes(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  const textBytes = Buffer.from(value);
  const bytes = Buffer.alloc(4 + nameBytes.length + textBytes.length);
  bytes.writeUInt8(nameBytes.length, 0);
  nameBytes.copy(bytes, 1);
  bytes.writeUInt8(textType, 1 + nameBytes.length);
  bytes.writeUInt16BE(textBytes.length, 2 + nameBytes.length);
  textBytes.copy(bytes, 4 + nameBytes.length);
  return bytes;
}

function frameOf(headers: Buffer, payload: Buffer): Buffer {
  const total = frameBytesMin + headers.length + payload.length;
  const frame = Buffer.alloc(total);
  frame.writeUInt32BE(total, 0);
  frame.writeUInt32BE(headers.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  headers.copy(frame, preludeBytes);
  payload.copy(frame, preludeBytes + headers.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, total - crcBytes)), total - crcBytes);
  return frame;
}

/** One frame. Throws RangeError on a name above 255 bytes or a value above 65 535 bytes. */
export function encodeFrame(headers: Readonly<Record<string, string>>, payload: Buffer | string): Buffer {
  const written = Object.entries(headers).map(([name, value]) => headerBytes(name, value));
  return frameOf(Buffer.concat(written), Buffer.from(payload));
}

/** A frame that was read, with another payload; its headers stay byte for byte. */
export function withPayload(raw: Buffer, payload: Buffer | string): Buffer {
  return frameOf(raw.subarray(preludeBytes, preludeBytes + raw.readUInt32BE(4)), Buffer.from(payload));
}
