/** One entry of the ledger and its canonical bytes, the leaf. Layout: FORMAT.md. Pure. */
import { HoldpointError } from '../core/errors.ts';
import { canonicalize, isLeafJson, type JsonObject } from './canonical.ts';

/** What is sealed fits a length of two bytes, as entry bundles of C2SP tlog-tiles have it. */
export const leafBytesMax = 65_535;
/** What is read back: the format's own bound. */
const readLeafBytesMax = 65_536;
/** A part's index is one byte in the bodies record. */
export const partsMax = 256;

export const entryTypes = [
  'genesis',
  'start',
  'stop',
  'heartbeat',
  'policy',
  'request',
  'response',
  'hold',
  'ruling',
  'delivery',
  'recovery',
  'access',
  'anchor',
  'erasure',
  'key',
] as const;
export type EntryType = (typeof entryTypes)[number];
const knownTypes: ReadonlySet<string> = new Set(entryTypes);

export const outcomes = [
  'delivered',
  'denied',
  'expired',
  'released_undelivered',
  'client_abort',
  'upstream_error',
  'upstream_truncated',
  'interrupted',
  'ledger_unavailable',
  'carried',
  'reported',
] as const;
/** How a decision ended; each has exactly one. */
export type Outcome = (typeof outcomes)[number];

export type Durability = 'strict' | 'relaxed';

/** The commitment a leaf carries for content that is stored outside it. */
export interface PartCommitment {
  /** Binds the plaintext, its place and its salt; 64 hex. A ruling's digest is this. */
  readonly c: string;
  /** Hash of the stored ciphertext; 64 hex. */
  readonly e: string;
  readonly name: string;
  /** Bytes of plaintext. */
  readonly size: number;
}

export interface Entry {
  readonly at: string;
  readonly boot: string;
  readonly data: JsonObject;
  readonly durability: Durability;
  readonly kid: string;
  readonly ledger: string;
  readonly mono: number;
  readonly parts: readonly PartCommitment[];
  readonly prev: string;
  readonly refs: readonly number[];
  readonly seq: number;
  readonly type: EntryType;
  readonly v: 1;
}

/** An entry's leaf but for what is known last: the commitments of its parts, and the hash of the leaf before it. */
export interface LeafDraft {
  readonly before: string;
  readonly after: string;
  /** Of the whole leaf. */
  readonly bytes: number;
}

type DraftedPart = Pick<PartCommitment, 'name' | 'size'>;

const digestCharacters = 64;
const emptyPart = { c: '', e: '', name: '', size: 0 };
/** Of a part, besides its name and the digits of its size. */
const partFrameBytes = writePart(emptyPart).length - 1 + 2 * digestCharacters;

/** All of a leaf that can be wrong. Throws RangeError where it would be too long or hold what no leaf may. */
export function draftLeaf(entry: Omit<Entry, 'parts' | 'prev'>, parts: readonly DraftedPart[]): LeafDraft {
  const leaf = leafAround(entry, parts);
  if (leaf.bytes > leafBytesMax) {
    throw new RangeError(`A ${entry.type} leaf of ${leaf.bytes} bytes exceeds ${leafBytesMax}.`);
  }
  return leaf;
}

/** The leaf's bytes. */
export function closeLeaf(leaf: LeafDraft, parts: readonly PartCommitment[], prev: string): Buffer {
  let commitments = '';
  for (const part of parts) commitments += `${commitments === '' ? '' : ','}${writePart(part)}`;
  return Buffer.from(`${leaf.before}${commitments}],"prev":"${prev}${leaf.after}`);
}

/** The leaf's bytes, of an entry that is whole. Throws as `draftLeaf` does. */
export function encodeLeaf(entry: Entry): Buffer {
  return closeLeaf(draftLeaf(entry, entry.parts), entry.parts, entry.prev);
}

/**
 * The fixed fields are known to need no escaping, so only `data` takes the general way; a golden test holds the whole
 * equal to `canonicalize(entry)`.
 */
function leafAround(entry: Omit<Entry, 'parts' | 'prev'>, parts: readonly DraftedPart[]): LeafDraft {
  if (parts.length > 1) requireDistinctParts(parts);
  const data = canonicalize(entry.data, 2);
  const before =
    `{"at":"${entry.at}","boot":"${entry.boot}","data":${data},"durability":"${entry.durability}",` +
    `"kid":"${entry.kid}","ledger":"${entry.ledger}","mono":${entry.mono},"parts":[`;
  const after = `","refs":[${entry.refs.join(',')}],"seq":${entry.seq},"type":"${entry.type}","v":1}`;
  // More than it has characters: what is around it is ASCII, and to ask the whole would put it together once more.
  const moreBytes = Buffer.byteLength(data) - data.length;
  let bytes = before.length + moreBytes + '],"prev":"'.length + digestCharacters + after.length;
  for (const { name, size } of parts) bytes += partFrameBytes + name.length + String(size).length;
  return { before, after, bytes: bytes + Math.max(0, parts.length - 1) };
}

function writePart({ c, e, name, size }: PartCommitment): string {
  return `{"c":"${c}","e":"${e}","name":"${name}","size":${size}}`;
}

/** Two parts of one name would leave open which of them a digest is about. */
function requireDistinctParts(parts: readonly DraftedPart[]): void {
  const names = new Set(parts.map((part) => part.name));
  if (names.size !== parts.length || parts.length > partsMax)
    throw new RangeError(`An entry has at most ${partsMax} parts, no two of one name.`);
}

/** Reads a leaf back; throws HoldpointError `ledger_damaged` unless the bytes are exactly what encodeLeaf writes, or would with one byte more. */
export function decodeLeaf(leaf: Buffer): Entry {
  const value = parseLeaf(leaf);
  if (!isEntry(value) || !isEncoded(value, leaf)) {
    throw new HoldpointError('ledger_damaged', 'A leaf is not a canonical entry of format version 1.');
  }
  return value;
}

/**
 * Reads a leaf whose bytes a signature covers; whether they are canonical is not asked. Throws HoldpointError
 * `ledger_damaged` for what is no entry.
 */
export function readLeaf(leaf: Buffer): Entry {
  const value = parseLeaf(leaf);
  if (!hasFields(value))
    throw new HoldpointError('ledger_damaged', 'A leaf is not an entry of format version 1.');
  return value;
}

function isEncoded(entry: Entry, leaf: Buffer): boolean {
  try {
    const canonical = closeLeaf(leafAround(entry, entry.parts), entry.parts, entry.prev);
    return leaf.length <= readLeafBytesMax && canonical.equals(leaf);
  } catch (error) {
    // Nested too deeply, or with parts of one name: nothing that is ever written.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function parseLeaf(leaf: Buffer): unknown {
  try {
    return JSON.parse(leaf.toString('utf8'));
  } catch (error) {
    throw new HoldpointError('ledger_damaged', 'A leaf is not JSON.', '', error);
  }
}

function isEntry(value: unknown): value is Entry {
  return isLeafJson(value) && hasFields(value);
}

/** True when the entry's own fields are there; what `data` may hold is for `isLeafJson` or for a signature to say. */
function hasFields(value: unknown): value is Entry {
  if (!isObject(value)) return false;
  const { at, boot, data, durability, kid, ledger, mono, parts, prev, refs, seq, type, v } = value;
  return (
    typeof at === 'string' &&
    typeof boot === 'string' &&
    typeof kid === 'string' &&
    typeof ledger === 'string' &&
    typeof prev === 'string' &&
    isObject(data) &&
    (durability === 'strict' || durability === 'relaxed') &&
    typeof mono === 'number' &&
    Array.isArray(parts) &&
    parts.every(isPartCommitment) &&
    Array.isArray(refs) &&
    refs.every((ref) => typeof ref === 'number') &&
    typeof seq === 'number' &&
    typeof type === 'string' &&
    knownTypes.has(type) &&
    v === 1
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPartCommitment(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['c'] === 'string' &&
    typeof value['e'] === 'string' &&
    typeof value['name'] === 'string' &&
    typeof value['size'] === 'number'
  );
}
