/**
 * The one reading of a leaf's bytes: RFC 8785 (JCS) JSON of objects with printable ASCII keys, arrays, strings,
 * booleans and safe integers. The parser accepts nothing but the canonical serialisation, so reading and
 * checking are one pass and there is no second form that means the same. Portable; no `node:` imports.
 */
import { fromUtf8 } from './encoding.ts';

export type Json = string | number | boolean | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Objects and arrays inside one another, the outermost included. */
export const depthMax = 32;

export type CanonicalReading =
  | { readonly kind: 'canonical'; readonly value: Json }
  /** Well-formed JSON of the subset in other bytes than the canonical ones. */
  | { readonly kind: 'not_canonical'; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Reads canonical bytes. Never throws on what the bytes say. */
export function parseCanonical(bytes: Uint8Array): CanonicalReading {
  const text = fromUtf8(bytes);
  if (text === undefined) return { kind: 'malformed', reason: 'it is not UTF-8' };
  const reader: Reader = { text, at: 0 };
  try {
    const value = readValue(reader, 1, 'all');
    if (reader.at !== text.length) throw new NotCanonical('bytes follow its end');
    return { kind: 'canonical', value };
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    const reason = `${error.message} (at character ${reader.at})`;
    return { kind: error.outside || !isSubsetJson(text) ? 'malformed' : 'not_canonical', reason };
  }
}

/**
 * Reads an object that begins at `reader.at`, `depth` deep, and moves past it: all of it is checked, and of its members
 * those that are not `wanted` are not built. Undefined where it is not canonical; the reader then stands where it failed.
 */
export function readObjectAt(reader: Reader, depth: number, wanted: Wanted): JsonObject | undefined {
  if (reader.text.charCodeAt(reader.at) !== 0x7b) return undefined;
  return attempt(() => readObject(reader, depth, wanted));
}

/** The same for an integer. */
export function readIntegerAt(reader: Reader): number | undefined {
  return attempt(() => readInteger(reader));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotCanonical) return undefined;
    throw error;
  }
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && !Array.isArray(value);
}

/** A place in a text; whoever reads moves it. */
export interface Reader {
  readonly text: string;
  at: number;
}

/** Which members of an object are built; the others are checked all the same. */
export type Wanted = ReadonlySet<string> | 'all' | 'none';

/** Stands for values that are checked and not built. */
const unbuilt: JsonObject = Object.freeze({});

class NotCanonical extends Error {
  /** The value can have no canonical form at all. */
  readonly outside: boolean;
  constructor(message: string, outside = false) {
    super(message);
    this.outside = outside;
  }
}

function readValue(reader: Reader, depth: number, wanted: 'all' | 'none'): Json {
  switch (reader.text.charCodeAt(reader.at)) {
    case 0x7b:
      return readObject(reader, depth, wanted);
    case 0x5b:
      return readArray(reader, depth, wanted);
    case 0x22:
      return wanted === 'all' ? readString(reader) : skipString(reader);
    case 0x74:
      return readWord(reader, 'true', true);
    case 0x66:
      return readWord(reader, 'false', false);
    default:
      return readInteger(reader);
  }
}

function readObject(reader: Reader, depth: number, wanted: Wanted): JsonObject {
  if (depth > depthMax) throw new NotCanonical('it is nested too deeply', true);
  const object: Record<string, Json> = wanted === 'none' ? unbuilt : {};
  let last = '';
  reader.at += 1;
  if (take(reader, 0x7d)) return object;
  for (let first = true; ; first = false) {
    if (reader.text.charCodeAt(reader.at) !== 0x22) throw new NotCanonical('a key was expected');
    const key = readKey(reader);
    // Strictly ascending: an equal key would be a second reading of the same bytes.
    if (!first && key <= last) throw new NotCanonical('keys are repeated or not in order');
    last = key;
    if (!take(reader, 0x3a)) throw new NotCanonical('a colon was expected');
    const isWanted = typeof wanted === 'string' ? wanted === 'all' : wanted.has(key);
    const value = readValue(reader, depth + 1, isWanted ? 'all' : 'none');
    if (!isWanted) {
      // Nothing reads it.
    } else if (key === '__proto__') {
      Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    } else {
      object[key] = value;
    }
    if (take(reader, 0x7d)) return object;
    if (!take(reader, 0x2c)) throw new NotCanonical('a comma was expected');
  }
}

/**
 * Keys seen before, by length and first and last character. Entries have the same few keys over and over: one that is
 * found here is neither scanned nor made anew. Bounded by its size; what it holds never changes what is read.
 */
const knownKeys: string[] = new Array(1024).fill('');
const keyCharsMax = 24;

function readKey(reader: Reader): string {
  const { text } = reader;
  const from = reader.at + 1;
  const end = text.indexOf('"', from);
  const length = end - from;
  const isShort = length > 0 && length <= keyCharsMax;
  const slot = isShort ? (length * 31 + text.charCodeAt(from) * 7 + text.charCodeAt(end - 1)) & 1023 : 0;
  const known = knownKeys[slot] ?? '';
  if (isShort && known.length === length && text.startsWith(known, from)) {
    reader.at = end + 1;
    return known;
  }
  const key = readString(reader);
  if (!isPrintableAscii(key)) throw new NotCanonical('a key is not printable ASCII', true);
  // Kept only as it stands in the text: one with an escape ends at another quote or is shorter than it was written.
  if (isShort && reader.at === end + 1 && key.length === length) knownKeys[slot] = key;
  return key;
}

function readArray(reader: Reader, depth: number, wanted: 'all' | 'none'): readonly Json[] {
  if (depth > depthMax) throw new NotCanonical('it is nested too deeply', true);
  const array: Json[] = [];
  reader.at += 1;
  if (take(reader, 0x5d)) return array;
  for (;;) {
    const value = readValue(reader, depth + 1, wanted);
    if (wanted === 'all') array.push(value);
    if (take(reader, 0x5d)) return array;
    if (!take(reader, 0x2c)) throw new NotCanonical('a comma was expected');
  }
}

/** The escapes that RFC 8785 section 3.2.2.2 uses; every other character stands for itself. */
const shortEscapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const longEscape = /^\\u00(0[0-7be-f]|1[0-9a-f])$/;

function readString(reader: Reader): string {
  let value = '';
  for (;;) {
    const plainFrom = reader.at + 1;
    if (toPlainEnd(reader)) return value + reader.text.slice(plainFrom, reader.at - 1);
    value += reader.text.slice(plainFrom, reader.at) + takeEscape(reader);
  }
}

/** Checks a string as `readString` does and builds nothing. */
function skipString(reader: Reader): string {
  while (!toPlainEnd(reader)) takeEscape(reader);
  return '';
}

/** From before a string's first character, or from the last one of an escape: past the closing quote and true, or to an escape. */
function toPlainEnd(reader: Reader): boolean {
  const { text } = reader;
  for (let at = reader.at + 1; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x5c || (code !== 0x22 && code !== 0x5c && code >= 0x20)) continue;
    reader.at = code === 0x22 ? at + 1 : at;
    if (code === 0x22) return true;
    if (code === 0x5c) return false;
    // A control character, or NaN past the end of the text.
    throw new NotCanonical('a string has a bare control character or no end');
  }
}

/** What the escape at the reader stands for; moves to its last character. */
function takeEscape(reader: Reader): string {
  const { text, at } = reader;
  const short = shortEscapes[text.charAt(at + 1)];
  const long = short === undefined ? longEscape.exec(text.slice(at, at + 6)) : null;
  if (short === undefined && long === null) throw new NotCanonical('a string has a needless escape');
  reader.at += short === undefined ? 5 : 1;
  return short ?? String.fromCharCode(Number.parseInt(long?.[1] ?? '', 16));
}

function readInteger(reader: Reader): number {
  const { text } = reader;
  const start = reader.at;
  const digitsFrom = text.charCodeAt(start) === 0x2d ? start + 1 : start;
  let end = digitsFrom;
  let small = 0;
  for (let code = text.charCodeAt(end); isDigit(code); code = text.charCodeAt(end)) {
    small = small * 10 + code - 0x30;
    end += 1;
  }
  if (end === digitsFrom) throw new NotCanonical('a value was expected');
  // Up to fifteen digits every step of the sum is exact.
  const isExact = digitsFrom === start && end - start <= 15;
  const value = isExact ? small : Number(text.slice(start, end));
  if (!Number.isSafeInteger(value)) throw new NotCanonical('a number is too large', true);
  const leadingZero = text.charCodeAt(digitsFrom) === 0x30 && (end > digitsFrom + 1 || digitsFrom > start);
  if (leadingZero) throw new NotCanonical('a number is not in its shortest form');
  reader.at = end;
  return value;
}

function readWord(reader: Reader, word: string, value: boolean): boolean {
  if (!reader.text.startsWith(word, reader.at)) throw new NotCanonical('a value was expected');
  reader.at += word.length;
  return value;
}

function take(reader: Reader, code: number): boolean {
  if (reader.text.charCodeAt(reader.at) !== code) return false;
  reader.at += 1;
  return true;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isPrintableAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/** Only words the finding: another writing of an allowed value, or no allowed value at all. */
function isSubsetJson(text: string): boolean {
  try {
    return isOfSubset(JSON.parse(text), 1);
  } catch (error) {
    // RangeError: nested beyond what the engine can parse.
    if (error instanceof SyntaxError || error instanceof RangeError) return false;
    throw error;
  }
}

function isOfSubset(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return !/\p{Surrogate}/u.test(value);
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value !== 'object') return true;
  if (value === null || depth > depthMax) return false;
  return Object.entries(value).every(
    ([key, member]) => isPrintableAscii(key) && isOfSubset(member, depth + 1),
  );
}
