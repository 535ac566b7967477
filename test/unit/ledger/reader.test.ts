import { expect, it } from 'vitest';
import type { Entry } from '../../../src/ledger/entry.ts';
import { newestFirst } from '../../../src/ledger/newest-first.ts';
import { readBlocks, readEntry, readPart, UnreadableEntry } from '../../../src/ledger/reader.ts';
import type { RecordStore } from '../../../src/ledger/store.ts';
import { countBefore } from '../../../src/ledger/time-span.ts';
import { createLedgerUnderTest, exchange, kek } from '../../fault/ledger-under-test.ts';
import { withBlocks } from './changed-blocks.ts';

const house = createLedgerUnderTest();
const ledger = await house.open();
const decisions = [await exchange(ledger, () => undefined), await exchange(ledger, () => undefined)];
await ledger.close('test');
const all = house.entries();
const store = await house.disk.open();

async function seqsFrom(fromSeq: number, reverse: boolean): Promise<readonly number[]> {
  const blocks: Entry[][] = [];
  for await (const block of readBlocks(store, { fromSeq, reverse })) blocks.push([...block]);
  return blocks.flatMap((block) => (reverse ? block.toReversed() : block)).map(({ seq }) => seq);
}

it('reads each entry by its number, and none that is not there', async () => {
  for (const { seq, type } of all) expect(await readEntry(store, seq)).toMatchObject({ seq, type });
  await expect(readEntry(store, all.length)).rejects.toMatchObject({ code: 'not_found' });
  await expect(readEntry(store, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: 'not_found' });
});

it('reads each body back, and says which there is none of', async () => {
  const [decision = -1] = decisions;
  expect((await readPart(store, [kek], decision, 'request')).toString()).toBe('what is a hold point?');
  expect((await readPart(store, [kek], decision + 1, 'response')).toString()).toBe('a place to stop');
  await expect(readPart(store, [kek], decision, 'response')).rejects.toMatchObject({ code: 'not_found' });
  await expect(readPart(store, [kek], 0, 'request')).rejects.toMatchObject({ code: 'not_found' });
});

it('walks forwards and backwards from any entry, whole blocks at a time', async () => {
  const seqs = all.map(({ seq }) => seq);
  expect(await seqsFrom(0, false)).toEqual(seqs);
  expect(await seqsFrom(Number.MAX_SAFE_INTEGER, true)).toEqual(seqs.toReversed());
  for (const seq of seqs) {
    const onwards = await seqsFrom(seq, false);
    expect(onwards.slice(onwards.indexOf(seq))).toEqual(seqs.slice(seq));
    const back = await seqsFrom(seq, true);
    expect(back.slice(back.indexOf(seq))).toEqual(seqs.slice(0, seq + 1).toReversed());
  }
});

async function newest(from: RecordStore, before = all.length): Promise<(Entry | UnreadableEntry)[]> {
  const found: (Entry | UnreadableEntry)[] = [];
  for await (const one of newestFirst(from, before)) found.push(one);
  return found;
}
const [at = -1] = decisions.map(Number);
const seqsWithout = (...missing: readonly number[]) =>
  all.map(({ seq }) => seq).filter((seq) => !missing.includes(seq));
const seqsIn = (found: readonly { readonly seq: number }[]) => found.map(({ seq }) => seq);

function brokenLeaf(seq: number, value: Buffer): Buffer {
  if (seq === at) value.write('!', value.indexOf('"'));
  return value;
}

it('reads the newest first, from any entry on', async () => {
  expect(seqsIn(await newest(store))).toEqual(seqsWithout().toReversed());
  for (const { seq } of all)
    expect(seqsIn(await newest(store, seq))).toEqual(seqsWithout().slice(0, seq).toReversed());
});

it('has in its place an entry that is damaged, and why', async () => {
  const found = await newest(withBlocks(store, brokenLeaf));
  expect(seqsIn(found)).toEqual(seqsWithout().toReversed());
  const damage = found.filter((one) => one instanceof UnreadableEntry);
  expect(damage.map(({ seq, last, message }) => [seq, last, message])).toEqual([
    [at, at, `Entry ${at} cannot be read: A leaf is not JSON.`],
  ]);
  const strict = async () => {
    for await (const entries of readBlocks(withBlocks(store, brokenLeaf), { fromSeq: 0, reverse: false }))
      expect(entries).not.toEqual([]);
  };
  await expect(strict()).rejects.toMatchObject({ code: 'ledger_damaged', seq: at });
});

it('has in their place all entries of a block that is damaged or missing, and none twice', async () => {
  const blocks: Entry[][] = [];
  for await (const block of readBlocks(store, { fromSeq: 0, reverse: false })) blocks.push([...block]);
  for (const [place, block] of blocks.entries()) {
    const [seq = -1, last = -1] = [block[0]?.seq, block.at(-1)?.seq];
    for (const lost of [Buffer.from('HPB1'), null]) {
      const isIt = (first: number, value: Buffer) => (first === seq ? lost : value);
      const found = await newest(withBlocks(store, isIt));
      const damage = found.filter((one) => one instanceof UnreadableEntry);
      expect(damage.map((one) => [one.seq, one.last])).toEqual([[seq, last]]);
      expect(found).toHaveLength(all.length - block.length + 1);
    }
    expect(place).toBeLessThan(blocks.length);
  }
});

it('finds the entry at a time beside those that cannot be read', async () => {
  const times = all.map(({ at: time }) => Date.parse(time));
  for (const atMs of new Set([...times, 0, (times.at(-1) ?? 0) + 1])) {
    const first = times.findIndex((time) => time >= atMs);
    const expected = first === -1 ? all.length : first;
    expect(await countBefore(store, all.length, atMs)).toBe(expected);
    const beside = await countBefore(withBlocks(store, brokenLeaf), all.length, atMs);
    expect(beside).toBe(expected === at ? at + 1 : expected);
  }
  const nothing = withBlocks(store, () => null);
  expect(await countBefore(nothing, all.length, 0)).toBe(all.length);
});
