import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utc } from '../../../src/ledger/utc.ts';

const first = Date.parse('0001-01-01T00:00:00.000Z');
const last = Date.parse('9999-12-31T23:59:59.999Z');

it('writes any time of the years 1 to 9999 as ISO 8601 has it, whatever was written before', () => {
  const near = fc.integer({ min: -2_500, max: 2_500 });
  const times = fc.oneof(
    fc.integer({ min: first, max: last }),
    near,
    fc.constantFrom(first, last, -1, -1_000),
  );
  fc.assert(
    fc.property(fc.array(times, { minLength: 1, maxLength: 20 }), (list) => {
      expect(list.map(utc)).toEqual(list.map((ms) => new Date(ms).toISOString()));
    }),
  );
});

it('passes over what is less than a millisecond', () => {
  expect([1_700_000_000_123.9, -0.5, -1_000.5].map(utc)).toEqual([
    '2023-11-14T22:13:20.123Z',
    '1970-01-01T00:00:00.000Z',
    '1969-12-31T23:59:59.000Z',
  ]);
});

it.each([first - 1, last + 1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a clock that says %d', (ms) => {
  expect(() => utc(ms)).toThrow(/no time of the years 1 to 9999/);
});
