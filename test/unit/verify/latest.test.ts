import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLatest } from '../../../src/ledger/verify/latest.ts';

const max = 8;

test('it is a map of the keys that came last', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 60 }), (keys) => {
      const latest = createLatest<number>(max);
      const model = new Map<number, number>();
      for (const [index, key] of keys.entries()) {
        latest.set(key, index);
        model.set(key, index);
        const [first] = model.keys();
        if (model.size > max && first !== undefined) model.delete(first);
        const [oldest] = model.keys();
        expect(latest.oldest()).toBe(oldest);
        expect(latest.size).toBe(model.size);
        for (let one = 0; one <= 20; one += 1) {
          expect(latest.get(one)).toBe(model.get(one));
          expect(latest.has(one)).toBe(model.has(one));
        }
      }
    }),
  );
});

test('one more key costs as much with a full memory as with an empty one', () => {
  const full = 65_536;
  const latest = createLatest<true>(full);
  const timed = (from: number): number => {
    const began = process.cpuUsage();
    for (let key = from; key < from + full; key += 1) latest.set(key, true);
    const { user, system } = process.cpuUsage(began);
    return user + system;
  };
  timed(0);
  // Deleting at the front of a Map and asking it for its first key took seconds here, not milliseconds.
  expect(timed(full) + timed(2 * full)).toBeLessThan(1_000_000);
});
