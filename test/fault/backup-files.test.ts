/** A backup's directory: on disk when it is said to be taken, one backup's at a time, and as its manifest says. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { type Manifest, readBackup, takeBackup, verifyBackup } from '../../src/store/backup.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { waitFor } from '../support/wait-for.ts';
import { watchDisk } from './disk-calls.ts';
import { createLedgerUnderTest, exchange } from './ledger-under-test.ts';

const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-backup-files-'));
const ledgerDir = join(scratch, 'ledger');
let ledger: Ledger;
beforeAll(async () => {
  ledger = await createLedgerUnderTest().open({ openStore: () => openLedgerStore(ledgerDir) });
  await exchange(ledger, () => undefined);
  // Its outcome is sealed a little later, and must not come between two backups.
  await waitFor(() => expect(ledger.openDecisions()).toEqual([]));
  await ledger.seal({ type: 'stop', data: { reason: 'all before it is on disk' } }).durable;
});
afterAll(async () => {
  await ledger.close('test');
  rmSync(scratch, { recursive: true, force: true });
});
let made = 0;
const newDir = (): string => join(scratch, `backup-${++made}`);

type Copy = Awaited<ReturnType<typeof openLedgerCopy>>;
const nothing = async (): Promise<void> => undefined;

/**
 * @param reading runs when the ledger is first read
 * @param copied runs once its records are copied
 */
async function back(dir: string, { reading = nothing, copied = nothing } = {}): Promise<void> {
  const copy = await openLedgerCopy(ledgerDir);
  let isRead = false;
  const store: Copy = {
    ...copy,
    scan: async function* (range) {
      if (!isRead) {
        isRead = true;
        await reading();
      }
      yield* copy.scan(range);
    },
  };
  const facts = { origin: ledger.origin, key: ledger.verifierKey, taken: '2026-11-28T00:00:00.000Z' };
  try {
    await takeBackup(store, dir, facts, async () => {
      await copied();
      return openLedgerCopy(ledgerDir);
    });
  } finally {
    await copy.close();
  }
}

async function defectsOf(dir: string): Promise<readonly string[]> {
  const { verdict, defects } = await verifyBackup(readBackup(dir), {});
  return [...verdict.findings.map(({ code }) => code), ...defects];
}

it('is on disk, its records before its manifest and that before its name', async () => {
  const dir = newDir();
  const synced: string[] = [];
  const unwatch = watchDisk({
    dir,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind, file }) => {
      if (kind === 'sync') synced.push(`${file || 'directory'}: ${readdirSync(dir).sort().join(' ')}`);
    },
  });
  try {
    await back(dir);
  } finally {
    unwatch();
  }
  const records = `records-${'0'.repeat(20)}.hpj`;
  expect(synced).toEqual([
    `directory: ${records}`,
    `manifest.json.new: manifest.json.new ${records}`,
    `directory: manifest.json ${records}`,
  ]);
});

it('stays as it was where nothing was sealed since, but for when it was taken', async () => {
  const dir = newDir();
  await back(dir);
  const { manifest } = readBackup(dir);
  await back(dir);
  expect(readBackup(dir).manifest).toEqual(manifest);
  expect(readdirSync(dir).sort()).toEqual(['manifest.json', ...manifest.files.map(({ name }) => name)]);
  expect(await defectsOf(dir)).toEqual([]);
});

it('lets go of the ledger as it was read anew, also where that refuses it', async () => {
  const store = await openLedgerCopy(ledgerDir);
  let closed = 0;
  const openAnew = async (): Promise<Copy> => {
    const copy = await openLedgerCopy(ledgerDir);
    return { ...copy, close: () => copy.close().finally(() => (closed += 1)) };
  };
  const facts = { origin: ledger.origin, key: ledger.verifierKey, taken: '2026-11-28T00:00:00.000Z' };
  const dir = newDir();
  await takeBackup(store, dir, facts, openAnew);
  const broken = async (): Promise<Copy> => ({
    ...(await openAnew()),
    scan: () => {
      throw new Error('it cannot be read');
    },
  });
  await expect(takeBackup(store, newDir(), facts, broken)).rejects.toThrow('it cannot be read');
  await store.close();
  expect(closed).toBe(2);
});

it('goes on where a kill left a manifest without its name', async () => {
  const dir = newDir();
  await back(dir);
  rmSync(join(dir, 'manifest.json'));
  writeFileSync(join(dir, 'manifest.json.new'), '{"format":');
  await back(dir);
  expect(await defectsOf(dir)).toEqual([]);
});

describe('of two that are taken into one directory at once', () => {
  const refused = { code: 'overloaded', message: expect.stringContaining('Another backup') };

  it('one that was gone on with before its records were copied says so, and changes nothing', async () => {
    const dir = newDir();
    await back(dir);
    await exchange(ledger, () => undefined);
    let taken = '';
    const reading = async (): Promise<void> => {
      await exchange(ledger, () => undefined);
      await back(dir);
      taken = readFileSync(join(dir, 'manifest.json'), 'utf8');
    };
    await expect(back(dir, { reading })).rejects.toMatchObject(refused);
    expect(readFileSync(join(dir, 'manifest.json'), 'utf8')).toBe(taken);
    expect(await defectsOf(dir)).toEqual([]);
  });

  it('one whose file another is writing names no file that is not there', async () => {
    const dir = newDir();
    const gate = Promise.withResolvers<void>();
    let other: Promise<void> = Promise.resolve();
    const copied = async (): Promise<void> => {
      const begun = Promise.withResolvers<void>();
      other = back(dir, {
        copied: async () => {
          begun.resolve();
          await gate.promise;
        },
      });
      await begun.promise;
    };
    await expect(back(dir, { copied })).rejects.toMatchObject(refused);
    expect(readdirSync(dir).filter((name) => name.startsWith('manifest'))).toEqual([]);
    gate.resolve();
    await other;
    expect(await defectsOf(dir)).toEqual([]);
  });
});

describe('a manifest that says something else than its records is a defect', () => {
  it.each<[string, (manifest: Manifest) => Partial<Manifest>]>([
    ['another size', ({ size }) => ({ size: size + 1 })],
    ['another root', () => ({ root: Buffer.alloc(32, 7).toString('base64') })],
    ['the key of another ledger', ({ key }) => ({ key: key.replace(/.$/, '') })],
  ])('%s', async (_what, change) => {
    const dir = newDir();
    await back(dir);
    const { manifest } = readBackup(dir);
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ ...manifest, ...change(manifest) }));
    expect(await defectsOf(dir)).toEqual([expect.stringContaining('not with the root and key')]);
  });

  it('a file that was cut', async () => {
    const dir = newDir();
    await back(dir);
    const [{ name, bytes } = { name: '', bytes: 0 }] = readBackup(dir).manifest.files;
    truncateSync(join(dir, name), bytes - 1);
    expect(await defectsOf(dir)).toContain(`${name} has ${bytes - 1} bytes, not ${bytes}`);
  });
});
