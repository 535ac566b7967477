/** What is found by an index that outlived its ledger is nobody's: neither a subject's nor a batch's, whatever it names. */
import { afterEach, expect, test } from 'vitest';
import { type Group, groupsOf, type Look } from '../../src/erasure/candidates.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createLedgerUnderTest, requestDraft } from './ledger-under-test.ts';
import { createMemoryDisk, createMemoryMark } from './memory-disk.ts';

const subject = '0123456789abcdef';

let ledger: Ledger | undefined;
afterEach(() => ledger?.close('test over'));

async function seal(into: Ledger, data: Readonly<Record<string, string | number>>): Promise<number> {
  const { seq, durable } = into.seal({ ...requestDraft, data: { ...requestDraft.data, ...data } });
  await durable;
  return seq;
}

/** A ledger whose index was made of another: what were three lines of a batch there are as many requests of others here. */
async function ledgerWithStaleIndex(others: number): Promise<{ opened: Ledger; root: number }> {
  const house = createLedgerUnderTest();
  const before = await house.open();
  const root = await seal(before, { subject });
  for (let line = 0; line < 3; line += 1) await seal(before, { subject, batch: root });
  await before.close('gone with its disk');
  const opened = await house.open({ openStore: createMemoryDisk().open, highWater: createMemoryMark() });
  ledger = opened;
  expect(await seal(opened, { subject })).toBe(root);
  for (let other = 0; other < others; other += 1) await seal(opened, {});
  return { opened, root };
}

async function toErase(from: Ledger): Promise<readonly Group[]> {
  const look: Look = {
    match: {},
    fromSeq: 0,
    again: [],
    nowMs: Date.UTC(2026, 10, 22),
    goesOn: () => true,
    onLooked: () => undefined,
    onLater: () => undefined,
    onUnread: () => undefined,
  };
  const groups: Group[] = [];
  for await (const group of groupsOf(from, { subject }, look)) groups.push(group);
  return groups;
}

test('an erasure by subject takes no decision of others with it that an index calls a line of a batch', async () => {
  const { opened, root } = await ledgerWithStaleIndex(3);
  expect(await toErase(opened)).toEqual([[root]]);
});

test('an erasure by subject takes what there is where an index names what the ledger no longer has', async () => {
  const { opened, root } = await ledgerWithStaleIndex(1);
  expect(await toErase(opened)).toEqual([[root]]);
});
