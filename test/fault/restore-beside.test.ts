/** A restore beside a start, or another restore: one of them gets the directory, and the other leaves it as it was. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { readBackup, takeBackup } from '../../src/store/backup.ts';
import { fsck } from '../../src/store/fsck.ts';
import { openHighWater } from '../../src/store/high-water.ts';
import { loadKeys } from '../../src/store/keys.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { openLevelCache } from '../../src/store/level.ts';
import { type RestorePaths, requireNoLedger, restoreBackup } from '../../src/store/restore.ts';
import { takeTokensOut } from '../../src/store/restored-tokens.ts';
import { copyAsKilled } from '../support/killed-copy.ts';
import { watchDisk } from './disk-calls.ts';
import { createLedgerUnderTest, exchange } from './ledger-under-test.ts';

vi.setConfig({ testTimeout: 30_000 });

const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-beside-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const backupDir = join(scratch, 'backup');
const { signingKey, kek } = loadKeys(join(scratch, 'keys'), true, systemRandom);

function pathsIn(dir: string) {
  const ledgerDir = join(scratch, dir, 'ledger');
  const openStore = () => openLedgerStore(ledgerDir);
  const openIndexStore = () => openLevelCache(join(scratch, dir, 'index'));
  const highWater = openHighWater(join(scratch, dir, 'high-water'));
  return {
    dataDir: join(scratch, dir),
    paths: {
      ledgerDir,
      indexDir: join(scratch, dir, 'index'),
      highWater: join(scratch, dir, 'high-water'),
      restored: join(scratch, dir, 'restored.json'),
      tokens: join(scratch, dir, 'tokens.json'),
    },
    start: () => createLedgerUnderTest().open({ signingKey, kek, openStore, openIndexStore, highWater }),
  };
}

beforeAll(async () => {
  const { start, paths } = pathsIn('backed-up');
  const ledger = await start();
  await exchange(ledger, () => undefined);
  await ledger.close('test');
  const copy = await openLedgerCopy(paths.ledgerDir);
  const facts = { origin: ledger.origin, key: ledger.verifierKey, taken: '2026-11-28T00:00:00.000Z' };
  await takeBackup(copy, backupDir, facts, () => openLedgerCopy(paths.ledgerDir));
  await copy.close();
});

it('is refused while a start is under way that has not begun its ledger, and done when that is over', async () => {
  const { dataDir, paths } = pathsIn('starting');
  const index = await openLevelCache(paths.indexDir);
  await expect(restoreBackup(readBackup(backupDir), paths)).rejects.toMatchObject({
    code: 'data_dir_locked',
  });
  expect(readdirSync(dataDir)).toEqual(['index']);
  await index.close();
  await restoreBackup(readBackup(backupDir), paths);
  expect(readdirSync(dataDir).sort()).toEqual(['high-water', 'ledger', 'restored.json']);
});

it('lets no sidecar begin a ledger meanwhile', async () => {
  const { paths, start } = pathsIn('meanwhile');
  const outcomes = await Promise.allSettled([restoreBackup(readBackup(backupDir), paths), start()]);
  const begun = outcomes.map(({ status }) => status);
  expect([
    ['fulfilled', 'rejected'],
    ['rejected', 'fulfilled'],
  ]).toContainEqual(begun);
  if (outcomes[1].status === 'fulfilled') await outcomes[1].value.close('test');
  const ledger = await pathsIn('meanwhile').start();
  await ledger.close('test');
});

it('of two at once one is refused, and the other is whole', async () => {
  const { paths, start } = pathsIn('twice');
  const both = await Promise.allSettled([1, 2].map(() => restoreBackup(readBackup(backupDir), paths)));
  expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'data_dir_locked' },
  });
  await (await start()).close('test');
});

it('leaves a ledger that was begun before it as it is, and its index', async () => {
  const { dataDir, paths, start } = pathsIn('begun');
  await (await start()).close('test');
  const before = join(scratch, 'begun-before');
  cpSync(dataDir, before, { recursive: true });
  await expect(restoreBackup(readBackup(backupDir), paths)).rejects.toThrow('does not write over one');
  expect(readdirSync(dataDir).sort()).toEqual(readdirSync(before).sort());
  expect(readdirSync(paths.indexDir).length).toBeGreaterThan(0);
  expect(readFileSync(paths.highWater, 'utf8')).toBe(readFileSync(join(before, 'high-water'), 'utf8'));
});

it('makes as many frames as the ledger had, so that none holds all of it', async () => {
  const { paths } = pathsIn('frames');
  await restoreBackup(readBackup(backupDir), paths);
  const { frames } = await fsck(paths);
  expect(frames).toBe((await fsck(pathsIn('backed-up').paths)).frames);
  expect(frames).toBeGreaterThan(1);
});

it('is on disk, each file and each name, before and once the ledger has its place', async () => {
  const { dataDir, paths } = pathsIn('synced');
  const synced: string[] = [];
  const unwatch = watchDisk({
    dir: dataDir,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind, file }) => {
      if (kind === 'sync') synced.push(file === '' ? `names: ${readdirSync(dataDir).sort()}` : file);
    },
  });
  try {
    await restoreBackup(readBackup(backupDir), paths);
  } finally {
    unwatch();
  }
  const files = readdirSync(paths.ledgerDir).filter((name) => name !== 'LOCK');
  expect(synced).toEqual(
    expect.arrayContaining([...files.map((name) => `ledger.restoring/${name}`), 'ledger.restoring']),
  );
  // Held until then, and gone with that.
  expect(synced.at(-1)).toBe('names: high-water,index,ledger,restored.json');
  expect(existsSync(paths.indexDir)).toBe(false);
});

describe('the tokens of a backup', () => {
  const tokens = join(scratch, 'tokens-of-backup.json');
  const restoreWithTokens = (paths: RestorePaths) => restoreBackup(readBackup(backupDir), paths, tokens);

  it('are there after any kill, with the ledger or once it is restored again', async () => {
    writeFileSync(tokens, '{"version":1,"tokens":[]}\n');
    const { dataDir, paths } = pathsIn('killed');
    const killed: string[] = [];
    const unwatch = watchDisk({
      dir: dataDir,
      fateOf: () => 'done',
      failureOf: () => new Error('none fails'),
      done: () => {
        const left = join(scratch, `killed-${killed.length}`);
        copyAsKilled(dataDir, left);
        killed.push(left);
      },
    });
    try {
      await restoreWithTokens(paths);
    } finally {
      unwatch();
    }
    expect(readdirSync(dataDir).sort()).toEqual(['high-water', 'ledger', 'restored.json', 'tokens.json']);
    let placed = 0;
    for (const [at] of killed.entries()) {
      const left = pathsIn(`killed-${at}`);
      if (existsSync(left.paths.ledgerDir)) {
        placed += 1;
        expect(() => requireNoLedger(left.paths)).toThrow(expect.objectContaining({ code: 'usage' }));
        takeTokensOut(left.paths.ledgerDir, left.paths.tokens);
      } else await restoreWithTokens(left.paths);
      expect(readFileSync(left.paths.tokens, 'utf8'), `after step ${at}`).toBe(readFileSync(tokens, 'utf8'));
      expect(readdirSync(left.paths.ledgerDir)).not.toContain('tokens.json');
    }
    expect([placed > 0, placed < killed.length]).toEqual([true, true]);
  });

  it('are those of the backup that was restored in the end, where an attempt with another was killed', async () => {
    writeFileSync(tokens, '{"version":1,"tokens":[]}\n');
    const { dataDir, paths } = pathsIn('killed-before');
    const left = pathsIn('killed-before-left');
    const unwatch = watchDisk({
      dir: dataDir,
      fateOf: () => 'done',
      failureOf: () => new Error('none fails'),
      done: () => {
        if (!existsSync(paths.ledgerDir)) {
          rmSync(left.dataDir, { recursive: true, force: true });
          copyAsKilled(dataDir, left.dataDir);
        }
      },
    });
    try {
      await restoreWithTokens(paths);
    } finally {
      unwatch();
    }
    await restoreBackup(readBackup(backupDir), left.paths);
    expect(readdirSync(left.dataDir).sort()).toEqual(['high-water', 'ledger', 'restored.json']);
  });

  it('do not take the place of those that are there', async () => {
    writeFileSync(tokens, '{"version":1,"tokens":[]}\n');
    const { paths } = pathsIn('has-tokens');
    mkdirSync(join(scratch, 'has-tokens'), { recursive: true });
    writeFileSync(paths.tokens, 'those that are there');
    await restoreWithTokens(paths);
    expect(readFileSync(paths.tokens, 'utf8')).toBe('those that are there');
    expect(readdirSync(paths.ledgerDir)).not.toContain('tokens.json');
  });
});
