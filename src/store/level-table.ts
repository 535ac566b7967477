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

/** What is wrong with the table, in words; null when every block has its checksum. */
export function tableDefect(table: Buffer): string | null {
  if (table.length < footerBytes || !table.subarray(-8).equals(magic)) return 'it has no footer';
  try {
    const footer = cursorOf(table.subarray(-footerBytes));
    const metaindex = takeHandle(footer);
    const index = takeHandle(footer);
    const blocks = [...handlesIn(blockAt(table, metaindex)), ...handlesIn(blockAt(table, index))];
    for (const handle of blocks) blockAt(table, handle);
    return null;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** The bytes of a block whose checksum fits; throws RangeError otherwise. */
function blockAt(table: Buffer, { offset, size }: Handle): Buffer {
  const end = offset + size;
  if (end + trailerBytes > table.length - footerBytes)
    throw new RangeError(`a block is said to be at byte ${offset}, past the end`);
  const stated = unmasked(table.readUInt32LE(end + 1));
  if (crc32c(table.subarray(offset, end + 1)) !== stated)
    throw new RangeError(`the block at byte ${offset} does not have its checksum`);
  return table.subarray(offset, end);
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
    handles.push(takeHandle(cursorOf(entries.bytes.subarray(from, from + valueLength))));
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
function unmasked(stored: number): number {
  const rotated = (stored - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/**
 * CRC-32C (RFC 3720 appendix B.4), reflected polynomial 0x82f63b78; eight bytes at a time ("slicing by 8"), because a
 * start checks megabytes of them. Table k is of a byte with k zero bytes behind it.
 */
const crcTables = makeCrcTables();

function makeCrcTables(): readonly Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    return crc;
  });
  const tables = [first];
  for (let k = 1; k < 8; k += 1)
    tables.push((tables[k - 1] ?? first).map((crc) => (first[crc & 0xff] ?? 0) ^ (crc >>> 8)));
  return tables;
}

export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = crcTables;
  if (!t0 || !t1 || !t2 || !t3 || !t4 || !t5 || !t6 || !t7) throw new RangeError('There are eight tables.');
  const at = (i: number): number => bytes[i] ?? 0;
  let crc = -1;
  let i = 0;
  for (const whole = bytes.length - (bytes.length % 8); i < whole; i += 8) {
    crc =
      (t7[(crc ^ at(i)) & 0xff] ?? 0) ^
      (t6[((crc >>> 8) ^ at(i + 1)) & 0xff] ?? 0) ^
      (t5[((crc >>> 16) ^ at(i + 2)) & 0xff] ?? 0) ^
      (t4[(crc >>> 24) ^ at(i + 3)] ?? 0) ^
      (t3[at(i + 4)] ?? 0) ^
      (t2[at(i + 5)] ?? 0) ^
      (t1[at(i + 6)] ?? 0) ^
      (t0[at(i + 7)] ?? 0);
  }
  for (; i < bytes.length; i += 1) crc = (t0[(crc ^ at(i)) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
