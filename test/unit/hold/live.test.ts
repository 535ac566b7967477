import { expect, it } from 'vitest';
import { createLiveHolds } from '../../../src/hold/live.ts';
import { type Hold, holdFromEntries } from '../../../src/hold/record.ts';

function holdOf(seq: number, decision: number, retry: string): Hold {
  const data = {
    decision,
    retry,
    expires: 0,
    approvals: 1,
    roles: [],
    rules: [],
    digest: 'd',
    notRequester: true,
  };
  const at = '2026-11-22T00:00:00.000Z';
  const leaf = {
    boot: '',
    durability: 'strict',
    kid: '',
    ledger: '',
    mono: 0,
    prev: '',
    refs: [],
    v: 1,
  } as const;
  const hold = holdFromEntries([{ ...leaf, at, data, parts: [], seq, type: 'hold' }], (id) => `h-${id}`);
  if (hold === null) throw new Error('an entry of type hold makes a hold');
  return hold;
}

it('holds are found by their decision and by who may come back for them, until they are forgotten', () => {
  const holds = createLiveHolds();
  expect(holds.isEmpty()).toBe(true);
  const first = holds.add(holdOf(2, 1, 'same'));
  const second = holds.add(holdOf(4, 1, 'other'));
  const third = holds.add(holdOf(6, 5, 'same'));
  expect(holds.ofDecision(1)).toEqual([first, second]);
  expect(holds.ofRetryKey('same')).toEqual([first, third]);
  let cancelled = 0;
  first.cancelTimer = () => {
    cancelled += 1;
  };
  holds.remove(first);
  expect(cancelled).toBe(1);
  expect(holds.get(2)).toBeUndefined();
  expect(holds.ofDecision(1)).toEqual([second]);
  expect(holds.ofRetryKey('same')).toEqual([third]);
  holds.remove(second);
  holds.remove(third);
  expect(holds.ofDecision(1)).toEqual([]);
  expect(holds.isEmpty()).toBe(true);
});
