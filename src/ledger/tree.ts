/**
 * RFC 6962 section 2.1 Merkle tree, as a compact range: the roots of the maximal full subtrees, left to
 * right. Append is amortised O(1), the root O(log n), the state 32 bytes per set bit of the size.
 */
import { hash } from 'node:crypto';

export interface TreeState {
  readonly size: number;
  readonly frontier: readonly Buffer[];
}

export const emptyTree: TreeState = { size: 0, frontier: [] };

const leafScratch = Buffer.alloc(1 + 65_536);
const nodeScratch = Buffer.alloc(65);
nodeScratch[0] = 0x01;

/** Of SHA-256. */
export const hashBytes = 32;
const slabHashes = 256;
/**
 * Where the next hashes go. They stay until they are in a tile: in the memory that Node shares out among all small
 * buffers each of them would keep 64 KiB of others' bodies alive, until a collection of the whole heap.
 */
let slab = Buffer.alloc(0);
let slabOffset = 0;

/** By way of a text of 32 characters: Node makes that, and copies it, in half the time it makes a Buffer. */
function digest(bytes: Uint8Array): Buffer {
  if (slabOffset === slab.length) {
    slab = Buffer.allocUnsafeSlow(slabHashes * hashBytes);
    slabOffset = 0;
  }
  const made = slab.subarray(slabOffset, slabOffset + hashBytes);
  slabOffset += hashBytes;
  made.write(hash('sha256', bytes, 'binary'), 'latin1');
  return made;
}

/** SHA-256(0x00 || leaf). */
export function leafHash(leaf: Uint8Array): Buffer {
  if (leaf.length + 1 > leafScratch.length) throw new RangeError('A leaf is at most 65536 bytes.');
  leafScratch.set(leaf, 1);
  return digest(leafScratch.subarray(0, leaf.length + 1));
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 33);
  return digest(nodeScratch);
}

/** Writes the node over the two hashes that stand at byte `from` to byte `to` of the same memory, and makes nothing else. */
export function writeNodeHash(hashes: Buffer, from: number, to: number): void {
  hashes.copy(nodeScratch, 1, from, from + 2 * hashBytes);
  hashes.write(hash('sha256', nodeScratch, 'binary'), to, 'latin1');
}

/** The tree with one more leaf. */
export function appendLeaf(tree: TreeState, leafHashBytes: Buffer): TreeState {
  const frontier = tree.frontier.slice();
  let node = leafHashBytes;
  for (let size = tree.size; size % 2 === 1; size = (size - 1) / 2) {
    const left = frontier.pop();
    if (left === undefined) throw new RangeError('The frontier does not belong to the size.');
    node = nodeHash(left, node);
  }
  frontier.push(node);
  return { size: tree.size + 1, frontier };
}

/** The root; SHA-256 of nothing for the empty tree, as RFC 6962 defines it. */
export function treeRoot(tree: TreeState): Buffer {
  let root = tree.frontier.at(-1);
  if (root === undefined) return hash('sha256', Buffer.alloc(0), 'buffer');
  for (let i = tree.frontier.length - 2; i >= 0; i--) {
    const left = tree.frontier[i];
    if (left !== undefined) root = nodeHash(left, root);
  }
  return root;
}
