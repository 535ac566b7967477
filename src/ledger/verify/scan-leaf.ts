/**
 * The quick reading of a leaf. A canonical leaf has its thirteen fields at places that the lengths of few of them
 * decide, so the text is compared with what must stand there, and of `data` only what a rule reads is built. Whatever
 * does not fit is left to the slow reading in leaf.ts, which says why: this one accepts a leaf only where that one
 * accepts it as the same. Portable; imports only its own folder.
 */
import { type Reader, readIntegerAt, readObjectAt } from './canonical.ts';
import { fromUtf8 } from './encoding.ts';
import { type Entry, entryReaderOf } from './entry.ts';
import { type Part, partsMax, utcForm } from './fields.ts';

export interface Leaf {
  readonly at: string;
  readonly boot: string;
  readonly durability: 'strict' | 'relaxed';
  readonly kid: string;
  readonly ledger: string;
  readonly mono: number;
  readonly parts: readonly Part[];
  readonly prev: string;
  readonly seq: number;
  readonly type: string;
  readonly entry: Entry;
}

const utcChars = 24;
const nameCharsMax = 16;
const ending = '","v":1}';

/** 1 for the code units of lower-case hex digits. */
const isHexDigit = new Uint8Array(128);
for (const digit of '0123456789abcdef') isHexDigit[digit.charCodeAt(0)] = 1;

/** Forms that neighbouring leaves have in common, as met last; they never decide what is accepted. */
const met = { boot: '', kid: '', ledger: '', at: '' };

/** The leaf; undefined where the slow reading has to look. */
export function scanLeaf(bytes: Uint8Array): Leaf | undefined {
  const text = fromUtf8(bytes);
  if (text?.endsWith(ending) !== true) return undefined;
  // The type decides which members of `data` are of interest, and stands after it.
  const typeAt = text.lastIndexOf('"', text.length - ending.length - 1) + 1;
  const kind = entryReaderOf(text.slice(typeAt, text.length - ending.length));
  if (kind === undefined) return undefined;
  const reader: Reader = { text, at: 0 };
  if (!takeText(reader, '{"at":"')) return undefined;
  const at = takeUtc(reader);
  if (at === '' || !takeText(reader, '","boot":"')) return undefined;
  const boot = takeHex(reader, 16, met.boot);
  if (boot === '' || !takeText(reader, '","data":')) return undefined;
  const data = readObjectAt(reader, 2, kind.wanted);
  if (data === undefined || !takeText(reader, ',"durability":"')) return undefined;
  const durability = takeText(reader, 'strict')
    ? 'strict'
    : takeText(reader, 'relaxed')
      ? 'relaxed'
      : undefined;
  if (durability === undefined || !takeText(reader, '","kid":"')) return undefined;
  const kid = takeHex(reader, 8, met.kid);
  if (kid === '' || !takeText(reader, '","ledger":"')) return undefined;
  const ledger = takeHex(reader, 32, met.ledger);
  if (ledger === '' || !takeText(reader, '","mono":')) return undefined;
  const mono = takeCount(reader);
  if (mono === undefined || !takeText(reader, ',"parts":')) return undefined;
  const parts = takeParts(reader);
  if (parts === undefined || !takeText(reader, ',"prev":"')) return undefined;
  const prev = takeHex(reader, 64, '');
  if (prev === '' || !takeText(reader, '","refs":')) return undefined;
  const refs = takeCounts(reader);
  if (refs === undefined || !takeText(reader, ',"seq":')) return undefined;
  const seq = takeCount(reader);
  if (seq === undefined || !takeText(reader, ',"type":"') || reader.at !== typeAt) return undefined;
  for (const ref of refs) if (ref >= seq) return undefined;
  const { type } = kind;
  const entry = (type === 'genesis') === (seq === 0) ? kind.read(data, parts, seq) : undefined;
  if (entry === undefined) return undefined;
  met.at = at;
  met.boot = boot;
  met.kid = kid;
  met.ledger = ledger;
  return { at, boot, durability, kid, ledger, mono, parts, prev, seq, type, entry };
}

function takeText(reader: Reader, expected: string): boolean {
  if (!reader.text.startsWith(expected, reader.at)) return false;
  reader.at += expected.length;
  return true;
}

/** So many hex digits, '' where they are none; `likely` is what they often are, '' for nothing. */
function takeHex(reader: Reader, length: number, likely: string): string {
  const { text, at } = reader;
  if (likely !== '' && takeText(reader, likely)) return likely;
  for (let end = at; end < at + length; end += 1) {
    if (isHexDigit[text.charCodeAt(end)] !== 1) return '';
  }
  reader.at = at + length;
  return text.slice(at, reader.at);
}

function takeUtc(reader: Reader): string {
  if (met.at !== '' && takeText(reader, met.at)) return met.at;
  const at = reader.text.slice(reader.at, reader.at + utcChars);
  if (!utcForm.test(at)) return '';
  reader.at += utcChars;
  return at;
}

function takeCount(reader: Reader): number | undefined {
  const value = readIntegerAt(reader);
  return value !== undefined && value >= 0 ? value : undefined;
}

function takeCounts(reader: Reader): readonly number[] | undefined {
  const counts: number[] = [];
  if (takeText(reader, '[]')) return counts;
  if (!takeText(reader, '[')) return undefined;
  for (;;) {
    const count = takeCount(reader);
    if (count === undefined) return undefined;
    counts.push(count);
    if (takeText(reader, ']')) return counts;
    if (!takeText(reader, ',')) return undefined;
  }
}

function takeParts(reader: Reader): readonly Part[] | undefined {
  const parts: Part[] = [];
  if (takeText(reader, '[]')) return parts;
  if (!takeText(reader, '[')) return undefined;
  for (;;) {
    const part = takePart(reader);
    if (part === undefined || parts.length === partsMax) return undefined;
    if (parts.some(({ name }) => name === part.name)) return undefined;
    parts.push(part);
    if (takeText(reader, ']')) return parts;
    if (!takeText(reader, ',')) return undefined;
  }
}

function takePart(reader: Reader): Part | undefined {
  if (!takeText(reader, '{"c":"')) return undefined;
  const c = takeHex(reader, 64, '');
  if (c === '' || !takeText(reader, '","e":"')) return undefined;
  const e = takeHex(reader, 64, '');
  if (e === '' || !takeText(reader, '","name":"')) return undefined;
  const name = takeName(reader);
  if (name === '' || !takeText(reader, '","size":')) return undefined;
  const size = takeCount(reader);
  return size !== undefined && takeText(reader, '}') ? { c, e, name, size } : undefined;
}

/** 1 to 16 lower-case letters; '' where there are none, or more. */
function takeName(reader: Reader): string {
  const { text, at } = reader;
  let end = at;
  for (let code = text.charCodeAt(end); code >= 0x61 && code <= 0x7a; code = text.charCodeAt(end)) end += 1;
  if (end - at > nameCharsMax) return '';
  reader.at = end;
  return text.slice(at, end);
}
