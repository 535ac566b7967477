/** The journal begins another segment while each storage call of it fails, and what a death there leaves. */
// First, so that the stores load with node:fs watched.
import './disk-calls.ts';
import { cpSync, existsSync, linkSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordKey } from '../../src/ledger/block.ts';
import type { StoredRecord } from '../../src/ledger/store.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { type DiskCall, type Fate, systemError, watchDisk } from './disk-calls.ts';

const scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdpoint-rotation-'));
const full = join(scratch, 'full');
const firstSegment = 'journal-0000000001.hpj';
let copies = 0;

const commitOf = (seq: number, bytes: number): StoredRecord[] => [
  { key: recordKey(seq, 'block'), value: Buffer.from(`block ${seq}`) },
  { key: recordKey(seq, 'bodies'), value: Buffer.alloc(bytes, seq + 1) },
];

beforeAll(async () => {
  const store = await openLedgerStore(full);
  await store.commit(commitOf(0, 65 * 1024 * 1024), false);
  await store.close();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A copy whose full segment, which nobody writes to any more, is shared. */
function copyOf(from: string): string {
  const dir = join(scratch, `${++copies}`);
  cpSync(from, dir, { recursive: true, filter: (file) => !file.endsWith(firstSegment) });
  linkSync(join(from, firstSegment), join(dir, firstSegment));
  return dir;
}

/** Commits into a full segment; tells at which calls, and what was there when the failing one failed. */
async function rotate(at: number, fate: Fate) {
  const dir = copyOf(full);
  const calls: DiskCall[] = [];
  let death: string | null = null;
  const store = await openLedgerStore(dir);
  const unwatch = watchDisk({
    dir,
    fateOf: (call) => (calls.push(call) - 1 === at ? fate : 'done'),
    failureOf: (call) => {
      death = copyOf(dir);
      return systemError('ENOSPC', call);
    },
  });
  const acknowledged = await store.commit(commitOf(1, 100), true).then(
    () => true,
    () => false,
  );
  unwatch();
  await store.close();
  return { dir, death, calls, acknowledged };
}

/** Which commits a directory has, whole; the next one is taken there. */
async function commitsIn(dir: string): Promise<number[]> {
  const store = await openLedgerStore(dir);
  const found: number[] = [];
  for (const seq of [0, 1]) {
    const block = await store.get(recordKey(seq, 'block'));
    const bodies = await store.get(recordKey(seq, 'bodies'));
    if ((block === undefined) !== (bodies === undefined)) throw new Error(`half of commit ${seq} is there`);
    if (bodies?.[0] === seq + 1) found.push(seq);
  }
  await store.commit(commitOf(2, 10), true);
  if ((await store.get(recordKey(2, 'block'))) === undefined) throw new Error('the next commit is not there');
  await store.close();
  return found;
}

it('loses nothing acknowledged, at any call and in any way, and takes the next commit', async () => {
  const { calls } = await rotate(-1, 'done');
  expect(calls.map(({ kind, file }) => `${kind} ${file}`)).toEqual([
    'open journal-0000000002.hpj',
    'write journal-0000000002.hpj',
    'sync journal-0000000002.hpj',
    'open ',
    'sync ',
    'open journal-0000000002.hpj',
    'write journal-0000000002.hpj',
  ]);
  for (let at = 0; at < calls.length; at += 1) {
    for (const fate of ['before', 'middle', 'after', 'short'] as const) {
      const { dir, death, acknowledged } = await rotate(at, fate);
      expect(acknowledged, `call ${at}, ${fate}`).toBe(fate === 'short');
      for (const left of death === null ? [dir] : [dir, death]) {
        const found = await commitsIn(left);
        expect(found[0], `call ${at}, ${fate}`).toBe(0);
        if (acknowledged) expect(found).toEqual([0, 1]);
        rmSync(left, { recursive: true });
      }
    }
  }
  // Some sixty segments of 64 MB are filled and read: 5 s here, 17 s where memory is slow to be had.
}, 90_000);
