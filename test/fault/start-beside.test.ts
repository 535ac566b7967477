/** A start looks at a copy of the ledger while it opens what is derived from it: what either one's failure leaves. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import { openLevelCache } from '../../src/store/level.ts';
import { createLedgerUnderTest } from './ledger-under-test.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-beside-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const damaged = new HoldpointError('ledger_damaged', 'The copy does not verify.', 'Verify it.');

it('a refused copy leaves neither the index open nor a ledger begun', async () => {
  const house = createLedgerUnderTest();
  const dir = join(root, 'refused');
  const openCopy = (): Promise<never> => Promise.reject(damaged);
  await expect(house.open({ openCopy, openIndexStore: () => openLevelCache(dir) })).rejects.toBe(damaged);
  expect(house.disk.records()).toEqual([]);
  await (await openLevelCache(dir)).close();
});

it('where another process has the directory, a start says so and not what its copy looked like', async () => {
  const house = createLedgerUnderTest();
  const dir = join(root, 'in-use');
  const other = await openLevelCache(dir);
  const openCopy = (): Promise<never> => Promise.reject(damaged);
  await expect(house.open({ openCopy, openIndexStore: () => openLevelCache(dir) })).rejects.toMatchObject({
    code: 'data_dir_locked',
  });
  await other.close();
});

it('an index that was closed has no log to replay', async () => {
  const dir = join(root, 'closed');
  const cache = await openLevelCache(dir);
  await cache.commit([{ key: Buffer.from('key'), value: Buffer.alloc(100_000, 7) }], false);
  await cache.close();
  const logs = readdirSync(dir).filter((name) => name.endsWith('.log'));
  expect(logs.map((name) => statSync(join(dir, name)).size)).toEqual([0]);
  const again = await openLevelCache(dir);
  expect(await again.get(Buffer.from('key'))).toEqual(Buffer.alloc(100_000, 7));
  await again.close();
});
