/** What is known to have been sealed and is in no backup: by the high-water mark, or by a restore that was broken off. */
import { decodeBlock, parseRecordKey } from '../ledger/block.ts';
import { appendLeaf, emptyTree, leafHash, treeRoot } from '../ledger/tree.ts';
import { type Backup, recordsOf } from './backup.ts';
import { openHighWater } from './high-water.ts';
import { readRestored } from './restored.ts';

export interface Loss {
  /** How many entries; all that the mark knows where the backup goes another way, as nobody can tell since when it does. */
  readonly lost: number;
  /** The mark remembers another root than the backup has there: it is of another ledger, or of one that was restored meanwhile. */
  readonly isFork: boolean;
}

/** Rejects where the records of the backup cannot be read, which the caller has verified. */
export async function lossBy(
  backup: Backup,
  paths: { readonly highWater: string; readonly restored: string },
): Promise<Loss> {
  const { size } = backup.manifest;
  const mark = openHighWater(paths.highWater).read();
  const before = readRestored(paths.restored);
  const known = Math.max(mark?.size ?? 0, before === null ? 0 : before.size + before.lost);
  const isFork = mark !== null && mark.size <= size && mark.root !== (await rootAt(backup, mark.size));
  return { lost: Math.max(isFork ? mark.size : 0, known - size), isFork };
}

/** Of the tree of the first entries, hex; null where there are fewer. */
async function rootAt(backup: Backup, size: number): Promise<string | null> {
  const { manifest } = backup;
  if (size === manifest.size) return Buffer.from(manifest.root, 'base64').toString('hex');
  let tree = emptyTree;
  for await (const { key, value } of recordsOf(backup)) {
    if (parseRecordKey(Buffer.from(key))?.kind !== 'block') continue;
    for (const leaf of decodeBlock(Buffer.from(value)).leaves) {
      tree = appendLeaf(tree, leafHash(leaf));
      if (tree.size === size) return treeRoot(tree).toString('hex');
    }
  }
  return null;
}
