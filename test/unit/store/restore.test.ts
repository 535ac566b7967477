/** What a restore says is lost, and what one that fails leaves. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Backup } from '../../../src/store/backup.ts';
import { replaceHighWater } from '../../../src/store/high-water.ts';
import { openLevelCache } from '../../../src/store/level.ts';
import { lostBy, type RestorePaths, requireNoLedger, restoreBackup } from '../../../src/store/restore.ts';
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

const root = Buffer.alloc(32, 1);
const taken = '2026-11-22T00:00:00.000Z';
/** A backup of so many entries, whose records are not there. */
const backupOf = (size: number): Backup => ({
  dir,
  id: 'ab'.repeat(32),
  manifest: {
    format: 'holdpoint-backup-1',
    ...{ origin: 'o', key: 'k', note: 'n', root: root.toString('base64'), size, taken },
    files: [{ name: 'records-00000000000000000000.hpj', first: 0, bytes: 0, sha256: '0'.repeat(64) }],
  },
});

test('lost is what the mark knows and the backup has not', () => {
  expect(lostBy(backupOf(5), paths)).toBe(0);
  replaceHighWater(paths.highWater, 12, root);
  for (const [size, lost] of [
    [5, 7],
    [12, 0],
    [20, 0],
  ] as const)
    expect(lostBy(backupOf(size), paths)).toBe(lost);
});

test('lost is also what was known before a restore that was broken off, which put the mark back', () => {
  replaceHighWater(paths.highWater, 5, root);
  writeRestored(paths.restored, { size: 5, backup: 'cd'.repeat(32), taken, lost: 7 });
  for (const [size, lost] of [
    [5, 7],
    [8, 4],
    [20, 0],
  ] as const)
    expect(lostBy(backupOf(size), paths)).toBe(lost);
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
