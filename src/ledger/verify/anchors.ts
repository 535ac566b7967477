/**
 * What the ledger itself says of its anchors: `anchor` entries, each of which names the root that somebody outside
 * took note of. Portable; imports only its own folder.
 */
import { hexEquals } from './encoding.ts';
import type { AnchorEntry } from './entry.ts';
import { blockRootsMax, type Pass } from './pass.ts';
import { rootOf } from './tree.ts';

const receiptsMax = 256;

/** Remembers the root that the ledger has now, at the end of a block. */
export function takeBlockRoot(pass: Pass): void {
  const { blockRoots, range } = pass;
  blockRoots.set(range.size, rootOf(range));
}

/** Compares an anchor entry with the ledger before it, and keeps what the anchor gave back. */
export function takeAnchor(pass: Pass, seq: number, entry: AnchorEntry): void {
  const { blockRoots, findings } = pass;
  const found = blockRoots.get(entry.size);
  if (found === undefined) {
    const oldest = blockRoots.oldest() ?? 0;
    // Further back than is remembered: it proves nothing, and the earlier one stands.
    if (blockRoots.size === blockRootsMax && entry.size < oldest) return;
    const message = `entry ${seq} says that ${entry.anchor} anchored ${entry.size} entries, where no checkpoint is`;
    findings.add('anchor_mismatch', seq, message);
    return;
  }
  if (!hexEquals(entry.root, found)) {
    const message = `entry ${seq} says that ${entry.anchor} anchored another root at ${entry.size} entries`;
    findings.add('anchor_mismatch', seq, message);
    return;
  }
  if (pass.receipts.size < receiptsMax || pass.receipts.has(entry.anchor))
    pass.receipts.set(entry.anchor, entry);
}
