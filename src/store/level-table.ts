/**
 * The checksums of one LevelDB table, checked before LevelDB reads it: it does not check them itself, and a
 * flipped bit in the length of a key makes it end the process. Layout: LevelDB, doc/table_format.md. Pure.
 */

/** Two block handles, padding, and the magic number. */
const footerBytes = 48;
const magic = Buffer.from('57fb808b247547db', 'hex');
/** Type of compression, and CRC-32C over block and type, after each block. */
const trailerBytes = 5;

interface Handle {
  readonly offset: number;
  readonly size: number;
}

/** A table's bytes, of which a part is asked for at a time. */
export interface TableBytes {
  readonly size: number;
  /** The bytes `from` to before `end`, which are there; they stay as they are until the next call. */
  readonly read: (from: number, end: number) => Buffer;
}

/** What is wrong with the table, in words; null when every block has its checksum. */
export function tableDefect(table: TableBytes): string | null {
  if (table.size < footerBytes) return 'it has no footer';
  try {
    const footer = cursorOf(table.read(table.size - footerBytes, table.size));
    if (!magic.equals(footer.bytes.subarray(-magic.length))) return 'it has no footer';
    const [metaindex, index] = [takeHandle(footer), takeHandle(footer)];
    const blocks = [...handlesIn(blockAt(table, metaindex)), ...handlesIn(blockAt(table, index))];
    for (const handle of blocks) blockAt(table, handle);
    return null;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** The bytes of a block whose checksum fits; throws RangeError otherwise. */
function blockAt(table: TableBytes, { offset, size }: Handle): Buffer {
  const trailerEnd = offset + size + trailerBytes;
  if (trailerEnd > table.size - footerBytes)
    throw new RangeError(`a block is said to be at byte ${offset}, past the end`);
  const bytes = table.read(offset, trailerEnd);
  if (crc32c(bytes, size + 1) !== unmasked(bytes.readUInt32LE(size + 1)))
    throw new RangeError(`the block at byte ${offset} does not have its checksum`);
  return bytes.subarray(0, size);
}

/** The values of an index: each is a handle. Keys are prefix-compressed and of no interest here. */
function handlesIn(block: Buffer): Handle[] {
  const restarts = block.readUInt32LE(block.length - 4);
  const entries = cursorOf(block.subarray(0, block.length - 4 * (restarts + 1)));
  const handles: Handle[] = [];
  while (entries.at < entries.bytes.length) {
    takeVarint(entries);
    const keyLength = takeVarint(entries);
    const valueLength = takeVarint(entries);
    const from = entries.at + keyLength;
    handles.push(takeHandle({ bytes: entries.bytes, at: from }));
    entries.at = from + valueLength;
  }
  return handles;
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

function cursorOf(bytes: Buffer): Cursor {
  return { bytes, at: 0 };
}

function takeHandle(cursor: Cursor): Handle {
  return { offset: takeVarint(cursor), size: takeVarint(cursor) };
}

/** Seven bits a byte, the lowest first; throws RangeError beyond 2^53 - 1 or past the end. */
function takeVarint(cursor: Cursor): number {
  let value = 0;
  for (let factor = 1; factor < 2 ** 53; factor *= 128) {
    const byte = cursor.bytes.readUInt8(cursor.at);
    cursor.at += 1;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80 && Number.isSafeInteger(value)) return value;
  }
  throw new RangeError('a number in it is too large');
}

/** LevelDB stores checksums rotated and shifted, because checksums of checksums are weak. */
export function unmasked(stored: number): number {
  const rotated = (stored - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/**
 * CRC-32C (RFC 3720 appendix B.4), reflected polynomial 0x82f63b78; eight bytes at a time ("slicing by 8"), because a
 * start checks megabytes of them. Entry 256 k + b is of byte b with k zero bytes behind it.
 */
const crcTable = makeCrcTable();

function makeCrcTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at += 1) {
    const before = table[at - 256] ?? 0;
    table[at] = (table[before & 0xff] ?? 0) ^ (before >>> 8);
  }
  return table;
}

/** Unsigned; of all of the bytes, or of the first of them. */
export function crc32c(bytes: Uint8Array, end = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  const table = crcTable;
  let crc = -1;
  let i = 0;
  // Two words for each eight bytes: that is quick from the first call on, where nothing is compiled yet.
  for (const whole = end - (end % 8); i < whole; i += 8) {
    const low = crc ^ view.getInt32(i, true);
    const high = view.getInt32(i + 4, true);
    crc =
      (table[1792 + (low & 0xff)] ?? 0) ^
      (table[1536 + ((low >>> 8) & 0xff)] ?? 0) ^
      (table[1280 + ((low >>> 16) & 0xff)] ?? 0) ^
      (table[1024 + (low >>> 24)] ?? 0) ^
      (table[768 + (high & 0xff)] ?? 0) ^
      (table[512 + ((high >>> 8) & 0xff)] ?? 0) ^
      (table[256 + ((high >>> 16) & 0xff)] ?? 0) ^
      (table[high >>> 24] ?? 0);
  }
  for (; i < end; i += 1) crc = (table[(crc ^ view.getUint8(i)) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
