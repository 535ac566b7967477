/** The byte layout of what one commit writes: block, bodies and snapshot records and their keys. FORMAT.md. Pure. */
import { HoldpointError } from '../core/errors.ts';

export const recordKind = { block: 0x01, bodies: 0x02, snapshot: 0x03 } as const;
export type RecordKind = keyof typeof recordKind;

export interface Block {
  readonly leaves: readonly Buffer[];
  readonly note: Buffer;
}

/** One encrypted part as stored; `ciphertext` ends in its 16-byte tag. */
export interface BodyItem {
  readonly seq: number;
  readonly partIndex: number;
  readonly ciphertext: Buffer;
}

export interface Bodies {
  readonly kekId: string;
  readonly nonce: Buffer;
  readonly wrapped: Buffer;
  readonly items: readonly BodyItem[];
}

/** A part as it was encrypted, in pieces that follow each other, so that a long one is copied into its record alone. */
export interface SealedItem {
  readonly seq: number;
  readonly partIndex: number;
  readonly ciphertext: readonly Buffer[];
}

export interface SealedBodies extends Omit<Bodies, 'items'> {
  readonly items: readonly SealedItem[];
}

const blockMagic = Buffer.from('HPB1');
const bodiesMagic = Buffer.from('HPV1');
export const entriesPerBlockMax = 65_536;

/** u64 seq || u8 kind. */
export function recordKey(seq: number, kind: RecordKind): Buffer {
  const key = Buffer.alloc(9);
  key.writeBigUInt64BE(BigInt(seq));
  key[8] = recordKind[kind];
  return key;
}

/** Reads a key back; null when it is none of ours. */
export function parseRecordKey(key: Uint8Array): { seq: number; kind: RecordKind } | null {
  if (key.length !== 9) return null;
  const seq = Number(Buffer.from(key.buffer, key.byteOffset, 8).readBigUInt64BE());
  const kind = recordKinds.find((name) => recordKind[name] === key[8]);
  return kind === undefined || !Number.isSafeInteger(seq) ? null : { seq, kind };
}

export function isBodiesKey(key: Uint8Array): boolean {
  return key.length === 9 && key[8] === recordKind.bodies;
}

const recordKinds: readonly RecordKind[] = ['block', 'bodies', 'snapshot'];

/** "HPB1" || u32 count || count x (u32 length || leaf) || u32 length || note. */
export function encodeBlock(leaves: readonly Buffer[], note: Buffer): Buffer {
  const fixedBytes = blockMagic.length + 4 + 4 + note.length;
  // Memory of its own: it waits for LevelDB, and would keep alive all that Node shares out beside it among small buffers.
  const block = Buffer.allocUnsafeSlow(leaves.reduce((sum, leaf) => sum + 4 + leaf.length, fixedBytes));
  let at = block.writeUInt32BE(leaves.length, put(block, blockMagic, 0));
  for (const leaf of leaves) at = putSized(block, leaf, at);
  putSized(block, note, at);
  return block;
}

export function decodeBlock(bytes: Buffer): Block {
  const read = reader(bytes, 'block');
  read.magic(blockMagic);
  const count = read.u32();
  if (count < 1 || count > entriesPerBlockMax) throw damaged('A block has a wrong number of leaves.');
  const leaves: Buffer[] = [];
  for (let i = 0; i < count; i++) leaves.push(read.sized());
  const note = read.sized();
  read.end();
  return { leaves, note };
}

/** "HPV1" || u8 len || kekId || nonce || u32 len || wrapped || u32 count || items. */
export function encodeBodies({ kekId, nonce, wrapped, items }: Bodies | SealedBodies): Buffer {
  const fixedBytes = bodiesMagic.length + 1 + kekId.length + nonce.length + 4 + wrapped.length + 4;
  const itemHeadBytes = 8 + 1 + 4;
  let bytes = fixedBytes + items.length * itemHeadBytes;
  for (const { ciphertext } of items) bytes += lengthOf(ciphertext);
  const record = Buffer.allocUnsafe(bytes);
  let at = record.writeUInt8(kekId.length, put(record, bodiesMagic, 0));
  at += record.write(kekId, at, 'latin1');
  at = putSized(record, wrapped, put(record, nonce, at));
  at = record.writeUInt32BE(items.length, at);
  for (const { seq, partIndex, ciphertext } of items) {
    at = record.writeUInt8(partIndex, record.writeBigUInt64BE(BigInt(seq), at));
    at = record.writeUInt32BE(lengthOf(ciphertext), at);
    for (const piece of Buffer.isBuffer(ciphertext) ? [ciphertext] : ciphertext) at = put(record, piece, at);
  }
  return record;
}

/** Of bytes, or of pieces that follow each other. */
export function lengthOf(bytes: Buffer | readonly Buffer[]): number {
  return Buffer.isBuffer(bytes) ? bytes.length : bytes.reduce((sum, piece) => sum + piece.length, 0);
}

export function decodeBodies(bytes: Buffer): Bodies {
  const read = reader(bytes, 'bodies record');
  read.magic(bodiesMagic);
  const kekId = read.take(read.u8()).toString('latin1');
  const nonce = read.take(12);
  const wrapped = read.sized();
  const items: BodyItem[] = [];
  for (let count = read.u32(); count > 0; count--) {
    const seq = read.u64();
    items.push({ seq, partIndex: read.u8(), ciphertext: read.sized() });
  }
  read.end();
  return { kekId, nonce, wrapped, items };
}

/** Copies `bytes` to `at`; returns where they end. */
function put(to: Buffer, bytes: Buffer, at: number): number {
  to.set(bytes, at);
  return at + bytes.length;
}

/** The same behind their length. */
function putSized(to: Buffer, bytes: Buffer, at: number): number {
  return put(to, bytes, to.writeUInt32BE(bytes.length, at));
}

function damaged(message: string): HoldpointError {
  return new HoldpointError('ledger_damaged', message, 'Run `holdpoint verify` on the data directory.');
}

function reader(bytes: Buffer, what: string) {
  let offset = 0;
  /** Where the next so many bytes begin. Numbers are read in place: a Buffer for each would be most of the work. */
  const pass = (length: number): number => {
    if (offset + length > bytes.length) throw damaged(`A ${what} ends early.`);
    offset += length;
    return offset - length;
  };
  const take = (length: number): Buffer => {
    const from = pass(length);
    return bytes.subarray(from, from + length);
  };
  const u32 = (): number => bytes.readUInt32BE(pass(4));
  return {
    take,
    u8: () => bytes.readUInt8(pass(1)),
    u32,
    u64: () => Number(bytes.readBigUInt64BE(pass(8))),
    sized: () => take(u32()),
    magic: (magic: Buffer) => {
      if (!take(4).equals(magic)) throw damaged(`A ${what} does not start as version 1.`);
    },
    end: () => {
      if (offset !== bytes.length) throw damaged(`A ${what} has bytes after its end.`);
    },
  };
}
