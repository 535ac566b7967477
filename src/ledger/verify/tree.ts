/**
 * The Merkle tree of RFC 6962 section 2.1 as a compact range: the roots of the maximal full subtrees, left
 * to right. Appending is amortised O(1), the root O(log n). SHA-256 from @noble/hashes; portable.
 */
import { sha256 } from '@noble/hashes/sha2.js';

/** Owned by whoever made it; `appendHash` changes it in place. */
export interface TreeRange {
  size: number;
  readonly frontier: Uint8Array[];
}

/** The prefix, then the longest leaf a block can hold: hashing it in one piece spares the hasher's set-up for a second. */
const leafInput = new Uint8Array(1 + 65_536);
const nodeInput = new Uint8Array(65).fill(0x01, 0, 1);

/** SHA-256(0x00 || leaf). */
export function leafHash(leaf: Uint8Array): Uint8Array {
  if (leaf.length >= leafInput.length)
    return sha256.create().update(Uint8Array.of(0x00)).update(leaf).digest();
  leafInput.set(leaf, 1);
  return sha256(leafInput.subarray(0, 1 + leaf.length));
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1);
  nodeInput.set(right, 33);
  return sha256(nodeInput);
}

export function emptyRange(): TreeRange {
  return { size: 0, frontier: [] };
}

export function copyRange(range: TreeRange): TreeRange {
  return { size: range.size, frontier: [...range.frontier] };
}

/** Appends one leaf hash: as many subtrees merge as the size has trailing one bits. */
export function appendHash(range: TreeRange, hash: Uint8Array): void {
  let node = hash;
  for (let size = range.size; size % 2 === 1; size = (size - 1) / 2) {
    const left = range.frontier.pop();
    if (left === undefined) throw new Error('the frontier does not match the size');
    node = nodeHash(left, node);
  }
  range.frontier.push(node);
  range.size += 1;
}

/** The tree's root; SHA-256 of nothing for the empty tree. */
export function rootOf(range: TreeRange): Uint8Array {
  let root: Uint8Array | undefined;
  for (let index = range.frontier.length - 1; index >= 0; index -= 1) {
    const subtree = range.frontier[index];
    if (subtree !== undefined) root = root === undefined ? subtree : nodeHash(subtree, root);
  }
  return root ?? sha256(new Uint8Array(0));
}
