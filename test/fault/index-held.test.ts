/** What a restore and a repair hold while they replace a ledger: nobody gets hold of it before they are done. */
import { spawnSync } from 'node:child_process';
import fs, { cpSync, existsSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readBackup, takeBackup } from '../../src/store/backup.ts';
import { fsck } from '../../src/store/fsck.ts';
import { holdIndex } from '../../src/store/held-index.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLevelCache } from '../../src/store/level.ts';
import { repair } from '../../src/store/repair.ts';
import { restoreBackup } from '../../src/store/restore.ts';
import { type LedgerPaths, makeLedger } from './made-ledger.ts';

vi.setConfig({ testTimeout: 60_000 });

const made = await makeLedger(1);
afterAll(() => made.remove());
const backupDir = join(made.scratch, 'backup');
beforeAll(async () => {
  const store = await openLedgerCopy(made.paths.ledgerDir);
  const facts = { origin: 'o', key: 'k', taken: '2026-11-28T00:00:00.000Z' };
  await takeBackup(store, backupDir, facts, () => openLedgerCopy(made.paths.ledgerDir));
  await store.close();
});

const levelFile = resolve(import.meta.dirname, '../../src/store/level.ts');
/** What another process gets that opens the index right then. */
function elsewhere(indexDir: string): string {
  const program = `import { openLevelStore } from ${JSON.stringify(levelFile)};
    openLevelStore(process.argv[1]).then(() => console.log('opened'), ({ code }) => console.log(code));`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program, indexDir], {
    encoding: 'utf8',
  }).stdout.trim();
}

/** What others get just before each file of the index is removed, and just before a ledger has its place. */
async function attemptsDuring(paths: LedgerPaths, work: () => Promise<unknown>): Promise<readonly string[]> {
  const attempts: string[] = [];
  const original = { rmSync: fs.rmSync, renameSync: fs.renameSync };
  Object.assign(fs, {
    rmSync: (path: string, options: fs.RmOptions) => {
      if (path === join(paths.indexDir, 'LOCK')) attempts.push(`last file: ${elsewhere(paths.indexDir)}`);
      else if (path === join(paths.indexDir, 'CURRENT'))
        attempts.push(`a file: ${elsewhere(paths.indexDir)}`);
      else if (path === paths.indexDir) attempts.push('the directory at once');
      original.rmSync(path, options);
    },
    renameSync: (from: string, to: string) => {
      if (to === paths.ledgerDir) attempts.push(`its place: ${elsewhere(paths.indexDir)}`);
      original.renameSync(from, to);
    },
  });
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    Object.assign(fs, original);
    syncBuiltinESMExports();
  }
  return attempts;
}

const locked = 'data_dir_locked';
/** Whoever is refused begins LevelDB's log of events there all the same. */
const leftIn = (indexDir: string): readonly string[] =>
  readdirSync(indexDir).filter((name) => name !== 'LOG' && name !== 'LOG.old');

it('is held by a restore until the ledger has its place and the index of the one before is gone', async () => {
  const paths = made.copy();
  renameSync(paths.ledgerDir, `${paths.dataDir}-lost`);
  const beside = {
    restored: join(paths.dataDir, 'restored.json'),
    tokens: join(paths.dataDir, 'tokens.json'),
  };
  const attempts = await attemptsDuring(paths, () =>
    restoreBackup(readBackup(backupDir), { ...paths, ...beside }),
  );
  expect(attempts).toEqual([`a file: ${locked}`, `its place: ${locked}`, `last file: ${locked}`]);
  expect(leftIn(paths.indexDir)).toEqual([]);
});

it('is held by a repair until the ledger has its place and the index is gone', async () => {
  const paths = made.copy();
  rmSync(join(paths.ledgerDir, 'CURRENT'));
  const report = await fsck(paths);
  const attempts = await attemptsDuring(paths, () => repair(paths, report));
  expect(attempts).toEqual([`its place: ${locked}`, `a file: ${locked}`, `last file: ${locked}`]);
  expect(leftIn(paths.indexDir)).toEqual([]);
});

it('is as it was where nobody emptied it, and gone where it was not there', async () => {
  const { indexDir } = made.copy();
  const before = await openLevelCache(indexDir);
  await before.commit([{ key: Buffer.from('k'), value: Buffer.from('v') }], true);
  await before.close();
  await (await holdIndex(indexDir)).letGo();
  const after = await openLevelCache(indexDir);
  expect(await after.get(Buffer.from('k'))).toEqual(Buffer.from('v'));
  await expect(holdIndex(indexDir)).rejects.toMatchObject({ code: locked });
  await after.close();
  rmSync(indexDir, { recursive: true });
  await (await holdIndex(indexDir)).letGo();
  expect(existsSync(indexDir)).toBe(false);
});

it('is emptied where it is a link, which stays', async () => {
  const { dataDir, indexDir } = made.copy();
  const onOtherDisk = `${dataDir}-index`;
  cpSync(indexDir, onOtherDisk, { recursive: true });
  rmSync(indexDir, { recursive: true });
  symlinkSync(onOtherDisk, indexDir);
  const held = await holdIndex(indexDir);
  held.empty();
  await held.letGo();
  expect([existsSync(indexDir), readdirSync(onOtherDisk)]).toEqual([true, []]);
  await (await openLevelCache(indexDir)).close();
});
