/**
 * Checks inclusion and consistency proofs as RFC 9162 sections 2.1.3.2 and 2.1.4.2 write it down: climbing from
 * the leaf, by its number, without building the tree. Sizes up to 2^53 - 1. Pure; portable.
 */
import { equalBytes } from './encoding.ts';
import { nodeHash } from './tree.ts';

const hashBytes = 32;
/** 2^53 leaves have no longer path, and a consistency proof has at most one hash more. */
export const proofHashesMax = 54;

/** True when `path` proves that `leaf`, a leaf hash, is number `seq` of the tree of `size` leaves with this root. */
export function provesInclusion(
  leaf: Uint8Array,
  seq: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isCount(seq) || !isCount(size) || seq >= size || !areHashes([leaf, root, ...path])) return false;
  let place = seq;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (isOdd(place) || place === last) {
      hash = nodeHash(sibling, hash);
      while (!isOdd(place) && place !== 0) {
        place = half(place);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    place = half(place);
    last = half(last);
  }
  return last === 0 && equalBytes(hash, root);
}

/** True when `proof` proves that the tree of `from` leaves is the beginning of that of `to` leaves. */
export function provesConsistency(
  from: number,
  fromRoot: Uint8Array,
  to: number,
  toRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isCount(from) || !isCount(to) || from < 1 || from > to) return false;
  if (!areHashes([fromRoot, toRoot, ...proof])) return false;
  if (from === to) return proof.length === 0 && equalBytes(fromRoot, toRoot);
  // A whole power of two is a subtree of the later tree: its hash is known and not part of the proof.
  const [first, ...rest] = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof;
  if (first === undefined) return false;
  let place = from - 1;
  let last = to - 1;
  while (isOdd(place)) {
    place = half(place);
    last = half(last);
  }
  let older = first;
  let newer = first;
  for (const hash of rest) {
    if (last === 0) return false;
    if (isOdd(place) || place === last) {
      older = nodeHash(hash, older);
      newer = nodeHash(hash, newer);
      while (!isOdd(place) && place !== 0) {
        place = half(place);
        last = half(last);
      }
    } else {
      newer = nodeHash(newer, hash);
    }
    place = half(place);
    last = half(last);
  }
  return last === 0 && equalBytes(older, fromRoot) && equalBytes(newer, toRoot);
}

function areHashes(all: readonly Uint8Array[]): boolean {
  return all.length <= proofHashesMax + 2 && all.every((hash) => hash.length === hashBytes);
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}
