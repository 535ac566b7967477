/**
 * The Merkle tree of RFC 6962 section 2.1 as a compact range: the roots of the maximal full subtrees, left
 * to right. Appending is amortised O(1), the root O(log n). Portable; imports only its own folder.
 */
import { portable, type Sha256 } from './primitives.ts';

/** Owned by whoever made it; `appendHash` changes it in place. */
export interface TreeRange {
  readonly sha256: Sha256;
  size: number;
  readonly frontier: Uint8Array[];
}

/** The prefix, then the longest leaf a block can hold: hashing it in one piece spares the hasher's set-up for a second. */
const leafInput = new Uint8Array(1 + 65_536);
const nodeInput = new Uint8Array(65).fill(0x01, 0, 1);

/** SHA-256(0x00 || leaf). */
export function leafHash(leaf: Uint8Array, sha256 = portable.sha256): Uint8Array {
  if (leaf.length >= leafInput.length) return portable.sha256Of([Uint8Array.of(0x00), leaf]);
  leafInput.set(leaf, 1);
  return sha256(leafInput.subarray(0, 1 + leaf.length));
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array, sha256 = portable.sha256): Uint8Array {
  nodeInput.set(left, 1);
  nodeInput.set(right, 33);
  return sha256(nodeInput);
}

export function emptyRange(sha256: Sha256 = portable.sha256): TreeRange {
  return { sha256, size: 0, frontier: [] };
}

export function copyRange(range: TreeRange): TreeRange {
  return { ...range, frontier: [...range.frontier] };
}

/** Appends one leaf hash: as many subtrees merge as the size has trailing one bits. */
export function appendHash(range: TreeRange, hash: Uint8Array): void {
  let node = hash;
  for (let size = range.size; size % 2 === 1; size = (size - 1) / 2) {
    const left = range.frontier.pop();
    if (left === undefined) throw new Error('the frontier does not match the size');
    node = nodeHash(left, node, range.sha256);
  }
  range.frontier.push(node);
  range.size += 1;
}

/** The tree's root; SHA-256 of nothing for the empty tree. */
export function rootOf(range: TreeRange): Uint8Array {
  let root: Uint8Array | undefined;
  for (let index = range.frontier.length - 1; index >= 0; index -= 1) {
    const subtree = range.frontier[index];
    if (subtree !== undefined) root = root === undefined ? subtree : nodeHash(subtree, root, range.sha256);
  }
  return root ?? range.sha256(new Uint8Array(0));
}
