/** A start over a journal that a process under relaxed durability left with the operating system. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { recordKey } from '../../src/ledger/block.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { copyAsKilled } from '../support/killed-copy.ts';
import { watchDisk } from './disk-calls.ts';

const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-unsynced-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('tells LevelDB of no frame before that is on disk', async () => {
  const [dir, left] = [join(scratch, 'lived'), join(scratch, 'left')];
  const store = await openLedgerStore(dir);
  await store.commit([{ key: recordKey(0, 'block'), value: Buffer.from('block 0') }], false);
  copyAsKilled(dir, left);
  await store.close();
  const calls: string[] = [];
  const unwatch = watchDisk({
    dir: left,
    fateOf: () => 'done',
    failureOf: () => new Error('none fails'),
    done: ({ kind, file }) => calls.push(`${kind} ${file}`.trim()),
  });
  try {
    await (await openLedgerStore(left)).close();
  } finally {
    unwatch();
  }
  const told = calls.indexOf('batch');
  expect(told).toBeGreaterThan(0);
  expect(calls.slice(0, told)).toContain('sync journal-0000000001.hpj');
});
