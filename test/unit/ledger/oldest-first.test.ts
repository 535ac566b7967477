/** Reading a ledger from an entry on, to its end, past what is damaged or gone. */
import { expect, it } from 'vitest';
import { parseRecordKey } from '../../../src/ledger/block.ts';
import { oldestFirst } from '../../../src/ledger/oldest-first.ts';
import { UnreadableEntry } from '../../../src/ledger/reader.ts';
import type { RecordStore } from '../../../src/ledger/store.ts';
import { createLedgerUnderTest, exchange } from '../../fault/ledger-under-test.ts';
import { withBlocks } from './changed-blocks.ts';

const house = createLedgerUnderTest();
const ledger = await house.open();
for (let calls = 0; calls < 3; calls += 1) await exchange(ledger, () => undefined);
await ledger.close('test');
const size = house.entries().length;
const store = await house.disk.open();
const blocks = house.disk.records().flatMap(({ key }) => {
  const place = parseRecordKey(key);
  return place?.kind === 'block' ? [place.seq] : [];
});

/** Seqs of entries, and [first, last] of what cannot be read. */
async function seqsOf(from: number, end = size, of: RecordStore = store) {
  const found: (number | [number, number])[] = [];
  for await (const entries of oldestFirst(of, from, end))
    for (const one of entries) found.push(one instanceof UnreadableEntry ? [one.seq, one.last] : one.seq);
  return found;
}

const upTo = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, i) => from + i);

it('has blocks of several entries and of one', () => {
  expect(blocks.length).toBeGreaterThan(3);
  expect(blocks.length).toBeLessThan(size);
});

it('begins at any entry, also within a block', async () => {
  for (const from of upTo(0, size)) expect(await seqsOf(from)).toEqual(upTo(from, size));
});

it('ends before any entry, whatever was made durable since', async () => {
  for (const end of upTo(0, size)) expect(await seqsOf(0, end)).toEqual(upTo(0, end));
});

it.each([
  ['gone', null],
  ['damaged', Buffer.from('HPB1')],
])('has a block that is %s as one run, up to where the next one begins', async (_what, value) => {
  for (const [place, seq] of blocks.entries()) {
    const next = blocks[place + 1] ?? size;
    const without = withBlocks(store, (at, whole) => (at === seq ? value : whole));
    expect(await seqsOf(0, size, without)).toEqual([...upTo(0, seq), [seq, next - 1], ...upTo(next, size)]);
  }
});

it('has all that is asked for as one run where no block is left', async () => {
  expect(
    await seqsOf(
      2,
      size,
      withBlocks(store, () => null),
    ),
  ).toEqual([[2, size - 1]]);
});
