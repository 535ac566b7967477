/**
 * Bodies outside the leaves: one random data key per part, commitments for the leaf, keys wrapped per
 * commit under the key-encryption key. Destroying a wrapped key and its ciphertext erases a body while
 * every hash still verifies. Layout: FORMAT.md, "Parts and bodies".
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from 'node:crypto';
import { sha256, sha256Hex, sha256HexOf } from '../core/bytes.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Bodies, BodyItem, SealedBodies, SealedItem } from './block.ts';
import type { PartCommitment } from './entry.ts';

/** Content that goes beside a leaf, in the clear. */
export interface PartContent {
  readonly name: string;
  readonly bytes: Buffer;
  /** What follows `bytes`, where it is long: to put both together would copy it. */
  readonly rest?: Buffer;
}

export interface SealedPart {
  readonly commitment: PartCommitment;
  readonly item: SealedItem;
  /** aesKey || salt; zeroed once wrapped. */
  readonly dataKey: Buffer;
}

export interface KeyEncryptionKey {
  readonly id: string;
  readonly key: Buffer;
}

const dataKeyBytes = 64;
const tagBytes = 16;
const nonceBytes = 12;
const keyAsText = { encoding: 'latin1' } as const;
const nonceOfOneUse = Buffer.alloc(nonceBytes);
const commitPrefix = Buffer.from('holdpoint/commit/1\0');
const ciphertextPrefix = Buffer.from('holdpoint/ct/1\0');
const wrapPrefix = Buffer.from('holdpoint/wrap/1\0');

// One system call for many keys and nonces: randomness for each was a quarter of the CPU time of sealing.
const poolBytes = 256 * dataKeyBytes;
let pool = Buffer.alloc(0);
let poolOffset = 0;

/** Bytes that were given to nobody before; at most `poolBytes`. */
function freshRandom(bytes: number): Buffer {
  if (poolOffset + bytes > pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(poolBytes));
    poolOffset = 0;
  }
  poolOffset += bytes;
  return pool.subarray(poolOffset - bytes, poolOffset);
}

/** Names the key-encryption key without telling it. */
export function kekOf(key: Buffer): KeyEncryptionKey {
  return { id: sha256Hex(Buffer.concat([Buffer.from('holdpoint/kek/1\0'), key])).slice(0, 8), key };
}

/** How many bytes are stored of a part of so many. */
export function ciphertextBytes(size: number): number {
  return size + tagBytes;
}

/** Encrypts one part for the entry at `seq` and commits to it. */
export function sealPart(ledgerId: Buffer, seq: number, partIndex: number, part: PartContent): SealedPart {
  const dataKey = freshRandom(dataKeyBytes);
  // As a text: Node finds out by an exception that a Buffer is no KeyObject, and makes a native object for one that is.
  // It lies in memory no longer than the text that it encrypts, which nobody zeroes either.
  const key = dataKey.toString('latin1', 0, 32);
  const cipher = createCipheriv('aes-256-gcm', key, nonceOfOneUse, keyAsText);
  const pieces = piecesOf(part);
  const encrypted = pieces.map((piece) => cipher.update(piece));
  cipher.final();
  const ciphertext = [...encrypted, cipher.getAuthTag()];
  const commitment = {
    c: commitTo(ledgerId, seq, part.name, pieces, dataKey.subarray(32)),
    e: sha256HexOf([ciphertextPrefix, ...ciphertext]),
    name: part.name,
    size: sizeOf(part),
  };
  return { commitment, item: { seq, partIndex, ciphertext }, dataKey };
}

/** Bytes of plaintext. */
export function sizeOf({ bytes, rest }: PartContent): number {
  return bytes.length + (rest?.length ?? 0);
}

function piecesOf({ bytes, rest }: PartContent): readonly Buffer[] {
  return rest === undefined ? [bytes] : [bytes, rest];
}

function commitTo(
  ledgerId: Buffer,
  seq: number,
  name: string,
  pieces: readonly Buffer[],
  salt: Buffer,
): string {
  const place = Buffer.allocUnsafe(9);
  place.writeBigUInt64BE(BigInt(seq));
  place[8] = name.length;
  return sha256HexOf([commitPrefix, ledgerId, place, Buffer.from(name), salt, ...pieces]);
}

/** Wraps the data keys of one commit's parts, in order, and zeroes them. */
export function wrapBodies(
  kek: KeyEncryptionKey,
  ledgerId: Buffer,
  firstSeq: number,
  parts: readonly SealedPart[],
): SealedBodies {
  const keys = Buffer.concat(parts.map((part) => part.dataKey));
  const wrapped = wrapKeys(kek, wrapContext(ledgerId, firstSeq), keys);
  for (const part of parts) part.dataKey.fill(0);
  return { kekId: kek.id, ...wrapped, items: parts.map((part) => part.item) };
}

/** The same data keys under another key-encryption key. Throws `ledger_damaged` when they do not unwrap. */
export function rewrapKeys(
  from: KeyEncryptionKey,
  to: KeyEncryptionKey,
  ledgerId: Buffer,
  firstSeq: number,
  bodies: Bodies,
): Bodies {
  const context = wrapContext(ledgerId, firstSeq);
  const keys = decrypt(from.key, bodies.nonce, bodies.wrapped, context, firstSeq);
  return { ...bodies, kekId: to.id, ...wrapKeys(to, context, keys) };
}

/** Wraps under a fresh nonce, and zeroes what it was given. */
function wrapKeys(kek: KeyEncryptionKey, context: Buffer, keys: Buffer): Pick<Bodies, 'nonce' | 'wrapped'> {
  const nonce = freshRandom(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(kek.key), nonce);
  cipher.setAAD(context);
  const wrapped = Buffer.concat([cipher.update(keys), cipher.final(), cipher.getAuthTag()]);
  keys.fill(0);
  return { nonce, wrapped };
}

/**
 * A record with only the items that are kept, their data keys wrapped again under a fresh nonce and the same
 * key-encryption key; null when none is kept. Throws `ledger_damaged` when the keys do not open.
 */
export function keepItems(
  keks: readonly KeyEncryptionKey[],
  ledgerId: Buffer,
  firstSeq: number,
  bodies: Bodies,
  isKept: (item: BodyItem) => boolean,
): Bodies | null {
  const items = bodies.items.filter(isKept);
  if (items.length === 0) return null;
  const kek = keks.find(({ id }) => id === bodies.kekId);
  if (kek === undefined) throw damaged(firstSeq, `is encrypted under another key (${bodies.kekId})`);
  const context = wrapContext(ledgerId, firstSeq);
  const keys = decrypt(kek.key, bodies.nonce, bodies.wrapped, context, firstSeq);
  if (keys.length !== bodies.items.length * dataKeyBytes) throw damaged(firstSeq, 'has no data key');
  const kept = bodies.items.flatMap((item, position) =>
    isKept(item) ? [keys.subarray(position * dataKeyBytes, (position + 1) * dataKeyBytes)] : [],
  );
  const keptKeys = Buffer.concat(kept);
  keys.fill(0);
  return { kekId: kek.id, ...wrapKeys(kek, context, keptKeys), items };
}

function wrapContext(ledgerId: Buffer, firstSeq: number): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(firstSeq));
  return Buffer.concat([wrapPrefix, ledgerId, place]);
}

/** The plaintext of one stored part, checked against its commitment; throws `ledger_damaged` when it is not that. */
export function openPart(
  kek: KeyEncryptionKey,
  ledgerId: Buffer,
  firstSeq: number,
  bodies: Bodies,
  seq: number,
  partIndex: number,
  commitment: PartCommitment,
): Buffer {
  const position = bodies.items.findIndex((item) => item.seq === seq && item.partIndex === partIndex);
  const item = bodies.items[position];
  if (item === undefined) throw damaged(seq, 'is not stored');
  if (sha256Hex(Buffer.concat([ciphertextPrefix, item.ciphertext])) !== commitment.e)
    throw damaged(seq, 'was altered');
  if (bodies.kekId !== kek.id) throw damaged(seq, `is encrypted under another key (${bodies.kekId})`);
  const keys = decrypt(kek.key, bodies.nonce, bodies.wrapped, wrapContext(ledgerId, firstSeq), seq);
  const dataKey = keys.subarray(position * dataKeyBytes, (position + 1) * dataKeyBytes);
  const plaintext = decrypt(dataKey.subarray(0, 32), nonceOfOneUse, item.ciphertext, null, seq);
  const committed = commitTo(ledgerId, seq, commitment.name, [plaintext], dataKey.subarray(32));
  keys.fill(0);
  if (committed !== commitment.c) throw damaged(seq, 'does not match its commitment');
  return plaintext;
}

/** True when the wrapped data keys of a record open under their key-encryption key. */
export function keysOpen(kek: KeyEncryptionKey, ledgerId: Buffer, firstSeq: number, bodies: Bodies): boolean {
  try {
    decrypt(kek.key, bodies.nonce, bodies.wrapped, wrapContext(ledgerId, firstSeq), firstSeq).fill(0);
    return true;
  } catch (error) {
    if (error instanceof HoldpointError) return false;
    throw error;
  }
}

/** True when the stored bytes are the ones the leaf names; needs no key. */
export function isStoredAs(item: BodyItem, commitment: PartCommitment): boolean {
  return hashOf(item) === commitment.e;
}

/** What a leaf names stored bytes by, hex. */
export function hashOf(item: BodyItem): string {
  return sha256(Buffer.concat([ciphertextPrefix, item.ciphertext])).toString('hex');
}

function decrypt(key: Buffer, nonce: Buffer, sealed: Buffer, context: Buffer | null, seq: number): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, {
      authTagLength: tagBytes,
    });
    if (context !== null) decipher.setAAD(context);
    decipher.setAuthTag(sealed.subarray(Math.max(0, sealed.length - tagBytes)));
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - tagBytes)), decipher.final()]);
  } catch (error) {
    throw new HoldpointError(
      'ledger_damaged',
      `A body of entry ${seq} does not decrypt.`,
      'Is this the right key-encryption key?',
      error,
    );
  }
}

function damaged(seq: number, what: string): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    `A body of entry ${seq} ${what}.`,
    'Run `holdpoint verify` on the data directory.',
  );
}
