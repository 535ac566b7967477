/**
 * Hashes every entry of the ledger again, from the entry bundles of C2SP tlog-tiles: up to 256 leaves, each behind
 * its length in two bytes, big-endian. Holds one bundle at a time.
 */
import { equalBytes, toHex } from '../../ledger/verify/encoding.ts';
import { readLeaf } from '../../ledger/verify/leaf.ts';
import { isRefusal } from '../../ledger/verify/reasons.ts';
import { appendHash, emptyRange, leafHash, rootOf } from '../../ledger/verify/tree.ts';
import type { Complaint, SignedTree } from './check.ts';

const bundleEntries = 256;

/** Why the entries do not make the tree; '' when they do. `bytes` reads a path. */
export async function hashWholeLedger(
  bytes: (path: string) => Promise<Uint8Array>,
  tree: SignedTree,
  onProgress: (done: number, of: number) => void,
): Promise<Complaint> {
  const range = emptyRange();
  let prev = '';
  while (range.size < tree.size) {
    const bundle = range.size / bundleEntries;
    const width = Math.min(bundleEntries, tree.size - range.size);
    const leaves = leavesOf(await bytes(bundlePath(bundle, width)));
    if (leaves?.length !== width)
      return `The entries from ${range.size} on cannot be read as a bundle of ${width}.`;
    for (const leaf of leaves) {
      const entry = readLeaf(leaf);
      if (isRefusal(entry)) return `Entry ${range.size}: ${entry.message}.`;
      if (entry.seq !== range.size) return `Entry ${range.size} calls itself ${entry.seq}.`;
      if (prev !== '' && entry.prev !== prev)
        return `Entry ${range.size} does not follow on the entry before it.`;
      const hash = leafHash(leaf);
      prev = toHex(hash);
      appendHash(range, hash);
    }
    onProgress(range.size, tree.size);
  }
  return equalBytes(rootOf(range), tree.root)
    ? ''
    : 'The entries do not make the root that the checkpoint signs.';
}

/** `/tile/entries/x001/067.p/12`: the number in groups of three digits, all but the last with an x before them. */
export function bundlePath(bundle: number, width: number): string {
  const groups = [String(bundle % 1000).padStart(3, '0')];
  for (let rest = Math.floor(bundle / 1000); rest > 0; rest = Math.floor(rest / 1000))
    groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`);
  return `/tile/entries/${groups.join('/')}${width < bundleEntries ? `.p/${width}` : ''}`;
}

/** The leaves of a bundle; null when a length reaches beyond its end. */
export function leavesOf(bundle: Uint8Array): readonly Uint8Array[] | null {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 + (((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0));
    if (at + 2 > bundle.length || end > bundle.length) return null;
    leaves.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return leaves;
}
