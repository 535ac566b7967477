/**
 * Which entry was altered, once a block's root disagrees with its checkpoint. Every entry names the hash
 * its predecessor had when it was sealed; where putting that hash back makes the stated root come out,
 * that predecessor is the one that was altered. Pure; portable.
 */
import { equalBytes, fromHex, hexEquals } from './encoding.ts';
import { appendHash, copyRange, rootOf, type TreeRange } from './tree.ts';

export interface Located {
  /** Positions in the block. */
  readonly altered: readonly number[];
  /** The block's leaf hashes as they were sealed. */
  readonly hashes: readonly Uint8Array[];
}

/** How many suspects are tried one by one: each trial hashes the block's part of the tree again. */
const trialsMax = 16;

/**
 * @param prevs the `prev` of the entry after each position, undefined where it is not known
 */
export function locateAltered(
  before: TreeRange,
  hashes: readonly Uint8Array[],
  prevs: readonly (string | undefined)[],
  statedRoot: Uint8Array,
): Located | undefined {
  const claimed = hashes.map((hash, position) => {
    const prev = prevs[position];
    return prev === undefined || hexEquals(prev, hash) ? undefined : fromHex(prev);
  });
  const suspects = claimed.flatMap((hash, position) => (hash === undefined ? [] : [position]));
  const trials = suspects.slice(0, trialsMax).map((position) => new Set([position]));
  if (suspects.length > 1) trials.push(new Set(suspects));
  for (const altered of trials) {
    const restored = hashes.map(
      (hash, position) => (altered.has(position) ? claimed[position] : undefined) ?? hash,
    );
    if (equalBytes(rootAfter(before, restored), statedRoot))
      return { altered: [...altered], hashes: restored };
  }
  return undefined;
}

function rootAfter(before: TreeRange, hashes: readonly Uint8Array[]): Uint8Array {
  const range = copyRange(before);
  for (const hash of hashes) appendHash(range, hash);
  return rootOf(range);
}
