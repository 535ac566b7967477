/** What an erasure remembers of what it could not read, and whom it tells. */
import { expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { createUnread } from '../../../src/erasure/unread.ts';
import { UnreadableEntry } from '../../../src/ledger/reader.ts';

const damage = new HoldpointError('ledger_damaged', 'No block has it.');
const runOf = (seq: number, last = seq) => new UnreadableEntry(seq, damage, last);

function begin() {
  const told: number[] = [];
  return { told, unread: createUnread((seq) => told.push(seq)) };
}

it('tells of each entry of a run once, however often it is met', () => {
  const { told, unread } = begin();
  for (let time = 0; time < 2; time += 1) unread.add(runOf(5, 7));
  expect(told).toEqual([5, 6, 7]);
  expect(unread.all()).toHaveLength(1);
});

it('remembers a thousand, and tells of the others all the same', () => {
  const { told, unread } = begin();
  for (let seq = 0; seq < 1025; seq += 1) unread.add(runOf(2 * seq));
  expect(unread.all()).toHaveLength(1024);
  expect(told).toHaveLength(1025);
});

it('tells of as many entries of a long run as are judged again, and of where to go on', () => {
  const { told, unread } = begin();
  unread.add(runOf(3, 5_000_000));
  expect([told.length, told[0], told.at(-1)]).toEqual([1025, 3, 1027]);
});

it('gives what was read', async () => {
  const { unread } = begin();
  expect(await unread.aside(Promise.resolve('read'))).toBe('read');
});

it('puts aside what cannot be read', async () => {
  const { told, unread } = begin();
  expect(await unread.aside(Promise.reject(runOf(4)))).toBeNull();
  expect([told, unread.all().map(({ seq }) => seq)]).toEqual([[4], [4]]);
});

it('puts nothing else aside', async () => {
  const { told, unread } = begin();
  await expect(unread.aside(Promise.reject(damage))).rejects.toBe(damage);
  expect(told).toEqual([]);
});

it('has them in the order of the ledger', () => {
  const { unread } = begin();
  for (const seq of [9, 100, 20]) unread.add(runOf(seq));
  expect(unread.all().map(({ seq }) => seq)).toEqual([9, 20, 100]);
});
