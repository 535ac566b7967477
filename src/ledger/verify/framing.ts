/**
 * The binary records: keys, blocks and bodies, read strictly (nothing may follow, every length must fit).
 *
 *     key    = u64 seq || u8 kind
 *     block  = "HPB1" || u32 count || count x (u32 length || leaf) || u32 length || note
 *     bodies = "HPV1" || u8 len(kekId) || kekId || 12-byte nonce || u32 length || wrapped
 *              || u32 count || count x (u64 seq || u8 part index || u32 length || ct)
 *
 * Integers are big-endian and unsigned. Portable; imports only its own folder.
 */
import { fromUtf8 } from './encoding.ts';

export const recordKinds = { block: 1, bodies: 2, snapshot: 3 } as const;

export interface RecordKey {
  readonly seq: number;
  readonly kind: number;
}

export interface Block {
  readonly leaves: readonly Uint8Array[];
  readonly note: Uint8Array;
}

export interface BodyItem {
  readonly seq: number;
  readonly part: number;
  readonly ct: Uint8Array;
}

export interface Bodies {
  readonly kekId: string;
  readonly nonce: Uint8Array;
  readonly wrapped: Uint8Array;
  readonly items: readonly BodyItem[];
}

export type Framed<T> =
  | { readonly kind: 'read'; readonly record: T }
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'other_version'; readonly reason: string };

export const leavesPerBlockMax = 65_536;
export const leafBytesMax = 65_536;
const nonceBytes = 12;
const tagBytes = 16;
const dataKeyBytes = 64;

/** Undefined unless it is nine bytes, a known kind and a seq that a number holds exactly. */
export function readRecordKey(key: Uint8Array): RecordKey | undefined {
  if (key.length !== 9) return undefined;
  const cursor = cursorOf(key);
  const seq = takeU64(cursor);
  const kind = takeU8(cursor);
  return seq === undefined || kind < recordKinds.block || kind > recordKinds.snapshot
    ? undefined
    : { seq, kind };
}

export function readBlock(value: Uint8Array): Framed<Block> {
  return framed(value, 'HPB1', (cursor) => {
    const count = takeU32(cursor);
    if (count < 1 || count > leavesPerBlockMax) throw new FramingError(`a block of ${count} entries`);
    const leaves: Uint8Array[] = [];
    for (let index = 0; index < count; index += 1) {
      const length = takeU32(cursor);
      if (length > leafBytesMax) throw new FramingError(`an entry of ${length} bytes`);
      leaves.push(takeBytes(cursor, length));
    }
    return { leaves, note: takeBytes(cursor, takeU32(cursor)) };
  });
}

export function readBodies(value: Uint8Array): Framed<Bodies> {
  return framed(value, 'HPV1', (cursor) => {
    const kekId = fromUtf8(takeBytes(cursor, takeU8(cursor))) ?? '';
    if (!/^[0-9a-f]{8}$/.test(kekId)) throw new FramingError('a key-encryption key id that is not 8 hex');
    const nonce = takeBytes(cursor, nonceBytes);
    const wrapped = takeBytes(cursor, takeU32(cursor));
    const count = takeU32(cursor);
    if (wrapped.length !== count * dataKeyBytes + tagBytes) {
      throw new FramingError(`${wrapped.length} bytes of wrapped keys for ${count} items`);
    }
    const items: BodyItem[] = [];
    for (let index = 0; index < count; index += 1) {
      const seq = takeU64(cursor);
      if (seq === undefined) throw new FramingError('a seq above 2^53 - 1');
      items.push({ seq, part: takeU8(cursor), ct: takeBytes(cursor, takeU32(cursor)) });
    }
    return { kekId, nonce, wrapped, items };
  });
}

class FramingError extends Error {}

interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
}

function cursorOf(bytes: Uint8Array): Cursor {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0 };
}

function framed<T>(value: Uint8Array, magic: string, read: (cursor: Cursor) => T): Framed<T> {
  const cursor = cursorOf(value);
  try {
    const found = fromUtf8(takeBytes(cursor, 4)) ?? '';
    if (found !== magic) {
      const reason = `it does not begin with ${magic}`;
      const sameFamily = /^[0-9]$/.test(found.slice(3)) && found.startsWith(magic.slice(0, 3));
      return { kind: sameFamily ? 'other_version' : 'malformed', reason };
    }
    const record = read(cursor);
    if (cursor.at !== value.length) throw new FramingError(`${value.length - cursor.at} bytes after its end`);
    return { kind: 'read', record };
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return { kind: 'malformed', reason: error.message };
  }
}

/** Advances by `length` and returns where it stood. */
function advance(cursor: Cursor, length: number): number {
  const from = cursor.at;
  if (length > cursor.bytes.length - from) throw new FramingError(`it ends inside a field (byte ${from})`);
  cursor.at = from + length;
  return from;
}

function takeBytes(cursor: Cursor, length: number): Uint8Array {
  const from = advance(cursor, length);
  return cursor.bytes.subarray(from, from + length);
}

function takeU8(cursor: Cursor): number {
  return cursor.view.getUint8(advance(cursor, 1));
}

function takeU32(cursor: Cursor): number {
  return cursor.view.getUint32(advance(cursor, 4));
}

function takeU64(cursor: Cursor): number | undefined {
  const from = advance(cursor, 8);
  const value = cursor.view.getUint32(from) * 4_294_967_296 + cursor.view.getUint32(from + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}
