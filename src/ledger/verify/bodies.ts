/**
 * Bodies against the parts their leaves commit to: `e` over the stored bytes for everyone, `c` over the
 * plaintext for whoever has the key-encryption key. Portable; imports only its own folder.
 */
import { ascii, fromHex, toHex } from './encoding.ts';
import type { Part } from './fields.ts';
import type { Findings } from './findings.ts';
import type { Bodies, BodyItem } from './framing.ts';
import type { Leaf } from './leaf.ts';
import type { PartSet } from './part-set.ts';
import { hashPieces, hashPiecesHex, type Primitives, portable } from './primitives.ts';
import { createOrderChecking } from './signed-order.ts';

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
const nothing = new Uint8Array(0);
const ctDomain = ascii.encode('holdpoint/ct/1\0');
const commitDomain = ascii.encode('holdpoint/commit/1\0');
const wrapDomain = ascii.encode('holdpoint/wrap/1\0');
const kekDomain = ascii.encode('holdpoint/kek/1\0');

interface Expected {
  readonly leaf: Leaf;
  readonly part: Part;
  readonly index: number;
}

export interface BodyChecking {
  /** Undefined leaves the plaintexts closed. */
  readonly unwrap: UnwrapKeys | undefined;
  readonly primitives: Primitives;
  readonly counts: BodyCounts;
  readonly findings: Findings;
  /** Where parts without stored bytes are noted. */
  readonly absent: PartSet;
  /** By signed ruling of the block that released calls of an answer: how many. */
  readonly released: ReadonlyMap<number, number>;
}

/** Checks one bodies record against its block. */
export async function checkBodies(
  block: BlockLeaves,
  bodies: Bodies,
  { unwrap, primitives, counts, findings, absent, released }: BodyChecking,
): Promise<void> {
  const ledger = block.leaves.find((leaf) => leaf !== undefined)?.ledger ?? '';
  const { kekId, nonce, wrapped } = bodies;
  const dataKeys = await unwrap?.({ ledger, firstSeq: block.seq, kekId, nonce, wrapped });
  if (unwrap !== undefined && dataKeys?.length !== bodies.items.length * dataKeyBytes) {
    const where = `the data keys of block ${block.seq} (key-encryption key ${kekId})`;
    findings.add('key_wrap_invalid', block.seq, `${where} do not unwrap with the key given`);
  }
  const expected = expectedParts(block);
  const orders = createOrderChecking(primitives, released);
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
    if (!hashesToE(match.part, item, primitives)) {
      const { leaf, part } = match;
      findings.add(
        'body_altered',
        leaf.seq,
        `the stored ${part.name} of entry ${leaf.seq} is not what was sealed`,
      );
      continue;
    }
    counts.checked += 1;
    const dataKey = dataKeys?.subarray(index * dataKeyBytes, (index + 1) * dataKeyBytes);
    if (dataKey?.length !== dataKeyBytes) continue;
    const plaintext = await openToC(match, item, dataKey, primitives);
    if (plaintext !== undefined) {
      counts.opened += 1;
      const complaint = orders.take(match.leaf, match.part.name, plaintext);
      if (complaint !== undefined)
        findings.add(
          'ruling_order_mismatch',
          match.leaf.seq,
          `entry ${match.leaf.seq} (ruling): ${complaint}`,
        );
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
export function unwrapWithAny(keks: readonly Uint8Array[], primitives = portable): UnwrapKeys {
  const unwraps = keks.map((kek) => unwrapWith(kek, primitives));
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
  return toHex(hashPieces(portable, [kekDomain, kek]).subarray(0, 4));
}

/** Unwraps with the key-encryption key's own 32 bytes. */
function unwrapWith(kek: Uint8Array, primitives: Primitives): UnwrapKeys {
  const id = kekIdOf(kek);
  return async ({ ledger, firstSeq, kekId, nonce, wrapped }) => {
    const ledgerBytes = fromHex(ledger);
    if (kekId !== id || kek.length !== aesKeyBytes || ledgerBytes === undefined) return undefined;
    const additional = new Uint8Array(wrapDomain.length + 24);
    additional.set(wrapDomain);
    additional.set(ledgerBytes, wrapDomain.length);
    writeU64(additional, wrapDomain.length + 16, firstSeq);
    return primitives.openAesGcm({ key: kek, nonce, additional, ciphertext: wrapped });
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

export function hashesToE(part: Part, item: BodyItem, primitives = portable): boolean {
  if (item.ct.length !== part.size + tagBytes) return false;
  return part.e === hashPiecesHex(primitives, [ctDomain, item.ct]);
}

/** The plaintext of one stored part; undefined unless it opens and is what the leaf commits to. */
export async function openToC(
  { leaf, part }: Pick<Expected, 'leaf' | 'part'>,
  item: BodyItem,
  dataKey: Uint8Array,
  primitives = portable,
): Promise<Uint8Array | undefined> {
  const plaintext = await primitives.openAesGcm({
    key: dataKey.subarray(0, aesKeyBytes),
    nonce: zeroNonce,
    additional: nothing,
    ciphertext: item.ct,
  });
  const ledger = fromHex(leaf.ledger);
  if (plaintext === undefined || ledger === undefined) return undefined;
  const head = commitmentHead(ledger, leaf.seq, part.name, dataKey.subarray(aesKeyBytes));
  return part.c === hashPiecesHex(primitives, [head, plaintext]) ? plaintext : undefined;
}

/** What a commitment hashes before the plaintext, in one piece: every body has one. */
function commitmentHead(ledger: Uint8Array, seq: number, name: string, salt: Uint8Array): Uint8Array {
  const placeAt = commitDomain.length + ledger.length;
  const nameAt = placeAt + 9;
  const head = new Uint8Array(nameAt + name.length + salt.length);
  head.set(commitDomain);
  head.set(ledger, commitDomain.length);
  writeU64(head, placeAt, seq);
  head[nameAt - 1] = name.length;
  // A part's name is ASCII letters.
  for (let i = 0; i < name.length; i += 1) head[nameAt + i] = name.charCodeAt(i);
  head.set(salt, nameAt + name.length);
  return head;
}

function writeU64(bytes: Uint8Array, at: number, value: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(at, Math.floor(value / 4_294_967_296));
  view.setUint32(at + 4, value % 4_294_967_296);
}
