import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HoldSummary } from '../../../../src/console/answers/hold-data.ts';
import {
  cursorAfter,
  type Holds,
  isOutOfOrder,
  matchesFilter,
  movedCursor,
  orderAfter,
  sortedOrder,
} from '../../../../src/console/desk/queue.ts';
import { hold } from '../holds.ts';

const holdsOf = (...list: HoldSummary[]): Holds => new Map(list.map((one) => [one.id, one]));
const at = (id: string, expiresAtMs: number): HoldSummary => hold(id, { expiresAtMs });

describe('the order of the queue', () => {
  it('has the oldest deadline first and only what is pending', () => {
    const holds = holdsOf(at('late', 300), at('soon', 100), hold('ruled', { state: 'denied' }));
    expect(orderAfter([], holds, null)).toEqual(['soon', 'late']);
  });

  it('puts a new line with an earlier deadline below the cursor, and says that it is out of order', () => {
    const holds = holdsOf(at('a', 100), at('b', 200), at('c', 300), at('new', 50));
    const order = orderAfter(['a', 'b', 'c'], holds, 'b');
    expect(order).toEqual(['a', 'b', 'new', 'c']);
    expect(isOutOfOrder(order, holds)).toBe(true);
    expect(sortedOrder(holds)).toEqual(['new', 'a', 'b', 'c']);
    expect(isOutOfOrder(sortedOrder(holds), holds)).toBe(false);
  });

  it('never moves the line under the cursor when lines arrive', () => {
    const deadlines = fc.array(fc.nat(20), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(deadlines, deadlines, fc.nat(), (old, fresh, pick) => {
        const before = old.map((ms, i) => at(`old${i}`, ms));
        const shown = sortedOrder(holdsOf(...before));
        const cursor = shown[pick % shown.length] ?? null;
        const holds = holdsOf(...before, ...fresh.map((ms, i) => at(`new${i}`, ms)));
        const order = orderAfter(shown, holds, cursor);
        expect(order.indexOf(cursor ?? '')).toBe(shown.indexOf(cursor ?? ''));
        expect([...order].sort()).toEqual([...holds.keys()].sort());
      }),
    );
  });
});

describe('the cursor', () => {
  it('moves within the ends and starts at the top', () => {
    expect(movedCursor(['a', 'b'], null, 1)).toBe('a');
    expect(movedCursor(['a', 'b'], 'b', 1)).toBe('b');
    expect(movedCursor(['a', 'b'], 'b', -1)).toBe('a');
    expect(movedCursor([], null, 1)).toBeNull();
  });

  it('goes to the line that took the place of the one that left', () => {
    expect(cursorAfter(['a', 'b', 'c'], ['a', 'c'], 'b')).toBe('c');
    expect(cursorAfter(['a', 'b'], ['a'], 'b')).toBe('a');
    expect(cursorAfter(['a'], [], 'a')).toBeNull();
  });
});

describe('the filter', () => {
  it.each([
    ['transfer billing', true],
    ['HIGH', true],
    ['a rule', true],
    ['transfer payroll', false],
    ['', true],
  ])('%j finds the line: %s', (filter, found) => {
    expect(matchesFilter(hold('a'), filter)).toBe(found);
  });
});
