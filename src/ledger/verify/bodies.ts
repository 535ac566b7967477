/**
 * Bodies against the parts their leaves commit to: `e` over the stored bytes for everyone, `c` over the
 * plaintext for whoever has the key-encryption key. SHA-256 from @noble/hashes, AES-256-GCM from Web
 * Crypto. Portable; no `node:` imports.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { ascii, fromHex, hexEquals, toHex } from './encoding.ts';
import type { Part } from './fields.ts';
import type { Findings } from './findings.ts';
import type { Bodies, BodyItem } from './framing.ts';
import type { Leaf } from './leaf.ts';
import type { PartSet } from './part-set.ts';

/** The wrapped data keys of one block, as the bodies record has them. */
export interface WrappedKeys {
  readonly ledger: string;
  readonly firstSeq: number;
  readonly kekId: string;
  readonly nonce: Uint8Array;
  readonly wrapped: Uint8Array;
}

/** Gives the data keys, 64 bytes per item in the record's order; undefined when they do not unwrap. */
export type UnwrapKeys = (keys: WrappedKeys) => Promise<Uint8Array | undefined>;

export interface BodyCounts {
  /** Parts whose bytes are in the store. */
  stored: number;
  /** Of these, whose bytes hash to `e`. */
  checked: number;
  /** Of these, whose plaintext was opened and hashes to `c`. */
  opened: number;
  /** Parts that an `erasure` entry names and that are gone. */
  erased: number;
}

export interface BlockLeaves {
  readonly seq: number;
  /** In order; undefined where an entry could not be read, so that its parts are not known. */
  readonly leaves: readonly (Leaf | undefined)[];
}

export const dataKeyBytes = 64;
const aesKeyBytes = 32;
const tagBytes = 16;
const zeroNonce = new Uint8Array(12);
const ctDomain = ascii.encode('holdpoint/ct/1\0');
const commitDomain = ascii.encode('holdpoint/commit/1\0');
const wrapDomain = ascii.encode('holdpoint/wrap/1\0');
const kekDomain = ascii.encode('holdpoint/kek/1\0');

interface Expected {
  readonly leaf: Leaf;
  readonly part: Part;
  readonly index: number;
}

/** Checks one bodies record against its block, noting `absent` parts; `unwrap` undefined leaves the plaintexts closed. */
export async function checkBodies(
  block: BlockLeaves,
  bodies: Bodies,
  unwrap: UnwrapKeys | undefined,
  counts: BodyCounts,
  findings: Findings,
  absent: PartSet,
): Promise<void> {
  const ledger = block.leaves.find((leaf) => leaf !== undefined)?.ledger ?? '';
  const { kekId, nonce, wrapped } = bodies;
  const dataKeys = await unwrap?.({ ledger, firstSeq: block.seq, kekId, nonce, wrapped });
  if (unwrap !== undefined && dataKeys?.length !== bodies.items.length * dataKeyBytes) {
    const where = `the data keys of block ${block.seq} (key-encryption key ${kekId})`;
    findings.add('key_wrap_invalid', block.seq, `${where} do not unwrap with the key given`);
  }
  const expected = expectedParts(block);
  let next = 0;
  for (const [index, item] of bodies.items.entries()) {
    counts.stored += 1;
    while (next < expected.length && compare(expected[next], item) < 0) {
      noteAbsent(expected[next], absent);
      next += 1;
    }
    const match = expected[next];
    if (match === undefined || compare(match, item) !== 0) {
      // What an unreadable entry named is not known, so nothing can be said of its items.
      if (isOfReadableLeaf(block, item)) {
        findings.add(
          'body_unexpected',
          item.seq,
          `no part ${item.part} of entry ${item.seq} names these bytes`,
        );
      }
      continue;
    }
    next += 1;
    if (!hashesToE(match.part, item)) {
      const { leaf, part } = match;
      findings.add(
        'body_altered',
        leaf.seq,
        `the stored ${part.name} of entry ${leaf.seq} is not what was sealed`,
      );
      continue;
    }
    counts.checked += 1;
    const dataKey = dataKeys?.slice(index * dataKeyBytes, (index + 1) * dataKeyBytes);
    if (dataKey?.length !== dataKeyBytes) continue;
    if ((await openToC(match, item, dataKey)) !== undefined) {
      counts.opened += 1;
    } else {
      const { leaf, part } = match;
      const message = `the ${part.name} of entry ${leaf.seq} does not open to what the entry commits to`;
      findings.add('commitment_mismatch', leaf.seq, message);
    }
  }
  for (const left of expected.slice(next)) noteAbsent(left, absent);
}

/** Notes every part of a block that has no bodies record at all. */
export function noteNoBodies(block: BlockLeaves, absent: PartSet): void {
  for (const part of expectedParts(block)) noteAbsent(part, absent);
}

/** Unwraps with whichever of these key-encryption keys, 32 bytes each, a record names. */
export function unwrapWithAny(keks: readonly Uint8Array[]): UnwrapKeys {
  const unwraps = keks.map(unwrapWith);
  return async (keys) => {
    for (const unwrap of unwraps) {
      const dataKeys = await unwrap(keys);
      if (dataKeys !== undefined) return dataKeys;
    }
    return undefined;
  };
}

/** Names a key-encryption key, as bodies records do. */
export function kekIdOf(kek: Uint8Array): string {
  return toHex(sha256.create().update(kekDomain).update(kek).digest().subarray(0, 4));
}

/** Unwraps with the key-encryption key's own 32 bytes. */
function unwrapWith(kek: Uint8Array): UnwrapKeys {
  const id = kekIdOf(kek);
  return async ({ ledger, firstSeq, kekId, nonce, wrapped }) => {
    const ledgerBytes = fromHex(ledger);
    if (kekId !== id || kek.length !== aesKeyBytes || ledgerBytes === undefined) return undefined;
    const additional = new Uint8Array(wrapDomain.length + 24);
    additional.set(wrapDomain);
    additional.set(ledgerBytes, wrapDomain.length);
    additional.set(u64(firstSeq), wrapDomain.length + 16);
    return decrypt(kek, nonce, wrapped, additional);
  };
}

function expectedParts(block: BlockLeaves): readonly Expected[] {
  const expected: Expected[] = [];
  for (const leaf of block.leaves) {
    leaf?.parts.forEach((part, index) => {
      expected.push({ leaf, part, index });
    });
  }
  return expected;
}

function compare(expected: Expected | undefined, item: BodyItem): number {
  if (expected === undefined) return 1;
  return expected.leaf.seq - item.seq || expected.index - item.part;
}

function isOfReadableLeaf(block: BlockLeaves, item: BodyItem): boolean {
  const index = item.seq - block.seq;
  return index < 0 || index >= block.leaves.length || block.leaves[index] !== undefined;
}

/** An erasure may name it, in this block or much later. */
function noteAbsent(expected: Expected | undefined, absent: PartSet): void {
  if (expected !== undefined) absent.add(expected.leaf.seq, expected.index);
}

export function hashesToE(part: Part, item: BodyItem): boolean {
  if (item.ct.length !== part.size + tagBytes) return false;
  return hexEquals(part.e, sha256.create().update(ctDomain).update(item.ct).digest());
}

/** The plaintext of one stored part; undefined unless it opens and is what the leaf commits to. */
export async function openToC(
  { leaf, part }: Pick<Expected, 'leaf' | 'part'>,
  item: BodyItem,
  dataKey: Uint8Array,
): Promise<Uint8Array | undefined> {
  const plaintext = await decrypt(dataKey.subarray(0, aesKeyBytes), zeroNonce, item.ct);
  const ledger = fromHex(leaf.ledger);
  if (plaintext === undefined || ledger === undefined) return undefined;
  const name = ascii.encode(part.name);
  const commitment = sha256
    .create()
    .update(commitDomain)
    .update(ledger)
    .update(u64(leaf.seq))
    .update(Uint8Array.of(name.length))
    .update(name)
    .update(dataKey.subarray(aesKeyBytes))
    .update(plaintext)
    .digest();
  return hexEquals(part.c, commitment) ? plaintext : undefined;
}

async function decrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  additionalData: Uint8Array = new Uint8Array(0),
): Promise<Uint8Array | undefined> {
  const { subtle } = globalThis.crypto;
  // Copies: Web Crypto's types refuse views that could be over shared memory.
  const aesKey = await subtle.importKey('raw', key.slice(), 'AES-GCM', false, ['decrypt']);
  const parameters = { name: 'AES-GCM', iv: nonce.slice(), additionalData: additionalData.slice() };
  try {
    return new Uint8Array(await subtle.decrypt(parameters, aesKey, ciphertext.slice()));
  } catch (error) {
    // OperationError is how Web Crypto says that the tag does not fit.
    if (error instanceof DOMException && error.name === 'OperationError') return undefined;
    throw error;
  }
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(value / 4_294_967_296));
  view.setUint32(4, value % 4_294_967_296);
  return bytes;
}
