/** What `ledger fsck --repair` leaves on the disk, step by step, and where it is refused. */
import fs, {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { frameHeaderBytes, streamHeader } from '../../src/ledger/frame.ts';
import { asideNames, requireNoCutOffRepair, undoCutOffRepair } from '../../src/store/cut-off-repair.ts';
import { fsck } from '../../src/store/fsck.ts';
import { replaceHighWater } from '../../src/store/high-water.ts';
import { segmentFile } from '../../src/store/journal.ts';
import { openLevelCache } from '../../src/store/level.ts';
import { repair } from '../../src/store/repair.ts';
import { takeTokensOut } from '../../src/store/restored-tokens.ts';
import { watchDisk } from './disk-calls.ts';
import { makeLedger } from './made-ledger.ts';

vi.setConfig({ testTimeout: 30_000 });

const made = await makeLedger(3);
afterAll(() => made.remove());

/** A ledger whose LevelDB lost its list of files. */
function damaged() {
  const paths = made.copy();
  rmSync(join(paths.ledgerDir, 'CURRENT'));
  return paths;
}

it('is on disk, each file and each name, before what was there is set aside and once it has its place', async () => {
  const paths = damaged();
  const report = await fsck(paths);
  const synced: string[] = [];
  const unwatch = watchDisk({
    dir: paths.dataDir,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind, file }) => {
      const names = readdirSync(paths.dataDir).filter((name) => name.startsWith('ledger'));
      if (kind === 'sync' && !file.startsWith('index')) synced.push(`${file}, ${names.sort().join(' ')}`);
    },
  });
  try {
    await repair(paths, report);
  } finally {
    unwatch();
  }
  const before = 'ledger ledger.rebuilding';
  // LOCK and LOG are LevelDB's own, and nothing is lost with them.
  const files = readdirSync(paths.ledgerDir).filter((name) => name !== 'LOCK' && !name.startsWith('LOG'));
  for (const name of files) expect(synced).toContain(`ledger.rebuilding/${name}, ${before}`);
  expect(synced.slice(-2)).toEqual([`ledger.rebuilding, ${before}`, ', ledger ledger.before-repair-1']);
});

it('takes nothing of what it set aside for its own to write to', async () => {
  const paths = damaged();
  await repair(paths, await fsck(paths));
  const inode = (dir: string): number => statSync(segmentFile(dir, 1)).ino;
  expect(inode(paths.ledgerDir)).not.toBe(inode(`${paths.ledgerDir}.before-repair-1`));
});

it('begins from nothing where one that was killed left a piece', async () => {
  const paths = damaged();
  const left = `${paths.ledgerDir}.rebuilding`;
  cpSync(made.paths.ledgerDir, left, { recursive: true });
  writeFileSync(segmentFile(left, 2), 'of another time');
  await repair(paths, await fsck(paths));
  expect(existsSync(segmentFile(paths.ledgerDir, 2))).toBe(false);
  expect((await fsck(paths)).findings.filter(({ kind }) => kind !== 'note')).toEqual([]);
});

it('keeps the tokens that a restore brought and no start has taken out yet', async () => {
  const paths = damaged();
  writeFileSync(join(paths.ledgerDir, 'tokens.json'), '{"tokens":[]}');
  await repair(paths, await fsck(paths));
  takeTokensOut(paths.ledgerDir, join(paths.dataDir, 'tokens.json'));
  expect(readFileSync(join(paths.dataDir, 'tokens.json'), 'utf8')).toBe('{"tokens":[]}');
});

/** On a disk whose calls of this name fail. */
async function withoutCalls(name: 'linkSync' | 'copyFileSync', code: string, work: () => Promise<void>) {
  const original = Reflect.get(fs, name);
  const fail = () => {
    throw Object.assign(new Error(`${code}: not here, ${name}`), { code, syscall: name });
  };
  Object.assign(fs, { [name]: fail });
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    Object.assign(fs, { [name]: original });
    syncBuiltinESMExports();
  }
}

/** A damaged ledger whose journal is two segments, each with bodies. */
function damagedWithTwoSegments() {
  const paths = damaged();
  const whole = readFileSync(segmentFile(paths.ledgerDir, 1));
  let first = streamHeader.length;
  for (let frame = 0; frame < 4; frame += 1) first += frameHeaderBytes + whole.readUInt32BE(first);
  writeFileSync(segmentFile(paths.ledgerDir, 1), whole.subarray(0, first));
  writeFileSync(segmentFile(paths.ledgerDir, 2), Buffer.concat([streamHeader, whole.subarray(first)]));
  return paths;
}

it('copies segments where the file system has no hard links', async () => {
  const paths = damagedWithTwoSegments();
  const report = await fsck(paths);
  await withoutCalls('linkSync', 'EPERM', async () => {
    await repair(paths, report);
  });
  const after = await fsck(paths);
  expect(after.findings.filter(({ kind }) => kind !== 'note')).toEqual([]);
  expect(after).toMatchObject({ segments: 2, journalIsWhole: true });
});

it('takes no room for a segment of which nothing is to be overwritten', async () => {
  const paths = damagedWithTwoSegments();
  await repair(paths, await fsck(paths));
  const inode = (dir: string): number => statSync(segmentFile(dir, 1)).ino;
  expect(inode(paths.ledgerDir)).toBe(inode(`${paths.ledgerDir}.before-repair-1`));
});

it('says what the disk refused, and leaves nothing behind', async () => {
  const paths = damagedWithTwoSegments();
  const report = await fsck(paths);
  await withoutCalls('copyFileSync', 'ENOSPC', () =>
    expect(repair(paths, report)).rejects.toMatchObject({
      code: 'config_invalid',
      message: `LevelDB cannot be made again in ${paths.ledgerDir}.rebuilding: not here (ENOSPC).`,
    }),
  );
  expect(readdirSync(paths.dataDir).filter((name) => name.startsWith('ledger'))).toEqual(['ledger']);
});

it('leaves nothing behind where what it made does not verify', async () => {
  const paths = damaged();
  const report = await fsck(paths);
  const root = Buffer.alloc(32, 7);
  replaceHighWater(paths.highWater, 10_000, root);
  const names = (): readonly string[] =>
    readdirSync(paths.dataDir, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('index/'))
      .sort();
  const before = names();
  await expect(repair(paths, report)).rejects.toMatchObject({ code: 'ledger_damaged' });
  expect(names()).toEqual(before);
});

it('of an index alone makes that again, and leaves the ledger as it is', async () => {
  const paths = made.copy();
  const index = await openLevelCache(paths.indexDir);
  await index.commit([{ key: Buffer.from('tip'), value: Buffer.from('10000') }], true);
  await index.close();
  const before = statSync(segmentFile(paths.ledgerDir, 1)).ino;
  expect(await repair(paths, await fsck(paths))).toEqual([
    `removed ${paths.indexDir}; the next start makes it again`,
  ]);
  expect(existsSync(paths.indexDir)).toBe(false);
  expect(statSync(segmentFile(paths.ledgerDir, 1)).ino).toBe(before);
  expect(asideNames(paths.ledgerDir)).toEqual([]);
});

it('sets aside under the next number, however many there are', async () => {
  const paths = damaged();
  for (const number of [2, 9, 10])
    cpSync(paths.ledgerDir, `${paths.ledgerDir}.before-repair-${number}`, { recursive: true });
  await repair(paths, await fsck(paths));
  expect(asideNames(paths.ledgerDir)).toEqual(
    [2, 9, 10, 11].map((number) => `ledger.before-repair-${number}`),
  );
});

/** As a repair leaves it that dies between its two renames. */
function cutOff() {
  const paths = damaged();
  cpSync(paths.ledgerDir, `${paths.ledgerDir}.rebuilding`, { recursive: true });
  renameSync(paths.ledgerDir, `${paths.ledgerDir}.before-repair-1`);
  return paths;
}

it('that was cut off is undone only while nobody holds the index', async () => {
  const paths = cutOff();
  const index = await openLevelCache(paths.indexDir);
  await expect(undoCutOffRepair(paths)).rejects.toMatchObject({ code: 'data_dir_locked' });
  expect(existsSync(paths.ledgerDir)).toBe(false);
  await index.close();
  expect(await undoCutOffRepair(paths)).toContain('put ledger.before-repair-1 back');
  expect(readFileSync(segmentFile(paths.ledgerDir, 1)).length).toBeGreaterThan(0);
});

it('that was cut off is undone on disk, and also where an empty directory took the place of the ledger', async () => {
  const paths = cutOff();
  mkdirSync(paths.ledgerDir);
  expect(() => requireNoCutOffRepair(paths.ledgerDir)).toThrow(
    expect.objectContaining({ code: 'ledger_damaged' }),
  );
  const synced: string[] = [];
  const unwatch = watchDisk({
    dir: paths.dataDir,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind, file }) => {
      if (kind === 'sync' && file === '') synced.push(readdirSync(paths.dataDir).sort().join(' '));
    },
  });
  try {
    await undoCutOffRepair(paths);
  } finally {
    unwatch();
  }
  expect(synced).toEqual(['high-water index ledger ledger.rebuilding']);
});
