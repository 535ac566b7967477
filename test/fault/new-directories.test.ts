/** Directories that are made for what must not be lost: there after a power failure, as what is written into them is. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startSidecar } from '../../src/sidecar.ts';
import { makePrivateDirectory } from '../../src/store/directory.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { writeHouse } from '../contract/support/sidecar.ts';
import { verifierKeyOf } from '../support/ledger-builder.ts';
import { systemError, watchDisk } from './disk-calls.ts';

it('are synced by way of the directory above each that was made', () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-new-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const synced: string[] = [];
  const unwatch = watchDisk({
    dir,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind, file }) => {
      if (kind === 'sync') synced.push(file);
    },
  });
  makePrivateDirectory(join(dir, 'a', 'b', 'c'));
  makePrivateDirectory(join(dir, 'a', 'b', 'c'));
  unwatch();
  expect(synced).toEqual(['', 'a', 'a/b']);
});

it('are refused where the one above cannot be synced', () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-new-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const unwatch = watchDisk({
    dir,
    fateOf: ({ kind }) => (kind === 'sync' ? 'before' : 'done'),
    failureOf: (call) => systemError('EIO', call),
  });
  try {
    expect(() => makePrivateDirectory(join(dir, 'a'))).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    );
  } finally {
    unwatch();
  }
});

it('are a witness’s and its anchors’ own too, before anything is remembered there', async () => {
  const house = mkdtempSync(join(tmpdir(), 'holdpoint-new-'));
  onTestFinished(() => rmSync(house, { recursive: true, force: true }));
  const { configFile, dataDir } = writeHouse(house, 'http://127.0.0.1:9', {
    anchors: { to: { beside: { kind: 'file', path: join(house, 'anchored') } } },
    witness: {
      listen: '127.0.0.1:0',
      name: 'witness.example/w1',
      peers: [verifierKeyOf('peer', 'holdpoint/peer')],
    },
  });
  const synced = new Set<string>();
  const unwatch = watchDisk({
    dir: dataDir,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind, file }) => {
      if (kind === 'sync' && file === '') for (const name of readdirSync(dataDir)) synced.add(name);
    },
  });
  try {
    await (await startSidecar(configFile, {})).stop('test');
  } finally {
    unwatch();
  }
  expect([...synced]).toEqual(expect.arrayContaining(['anchors', 'witness']));
});

it('of the ledger may be a volume that is there before the first start, with what it comes with', async () => {
  const house = mkdtempSync(join(tmpdir(), 'holdpoint-new-'));
  onTestFinished(() => rmSync(house, { recursive: true, force: true }));
  const { configFile, dataDir } = writeHouse(house, 'http://127.0.0.1:9', {});
  mkdirSync(join(dataDir, 'ledger', 'lost+found'), { recursive: true });
  await (await startSidecar(configFile, {})).stop('test');
  expect((await verifyDirectory(dataDir, {})).ok).toBe(true);
});
