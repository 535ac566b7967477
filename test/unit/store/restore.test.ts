/** What a restore says is lost, and what one that fails leaves. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeBlock, recordKey } from '../../../src/ledger/block.ts';
import { encodeFrame, streamHeader } from '../../../src/ledger/frame.ts';
import { appendLeaf, emptyTree, leafHash, treeRoot } from '../../../src/ledger/tree.ts';
import type { Backup } from '../../../src/store/backup.ts';
import { replaceHighWater } from '../../../src/store/high-water.ts';
import { openLevelCache } from '../../../src/store/level.ts';
import { lossBy } from '../../../src/store/loss.ts';
import { type RestorePaths, requireNoLedger, restoreBackup } from '../../../src/store/restore.ts';
import { writeRestored } from '../../../src/store/restored.ts';
import { atEnd, endAll } from '../../support/endings.ts';

let dir: string;
let paths: RestorePaths;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdpoint-restore-'));
  atEnd(() => rmSync(dir, { recursive: true }));
  paths = {
    ledgerDir: join(dir, 'ledger'),
    indexDir: join(dir, 'index'),
    highWater: join(dir, 'high-water'),
    restored: join(dir, 'restored.json'),
    tokens: join(dir, 'tokens.json'),
  };
});
afterEach(endAll);

const taken = '2026-11-22T00:00:00.000Z';
const leaves = Array.from({ length: 20 }, (_, seq) => Buffer.from(`leaf ${seq}`));
const rootOf = (size: number): Buffer =>
  treeRoot(leaves.slice(0, size).reduce((tree, leaf) => appendLeaf(tree, leafHash(leaf)), emptyTree));
const recordsName = 'records-00000000000000000000.hpj';
/** A backup of so many entries, whose records are not there. */
const backupOf = (size: number): Backup => ({
  dir,
  id: 'ab'.repeat(32),
  manifest: {
    format: 'holdpoint-backup-1',
    ...{ origin: 'o', key: 'k', note: 'n', root: rootOf(size).toString('base64'), size, taken },
    files: [{ name: recordsName, first: 0, bytes: 0, sha256: '0'.repeat(64) }],
  },
});
/** One that has its records, some of them after others. */
function writtenBackupOf(size: number): Backup {
  const blocks = [leaves.slice(0, 3), leaves.slice(3, size)].map((some, index) => ({
    key: recordKey(3 * index, 'block'),
    value: encodeBlock(some, Buffer.from('note')),
  }));
  const bodies = { key: recordKey(0, 'bodies'), value: Buffer.from('no block') };
  const frames = [blocks[0], bodies, blocks[1]]
    .flatMap((record) => record ?? [])
    .map((record) => encodeFrame([record]));
  writeFileSync(join(dir, recordsName), Buffer.concat([streamHeader, ...frames]));
  return backupOf(size);
}

test('lost is what the mark knows and the backup has not', async () => {
  expect(await lossBy(backupOf(5), paths)).toEqual({ lost: 0, isFork: false });
  replaceHighWater(paths.highWater, 12, rootOf(12));
  for (const [size, lost] of [
    [5, 7],
    [12, 0],
    [20, 0],
  ] as const)
    expect(await lossBy(writtenBackupOf(size), paths)).toEqual({ lost, isFork: false });
});

test('lost is also what was known before a restore that was broken off, which put the mark back', async () => {
  replaceHighWater(paths.highWater, 5, rootOf(5));
  writeRestored(paths.restored, { size: 5, backup: 'cd'.repeat(32), taken, lost: 7 });
  for (const [size, lost] of [
    [5, 7],
    [8, 4],
    [20, 0],
  ] as const)
    expect(await lossBy(writtenBackupOf(size), paths)).toEqual({ lost, isFork: false });
});

test('lost is all that the mark knows where the backup has another root there, however long it is', async () => {
  replaceHighWater(paths.highWater, 12, rootOf(11));
  for (const size of [12, 20])
    expect(await lossBy(writtenBackupOf(size), paths)).toEqual({ lost: 12, isFork: true });
  // Of a shorter one nobody can tell.
  expect(await lossBy(backupOf(5), paths)).toEqual({ lost: 7, isFork: false });
});

test('lost is not less for a backup that goes another way than a restore that was broken off knew', async () => {
  replaceHighWater(paths.highWater, 5, rootOf(4));
  writeRestored(paths.restored, { size: 5, backup: 'cd'.repeat(32), taken, lost: 30 });
  expect(await lossBy(backupOf(5), paths)).toEqual({ lost: 30, isFork: true });
});

test.each([
  ['a link to a directory', () => dir],
  ['a link that leads nowhere', () => join(dir, 'nowhere')],
])('%s in the place of the ledger keeps it from being restored before anything is changed', async (_, to) => {
  const target = join(to(), 'target');
  if (existsSync(to())) mkdirSync(target);
  symlinkSync(target, paths.ledgerDir);
  replaceHighWater(paths.highWater, 12, rootOf(12));
  const before = readdirSync(dir);
  await expect(restoreBackup(backupOf(5), paths)).rejects.toThrow('cannot be replaced by a ledger');
  expect(readdirSync(dir)).toEqual(before);
});

test('a file in the place of the ledger is not written over', () => {
  writeFileSync(paths.ledgerDir, '');
  expect(() => requireNoLedger(paths)).toThrow('restoring does not write over one');
});

test('tokens that are no file are not taken, and nothing is left of what was begun', async () => {
  mkdirSync(join(dir, 'pipe'));
  await expect(restoreBackup(writtenBackupOf(5), paths, join(dir, 'pipe'))).rejects.toThrow('it is no file');
  expect(readdirSync(dir).sort()).toEqual(['pipe', recordsName]);
});

test('an empty directory is no ledger, and one with anything in it may be', () => {
  mkdirSync(paths.ledgerDir);
  requireNoLedger(paths);
  mkdirSync(join(paths.ledgerDir, 'anything'));
  expect(() => requireNoLedger(paths)).toThrow('restoring does not write over one');
});

test('one whose records cannot be read leaves nothing, and lets another begin', async () => {
  await expect(restoreBackup(backupOf(5), paths)).rejects.toThrow('ENOENT');
  expect(readdirSync(dir)).toEqual([]);
  await (await openLevelCache(paths.indexDir)).close();
  await expect(restoreBackup(backupOf(5), paths)).rejects.toThrow('ENOENT');
  // One that was there is another's.
  expect(existsSync(paths.indexDir)).toBe(true);
  expect(readdirSync(dir)).toEqual(['index']);
});
