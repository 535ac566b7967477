/**
 * Inclusion and consistency proofs, RFC 6962 section 2.1.1 and 2.1.2, as lists of the subtrees whose hashes they
 * are made of: which hashes are needed is arithmetic, where they come from is the caller's. Pure.
 */
import { nodeHash } from './tree.ts';

/** The full subtree over the leaves [index * 2^height, (index + 1) * 2^height). */
export interface Subtree {
  readonly height: number;
  readonly index: number;
}

/** One hash of a proof: the Merkle tree hash over these subtrees, left to right, each smaller than the one before. */
export type ProofHash = readonly Subtree[];

/** The proof that leaf `seq` is in the tree of `size` leaves, from its sibling upwards; 0 <= seq < size. */
export function inclusionPlan(seq: number, size: number): readonly ProofHash[] {
  if (!(seq >= 0 && seq < size)) throw new RangeError(`Leaf ${seq} is not in a tree of ${size} leaves.`);
  const plan: ProofHash[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (seq < middle) {
      plan.unshift(subtreesOf(middle, to));
      to = middle;
    } else {
      plan.unshift(subtreesOf(from, middle));
      from = middle;
    }
  }
  return plan;
}

/** The proof that the tree of `from` leaves is a prefix of that of `to` leaves; 1 <= from <= to. */
export function consistencyPlan(from: number, to: number): readonly ProofHash[] {
  if (!(from >= 1 && from <= to)) throw new RangeError(`There is no proof from ${from} to ${to} leaves.`);
  const plan: ProofHash[] = [];
  let left = 0;
  let right = to;
  while (from < right) {
    const middle = left + splitOf(right - left);
    if (from <= middle) {
      plan.unshift(subtreesOf(middle, right));
      right = middle;
    } else {
      plan.unshift(subtreesOf(left, middle));
      left = middle;
    }
  }
  // The old tree's own right-most subtree; where that is the whole old tree, the verifier has its hash.
  if (left > 0) plan.unshift(subtreesOf(left, right));
  return plan;
}

/** The subtrees of the root over `size` leaves; none for the empty tree. */
export function rootPlan(size: number): ProofHash {
  return subtreesOf(0, size);
}

/** The hash over subtrees whose hashes are given in the plan's order. */
export function foldHashes(hashes: readonly Buffer[]): Buffer {
  const [last, ...rest] = hashes.toReversed();
  if (last === undefined) throw new RangeError('A hash is over one subtree or more.');
  return rest.reduce((right, left) => nodeHash(left, right), last);
}

/** The largest power of two below `count`; count > 1. */
function splitOf(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Full subtrees that cover the leaves [from, to); `from` is a multiple of the largest one's width. */
function subtreesOf(from: number, to: number): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = from; at < to; ) {
    let width = 1;
    let height = 0;
    while (width * 2 <= to - at) {
      width *= 2;
      height += 1;
    }
    subtrees.push({ height, index: at / width });
    at += width;
  }
  return subtrees;
}
