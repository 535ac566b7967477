/**
 * CRC-32 of IEEE 802.3 and zlib (reflected polynomial 0xedb88320), eight bytes a step: table k says what a byte does to
 * the remainder once k more bytes have gone by. Imports nothing.
 */

const step = 8;
const tables: Uint32Array = tablesOf();

function tablesOf(): Uint32Array {
  const all = new Uint32Array(256 * step);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    all[byte] = crc;
  }
  for (let at = 256; at < all.length; at += 1) {
    const before = all[at - 256] ?? 0;
    all[at] = (before >>> 8) ^ (all[before & 0xff] ?? 0);
  }
  return all;
}

/** The checksum of all bytes, unsigned. */
export function crc32(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % step);
  const t = tables;
  let crc = 0xffffffff;
  let at = 0;
  for (; at < whole; at += step) {
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      (t[0x700 | (low & 0xff)] ?? 0) ^
      (t[0x600 | ((low >>> 8) & 0xff)] ?? 0) ^
      (t[0x500 | ((low >>> 16) & 0xff)] ?? 0) ^
      (t[0x400 | (low >>> 24)] ?? 0) ^
      (t[0x300 | (high & 0xff)] ?? 0) ^
      (t[0x200 | ((high >>> 8) & 0xff)] ?? 0) ^
      (t[0x100 | ((high >>> 16) & 0xff)] ?? 0) ^
      (t[high >>> 24] ?? 0);
  }
  for (; at < bytes.length; at += 1) crc = (t[(crc ^ view.getUint8(at)) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
