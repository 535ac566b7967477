/** Refusals as they are sealed: each kind at once, then counted, and no more kinds than there is room for. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRefusals, type Refused } from '../../../src/control/refusals.ts';
import type { JsonObject } from '../../../src/ledger/canonical.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const refused: Refused = {
  ...{ by: 'ada', role: 'viewer', operation: 'ruleOnHold', code: 'forbidden', from: '192.0.2.1' },
};

function stage(isWritable = true) {
  const sealed: JsonObject[] = [];
  const errors: unknown[] = [];
  const seal = ({ data }: { data: JsonObject }) => {
    if (!isWritable) throw new Error('full');
    sealed.push(data);
    return { seq: sealed.length, durable: Promise.resolve(), parts: () => [] };
  };
  return { ...createRefusals({ seal }, (error) => errors.push(error)), sealed, errors };
}

it('a refusal is sealed at once, and those like it as one number when the minute is over', () => {
  const { take, sealed } = stage();
  for (let i = 0; i < 4; i++) take(refused);
  expect(sealed).toEqual([{ action: 'refused', count: 1, ...refused }]);
  vi.advanceTimersByTime(60_000);
  expect(sealed.slice(1)).toEqual([{ action: 'refused', count: 3, ...refused }]);
});

it('a refusal that stayed the only one of its kind is not sealed twice', () => {
  const { take, sealed } = stage();
  take(refused);
  vi.advanceTimersByTime(60_000);
  expect(sealed).toHaveLength(1);
});

it('the next minute begins anew', () => {
  const { take, sealed } = stage();
  take(refused);
  vi.advanceTimersByTime(60_000);
  take(refused);
  expect(sealed.map(({ count }) => count)).toEqual([1, 1]);
});

it('whoever provokes refusals of ever other kinds has sixteen sealed in a minute, and the rest as one number', () => {
  const { take, sealed } = stage();
  for (let i = 0; i < 100; i++) take({ ...refused, from: `192.0.2.${i}` });
  expect(sealed).toHaveLength(16);
  vi.advanceTimersByTime(60_000);
  expect(sealed.slice(16)).toEqual([
    { action: 'refused', count: 84, by: '', role: '', operation: '', code: '', from: '' },
  ]);
});

it('what says nothing of anybody’s rights is no refusal', () => {
  const { take, sealed } = stage();
  for (const code of ['not_found', 'invalid_argument', 'internal']) take({ ...refused, code });
  expect(sealed).toEqual([]);
});

it('a ledger that takes nothing is told of, and keeps nobody from being refused', () => {
  const { take, errors } = stage(false);
  expect(() => take(refused)).not.toThrow();
  expect(errors).toHaveLength(1);
});
