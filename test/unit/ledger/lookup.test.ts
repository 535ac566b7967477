import { expect, it } from 'vitest';
import { openLookup } from '../../../src/ledger/lookup.ts';
import {
  createLedgerUnderTest,
  exchange,
  type LedgerUnderTest,
  requestDraft,
  sealMarked,
} from '../../fault/ledger-under-test.ts';
import { createMemoryDisk } from '../../fault/memory-disk.ts';

const unexpected = (error: unknown): void => {
  throw error;
};

it('knows the entries of a decision before and after they are flushed, and after it is opened again', async () => {
  const disk = createMemoryDisk();
  const lookup = await openLookup(await disk.open(), unexpected);
  lookup.add([
    { seq: 5, type: 'request', data: {} },
    { seq: 6, type: 'response', data: { decision: 5 } },
  ]);
  expect(await lookup.entriesOf(5)).toEqual([6]);
  await lookup.flush();
  lookup.add([
    {
      seq: 7,
      type: 'delivery',
      data: {
        outcomes: [
          [5, 'delivered'],
          [1, 'denied'],
        ],
      },
    },
  ]);
  expect(await lookup.entriesOf(5)).toEqual([6, 7]);
  expect(await lookup.entriesOf(1)).toEqual([7]);
  for (const other of [6, 7]) expect(await lookup.entriesOf(other)).toEqual([]);
  await lookup.close();
  const again = await openLookup(await disk.open(), unexpected);
  expect(again.nextSeq()).toBe(8);
  expect(await again.entriesOf(5)).toEqual([6, 7]);
  await again.close();
});

it('writes again what the store refused, with what came after it', async () => {
  const disk = createMemoryDisk();
  const lookup = await openLookup(await disk.open(), unexpected);
  lookup.add([{ seq: 6, type: 'response', data: { decision: 5 } }]);
  disk.fateOf = () => 'before';
  await expect(lookup.flush()).rejects.toThrow('ENOSPC');
  disk.fateOf = () => 'written';
  lookup.add([{ seq: 7, type: 'hold', data: { decision: 5 } }]);
  expect(await lookup.entriesOf(5)).toEqual([6, 7]);
  await lookup.close();
  const again = await openLookup(await disk.open(), unexpected);
  expect(await again.entriesOf(5)).toEqual([6, 7]);
  await again.close();
});

const typesOf = async (house: LedgerUnderTest, decision: number): Promise<readonly string[]> => {
  const ledger = await house.open();
  const entries = await ledger.decision(decision);
  await ledger.close('test');
  return entries.map(({ type }) => type);
};

it('is made again from the ledger when it is lost', async () => {
  const house = createLedgerUnderTest();
  const first = await house.open();
  const decision = await exchange(first, () => undefined);
  await first.close('test');
  const bare: LedgerUnderTest = createLedgerUnderTest();
  Object.assign(bare.disk, { open: house.disk.open });
  bare.mark.mark = house.mark.mark;
  expect(await typesOf(bare, decision)).toEqual(['request', 'response', 'delivery']);
});

it('that lies about an open decision is not asked', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const { seq } = await sealMarked(ledger, requestDraft);
  const index = await house.indexDisk.open().catch(() => null);
  expect(index).toBeNull();
  // The entry of this decision, and only it, is known from the ledger itself.
  house.indexDisk.failReads = true;
  expect((await ledger.decision(seq)).map((entry) => entry.seq)).toEqual([seq]);
  house.indexDisk.failReads = false;
  await ledger.close('test');
});

it('that names entries of other decisions misleads nobody', async () => {
  const house = createLedgerUnderTest();
  const first = await house.open();
  const one = await exchange(first, () => undefined);
  const two = await exchange(first, () => undefined);
  await first.close('test');
  const lookup = await openLookup(await house.indexDisk.open(), unexpected);
  const size = lookup.nextSeq();
  lookup.add([
    { seq: two + 1, type: 'response', data: { decision: one } },
    { seq: size, type: 'stop', data: {} },
  ]);
  await lookup.close();
  expect(await typesOf(house, one)).toEqual(['request', 'response', 'delivery']);
});
