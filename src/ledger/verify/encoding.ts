/**
 * Hex, strict base64 (RFC 4648 section 4: padded, spare bits zero) and byte comparison for the portable
 * verifier. A text has exactly one accepted encoding. Imports nothing.
 */

const hexDigits = '0123456789abcdef';
const hexOfByte = Array.from(
  { length: 256 },
  (_, byte) => `${hexDigits.charAt(byte >> 4)}${hexDigits.charAt(byte & 15)}`,
);
const base64Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const base64Values = new Int8Array(128).fill(-1);
for (let value = 0; value < 64; value += 1) base64Values[base64Digits.charCodeAt(value)] = value;

export const ascii = new TextEncoder();

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += hexOfByte[byte];
  return text;
}

/** Bytes of lower-case hex; undefined for anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    const high = hexDigits.indexOf(text.charAt(2 * index));
    const low = hexDigits.indexOf(text.charAt(2 * index + 1));
    if (high < 0 || low < 0) return undefined;
    bytes[index] = high * 16 + low;
  }
  return bytes;
}

/** Padded base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += base64Digits.charAt(group >> 18) + base64Digits.charAt((group >> 12) & 63);
    text += left > 1 ? base64Digits.charAt((group >> 6) & 63) : '=';
    text += left > 2 ? base64Digits.charAt(group & 63) : '=';
  }
  return text;
}

/** Bytes of padded base64; undefined when the text is not the one encoding of them. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array(Math.floor((digits * 3) / 4));
  let bits = 0;
  let held = 0;
  let to = 0;
  for (let at = 0; at < digits; at += 1) {
    const value = base64Values[text.charCodeAt(at)] ?? -1;
    if (value < 0) return undefined;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[to] = (held >> bits) & 0xff;
      to += 1;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

/** For each byte the code units of its two hex digits, the first in the upper half: one comparison for both. */
const hexPairs = Uint32Array.from(
  { length: 256 },
  (_, byte) => hexDigits.charCodeAt(byte >> 4) * 65_536 + hexDigits.charCodeAt(byte & 15),
);

/** Whether `hex` is the lower-case hex of `bytes`, without building a string. */
export function hexEquals(hex: string, bytes: Uint8Array): boolean {
  if (hex.length !== 2 * bytes.length) return false;
  for (let index = 0; index < bytes.length; index += 1) {
    const pair = hex.charCodeAt(2 * index) * 65_536 + hex.charCodeAt(2 * index + 1);
    if (pair !== hexPairs[bytes[index] ?? 0]) return false;
  }
  return true;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of well-formed UTF-8, a byte order mark kept; undefined for anything else. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined; // TextDecoder raises for one reason only: the bytes are not UTF-8.
  }
}
