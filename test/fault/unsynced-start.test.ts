/** A start over a journal that a process under relaxed durability left with the operating system. */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { recordKey } from '../../src/ledger/block.ts';
import { segmentFile } from '../../src/store/journal.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { copyAsKilled } from '../support/killed-copy.ts';
import { watchDisk } from './disk-calls.ts';

const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-unsynced-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let made = 0;

/** What a kill leaves after one commit that nobody waited for. */
async function killed(): Promise<string> {
  made += 1;
  const [dir, left] = [join(scratch, `lived-${made}`), join(scratch, `left-${made}`)];
  const store = await openLedgerStore(dir);
  await store.commit([{ key: recordKey(0, 'block'), value: Buffer.from('block 0') }], false);
  copyAsKilled(dir, left);
  await store.close();
  return left;
}

/** The calls of the disk of a start. */
async function callsOf(left: string): Promise<readonly string[]> {
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
  return calls;
}

it('tells LevelDB of no frame before that is on disk', async () => {
  const calls = await callsOf(await killed());
  const told = calls.indexOf('batch');
  expect(told).toBeGreaterThan(0);
  expect(calls.slice(0, told)).toContain('sync journal-0000000001.hpj');
});

it('has what it cuts away gone from the disk, and lets go of what it looked at for that', async () => {
  const left = await killed();
  appendFileSync(segmentFile(left, 1), 'a frame that was cut off');
  const calls = await callsOf(left);
  const cut = calls.findIndex((call) => call.startsWith('truncate'));
  expect(calls.slice(cut, cut + 2)).toEqual([
    'truncate journal-0000000001.hpj',
    'sync journal-0000000001.hpj',
  ]);
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    // One may be closed meanwhile.
    const path = `/proc/self/fd/${fd}`;
    return existsSync(path) ? [readlinkSync(path)] : [];
  });
  expect(open.filter((path) => path.startsWith(left))).toEqual([]);
});
