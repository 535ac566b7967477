/** Makes a data directory's ledger from a backup that was verified. Writes beside it first, and never over one. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { decodeBlock, parseRecordKey } from '../ledger/block.ts';
import { readLeaf } from '../ledger/entry.ts';
import { targetsOf } from '../ledger/erasure.ts';
import type { Restored, StoredRecord } from '../ledger/store.ts';
import { type Backup, recordsOf } from './backup.ts';
import { isFree } from './cut-off-repair.ts';
import { holdIndex } from './held-index.ts';
import { replaceHighWater } from './high-water.ts';
import { openLedgerStore } from './ledger-store.ts';
import { lossBy } from './loss.ts';
import { writeRestored } from './restored.ts';
import { putTokensIn, takeTokensOut } from './restored-tokens.ts';
import { stagingOf } from './staging.ts';
import { syncDirectory } from './whole-file.ts';

export interface RestorePaths {
  readonly ledgerDir: string;
  readonly indexDir: string;
  readonly highWater: string;
  /** See restored.ts. */
  readonly restored: string;
  readonly tokens: string;
}

/** Throws `usage` where a ledger lies already, or anything that is no directory; `config_invalid` where nobody can look. */
export function requireNoLedger({ ledgerDir, restored }: Omit<RestorePaths, 'tokens'>): void {
  if (isFree(ledgerDir)) return;
  const next =
    'Move it away and keep it, or configure another data.dir. Leave the high-water mark where it is.';
  throw new HoldpointError(
    'usage',
    `${ledgerDir} has a ledger: restoring does not write over one.`,
    // The note is gone once a start has gone on from it.
    existsSync(restored)
      ? `An earlier restore may have made it: start the sidecar to go on from it. Otherwise: ${next}`
      : next,
  );
}

/**
 * Puts the backup in the place of the ledger; all of it is on disk when it resolves. The caller has verified it. Throws
 * `usage` where a ledger lies, `data_dir_locked` where one is being begun or restored; nothing was changed then.
 * @param tokens those that come with it, for a directory that has none; null where none do
 */
export async function restoreBackup(
  backup: Backup,
  paths: RestorePaths,
  tokens: string | null = null,
): Promise<Restored> {
  const staging = stagingOf(paths.ledgerDir, 'restoring');
  const index = await holdIndex(paths.indexDir);
  try {
    const restored = await prepare(backup, paths, staging, tokens).catch((error: unknown) => {
      rmSync(staging, { recursive: true, force: true });
      throw error;
    });
    // It is of the ledger before. The mark lets no start begin another one from here on.
    index.empty();
    renameSync(staging, paths.ledgerDir);
    syncDirectory(dirname(paths.ledgerDir));
    // The start does so where this is not come to.
    takeTokensOut(paths.ledgerDir, paths.tokens);
    return restored;
  } finally {
    await index.letGo();
  }
}

/**
 * What is mounted, and a link, cannot be replaced by what is made beside it. That shows before anything was changed: an
 * empty directory takes its place here as the ledger will.
 */
function requireReplaceable(ledgerDir: string, staging: string): void {
  if (lstatSync(ledgerDir, { throwIfNoEntry: false }) === undefined) return;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { mode: 0o700 });
  try {
    renameSync(staging, ledgerDir);
  } catch (error) {
    throw new HoldpointError(
      'usage',
      `What lies at ${ledgerDir} cannot be replaced by a ledger: ${refusalOf(error)}.`,
      'Nothing was changed. Where it is a link, or something is mounted there, take that away until the ledger is restored, or have data.dir as a whole be on that disk.',
      error,
    );
  }
}

/** Writes the backup to `staging`, and then what lets the next start go on from it. */
async function prepare(
  backup: Backup,
  paths: RestorePaths,
  staging: string,
  tokens: string | null,
): Promise<Restored> {
  // One may have been begun before the index was held.
  requireNoLedger(paths);
  requireReplaceable(paths.ledgerDir, staging);
  const { manifest, id } = backup;
  const { lost } = await lossBy(backup, paths);
  const restored = { size: manifest.size, backup: id, taken: manifest.taken, lost };
  rmSync(staging, { recursive: true, force: true });
  await writeRecords(backup, staging, restored);
  if (tokens !== null) putTokensIn(staging, tokens);
  syncAll(staging);
  // First what the next start has to say, then the mark that lets it start, then the ledger: whatever is missing
  // after a crash, no ledger is begun anew and none goes on without saying that it was restored.
  writeRestored(paths.restored, restored);
  replaceHighWater(paths.highWater, manifest.size, Buffer.from(manifest.root, 'base64'));
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
