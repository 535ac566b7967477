/** What is still to be overwritten over a kill, and the segment that is appended to, which is never given back. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { recordKey } from '../../src/ledger/block.ts';
import { segmentFile } from '../../src/store/journal.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { copyAsKilled } from '../support/killed-copy.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-owed-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const keyOf = (seq: number): Buffer => recordKey(seq, 'bodies');
const bodyOf = (seq: number): Buffer => Buffer.from(`HPV1 body ${seq} is nowhere else; `.repeat(8));
const commitAt = (seq: number) => [
  { key: recordKey(seq, 'block'), value: Buffer.from(`block ${seq}`) },
  { key: keyOf(seq), value: bodyOf(seq) },
];

const seqs = [0, 1, 2, 3];
const tracesIn = (dir: string): number[] =>
  seqs.filter((seq) =>
    readdirSync(dir).some((name) => readFileSync(join(dir, name)).includes(bodyOf(seq).subarray(5, 40))),
  );

it('what the disk did not let be overwritten is so after a kill within the next erasure', async () => {
  const [dir, killed] = [join(root, 'ledger'), join(root, 'killed')];
  const file = segmentFile(dir, 1);
  const away = `${file}.away`;
  let isBlocked = false;
  const store = await openLedgerStore(dir, (step) => {
    if (step === 'settled' && !isBlocked) {
      isBlocked = true;
      renameSync(file, away);
      mkdirSync(file);
    } else if (step === 'listed' && isBlocked) copyAsKilled(dir, killed);
  });
  for (const seq of seqs) await store.commit(commitAt(seq), true);
  expect((await store.rewriteBodies([keyOf(0)], () => null)).left).toMatchObject([{ key: keyOf(0) }]);
  await store.rewriteBodies([keyOf(1)], () => null);
  rmdirSync(file);
  renameSync(away, file);
  await store.close();
  rmdirSync(segmentFile(killed, 1));
  renameSync(`${segmentFile(killed, 1)}.away`, segmentFile(killed, 1));
  expect(tracesIn(killed)).toEqual(seqs);
  await (await openLedgerStore(killed)).close();
  expect(tracesIn(killed)).toEqual([1, 2, 3]);
});

it('the segment that is appended to stays, whatever was erased in it, and takes what comes', async () => {
  const dir = join(root, 'ledger');
  const store = await openLedgerStore(dir);
  for (const seq of [0, 1, 2]) await store.commit(commitAt(seq), true);
  await store.rewriteBodies([0, 1, 2].map(keyOf), () => null);
  expect(await store.reclaim()).toBe(0);
  await store.commit(commitAt(3), true);
  await store.close();
  const again = await openLedgerStore(dir);
  for (const seq of seqs)
    expect(await again.get(recordKey(seq, 'block'))).toEqual(Buffer.from(`block ${seq}`));
  expect(await again.get(keyOf(3))).toEqual(bodyOf(3));
  await again.close();
  expect(tracesIn(dir)).toEqual([3]);
});

it('what lay in a segment that is gone is owed no more', async () => {
  const dir = join(root, 'ledger');
  const file = segmentFile(dir, 1);
  const away = `${file}.away`;
  const store = await openLedgerStore(dir, (step) => {
    if (step !== 'settled' || existsSync(away)) return;
    renameSync(file, away);
    mkdirSync(file);
  });
  await store.commit(commitAt(0), true);
  expect((await store.rewriteBodies([keyOf(0)], () => null)).left).toMatchObject([{ key: keyOf(0) }]);
  expect((await store.rewriteBodies([], () => null)).left).toMatchObject([{ key: keyOf(0) }]);
  rmdirSync(file);
  expect((await store.rewriteBodies([], () => null)).left).toEqual([]);
  renameSync(away, file);
  await store.close();
});
