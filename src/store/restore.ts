/** Makes a data directory's ledger from a backup that was verified. Writes beside it first, and never over one. */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HoldpointError } from '../core/errors.ts';
import { decodeBlock, parseRecordKey } from '../ledger/block.ts';
import { readLeaf } from '../ledger/entry.ts';
import { targetsOf } from '../ledger/erasure.ts';
import type { Restored, StoredRecord } from '../ledger/store.ts';
import { type Backup, recordsOf } from './backup.ts';
import { openHighWater, replaceHighWater } from './high-water.ts';
import { syncDirectory } from './journal.ts';
import { openLedgerStore } from './ledger-store.ts';
import { readRestored, writeRestored } from './restored.ts';
import { stagingOf } from './staging.ts';

export interface RestorePaths {
  readonly ledgerDir: string;
  readonly indexDir: string;
  readonly highWater: string;
  /** See restored.ts. */
  readonly restored: string;
}

/** Throws `usage` where a ledger lies already. */
export function requireNoLedger({ ledgerDir }: RestorePaths): void {
  if (!existsSync(ledgerDir) || readdirSync(ledgerDir).length === 0) return;
  throw new HoldpointError(
    'usage',
    `${ledgerDir} has a ledger: restoring does not write over one.`,
    'Move it away and keep it, or configure another data.dir. Leave the high-water mark where it is.',
  );
}

/** What is known to have been sealed after the backup, by the high-water mark or by a restore that was broken off. */
export function lostBy({ manifest }: Backup, paths: RestorePaths): number {
  const mark = openHighWater(paths.highWater).read();
  const before = readRestored(paths.restored);
  const known = Math.max(mark?.size ?? 0, before === null ? 0 : before.size + before.lost);
  return Math.max(0, known - manifest.size);
}

/** Puts the backup in the place of the ledger; all of it is on disk when it resolves. The caller has verified it. */
export async function restoreBackup(backup: Backup, paths: RestorePaths): Promise<Restored> {
  requireNoLedger(paths);
  const { manifest, id } = backup;
  const restored = { size: manifest.size, backup: id, taken: manifest.taken, lost: lostBy(backup, paths) };
  const staging = stagingOf(paths.ledgerDir, 'restoring');
  rmSync(staging, { recursive: true, force: true });
  try {
    await writeRecords(backup, staging, restored);
    syncAll(staging);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw error;
  }
  // First what the next start has to say, then the mark that lets it start, then the ledger: whatever is missing
  // after a crash, no ledger is begun anew and none goes on without saying that it was restored.
  writeRestored(paths.restored, restored);
  replaceHighWater(paths.highWater, manifest.size, Buffer.from(manifest.root, 'base64'));
  rmSync(paths.indexDir, { recursive: true, force: true });
  renameSync(staging, paths.ledgerDir);
  syncDirectory(dirname(paths.ledgerDir));
  return restored;
}

async function writeRecords(backup: Backup, dir: string, restored: Restored): Promise<void> {
  const store = await openLedgerStore(dir);
  try {
    let commit: StoredRecord[] = [];
    let firstErasure: number | null = null;
    for await (const { key, value } of recordsOf(backup)) {
      const record = { key: Buffer.from(key), value: Buffer.from(value) };
      if (parseRecordKey(key)?.kind === 'block' && commit.length > 0) {
        await store.commit(commit, false);
        commit = [];
      }
      commit.push(record);
      firstErasure ??= erasureIn(record);
    }
    if (commit.length > 0) await store.commit(commit, false);
    // A backup has what was erased after it was begun: the first start carries its erasures out again.
    await store.writeUnfinishedFrom(firstErasure);
    // In what is made, not only beside it: wherever this goes, its first start seals where it came from.
    await store.writeRestored(restored);
  } finally {
    await store.close();
  }
}

/** Seq of the first entry of a block that erases something; null where none does, and for other records. */
function erasureIn({ key, value }: StoredRecord): number | null {
  if (parseRecordKey(key)?.kind !== 'block') return null;
  const leaves = decodeBlock(value).leaves.filter((leaf) => leaf.includes('"type":"erasure"'));
  return leaves.map(readLeaf).find((entry) => targetsOf(entry).length > 0)?.seq ?? null;
}

/** Every file of a directory, and the directory itself. */
function syncAll(dir: string): void {
  for (const name of readdirSync(dir)) {
    const fd = openSync(join(dir, name), 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
  syncDirectory(dir);
}
