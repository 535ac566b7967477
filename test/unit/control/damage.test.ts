import { expect, it } from 'vitest';
import { createDamage } from '../../../src/control/damage.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { UnreadableEntry } from '../../../src/ledger/reader.ts';

const cause = new HoldpointError('ledger_damaged', 'Its bytes are others.', 'Verify.');
const unreadable = (seq: number, last = seq): UnreadableEntry => new UnreadableEntry(seq, cause, last);
const fresh = () => createDamage({ decisionId: (seq) => `d-${seq}` });

it('counts a damaged entry once, however often it is met, the hundred that are told being over or not', () => {
  const damage = fresh();
  for (let seq = 0; seq < 102; seq += 1) damage.tell(unreadable(seq));
  for (let seq = 0; seq < 102; seq += 1) damage.tell(unreadable(seq), 7);
  expect([damage.told().length, damage.isFull(), damage.entries()]).toEqual([100, true, 102]);
});

it('counts every entry of a run', () => {
  const damage = fresh();
  damage.tell(unreadable(3, 12));
  for (let seq = 100; seq < 199; seq += 1) damage.tell(unreadable(seq));
  damage.tell(unreadable(300, 309));
  expect(damage.entries()).toBe(10 + 99 + 10);
});

it('says whose an entry is once it was read for a decision, and keeps saying it', () => {
  const damage = fresh();
  damage.tell(unreadable(9));
  expect(damage.told()).toMatchObject([{ seq: 9, decision: null }]);
  damage.tell(unreadable(9), 4);
  damage.tell(unreadable(9));
  expect(damage.told()).toMatchObject([{ seq: 9, decision: 'd-4' }]);
});

it('tells what could not be read for a decision, and lets every other error through', async () => {
  const damage = fresh();
  expect(await damage.read(4, () => Promise.reject(unreadable(5)))).toBeNull();
  expect(damage.told()).toMatchObject([{ seq: 5, last: 5, decision: 'd-4' }]);
  await expect(damage.read(4, () => Promise.reject(new Error('full')))).rejects.toThrow('full');
  expect(await damage.read(4, () => Promise.resolve('read'))).toBe('read');
});
