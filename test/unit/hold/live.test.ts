import { expect, it } from 'vitest';
import { createLiveHolds } from '../../../src/hold/live.ts';
import { sealedHold } from './sealed-hold.ts';

it('holds are found by their decision and by who may come back for them, until they are forgotten', () => {
  const holds = createLiveHolds();
  expect(holds.isEmpty()).toBe(true);
  const first = holds.add(sealedHold(2, 1, 'same'));
  const second = holds.add(sealedHold(4, 1, 'other'));
  const third = holds.add(sealedHold(6, 5, 'same'));
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
