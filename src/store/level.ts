/** LevelDB behind the ledger's port; the only importer of `level`. */
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Level } from 'level';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { LedgerStore, ScanRange, StoredRecord } from '../ledger/store.ts';

/** LevelDB keeps at most two of these in its logs; start-up re-checks at least that much. */
export const writeBufferBytes = 4 * 1024 * 1024;

/** Opens (creating when absent) the LevelDB database in `dir`, exclusively; `data_dir_locked` when it is in use. */
export function openLevelStore(dir: string): Promise<LedgerStore> {
  return open(dir, true);
}

/**
 * Opens a database for reading without changing one byte of it: LevelDB has no read-only mode, so its logs
 * are copied and its immutable tables linked into a temporary directory. Works while another process writes.
 */
export async function openLevelCopy(dir: string): Promise<LedgerStore> {
  const copy = await mkdtemp(join(tmpdir(), 'holdpoint-verify-'));
  try {
    // Tables first: one that vanishes meanwhile was compacted away, and the manifest copied later knows it.
    const names = (await readdir(dir)).filter((name) => name !== 'LOCK' && !name.startsWith('LOG'));
    const tables = names.filter((name) => name.endsWith('.ldb') || name.endsWith('.sst'));
    for (const name of tables) await symlink(resolve(dir, name), join(copy, name));
    for (const name of names.filter((other) => !tables.includes(other)))
      await cp(join(dir, name), join(copy, name));
    const store = await open(copy, false);
    return { ...store, close: () => store.close().finally(() => rm(copy, { recursive: true, force: true })) };
  } catch (error) {
    await rm(copy, { recursive: true, force: true });
    throw error;
  }
}

async function open(dir: string, createIfMissing: boolean): Promise<LedgerStore> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const db = new Level<Buffer, Buffer>(dir, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    // What fills the tables is ciphertext.
    compression: false,
    createIfMissing,
    writeBufferSize: writeBufferBytes,
  });
  try {
    await db.open();
  } catch (error) {
    throw openError(dir, error);
  }
  return {
    commit: (records, sync) => db.batch(records.map(put), { sync }),
    get: (key) => db.get(key),
    scan: (range) => scan(db, range),
    close: () => db.close(),
  };
}

function put({ key, value }: StoredRecord) {
  return { type: 'put' as const, key, value };
}

async function* scan(db: Level<Buffer, Buffer>, range: ScanRange): AsyncIterable<StoredRecord> {
  const options = {
    ...(range.from === undefined ? {} : { gte: range.from }),
    ...(range.to === undefined ? {} : { lte: range.to }),
    reverse: range.reverse ?? false,
    limit: range.limit ?? -1,
  };
  for await (const [key, value] of db.iterator(options)) yield { key, value };
}

function openError(dir: string, error: unknown): HoldpointError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : '';
  if (code === 'LEVEL_LOCKED') {
    return new HoldpointError(
      'data_dir_locked',
      `Another Holdpoint process uses ${dir}.`,
      'A ledger has one writer: stop the other process or choose another data.dir.',
      error,
    );
  }
  return new HoldpointError(
    'ledger_damaged',
    `LevelDB cannot open ${dir}: ${messageOf(cause)}.`,
    'Nothing was changed. Check permissions and disk, or restore a backup.',
    error,
  );
}
