import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changedLines,
  differenceOf,
  isChanged,
  type LineChange,
} from '../../../../src/console/words/difference.ts';

const without = (lines: readonly LineChange[], kind: LineChange['kind']): string =>
  lines
    .filter((line) => line.kind !== kind)
    .map(({ parts }) => parts.map(({ text }) => text).join(''))
    .join('\n');

describe('the difference of two texts', () => {
  it('marks the words of a line that changed', () => {
    const lines = differenceOf('{\n  "amount": 25000,\n}', '{\n  "amount": 2500,\n}');
    expect(lines.map(({ kind }) => kind)).toEqual(['same', 'removed', 'added', 'same']);
    expect(lines[1]?.parts.filter(({ kind }) => kind === 'removed')).toEqual([
      { kind: 'removed', text: '25000' },
    ]);
  });

  it('gives both texts back, whatever they are', () => {
    const text = fc.array(fc.constantFrom('a', 'b b', 'c', '', '\u202E'), { maxLength: 12 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [before, after] = [a.join('\n'), b.join('\n')];
        const lines = differenceOf(before, after);
        expect(without(lines, 'added')).toBe(before);
        expect(without(lines, 'removed')).toBe(after);
        expect(isChanged(lines)).toBe(before !== after);
      }),
    );
  });

  it('stays quick on large texts that have nothing in common', () => {
    const before = Array.from({ length: 20_000 }, (_, i) => `a${i}`).join('\n');
    const after = Array.from({ length: 20_000 }, (_, i) => `b${i}`).join('\n');
    expect(without(differenceOf(before, after), 'added')).toBe(before);
  });

  it('has no line where nothing changed', () => {
    expect(changedLines('same', 'same')).toEqual([]);
    expect(changedLines('same', 'other')).toHaveLength(2);
  });

  it('is not made of more than a page compares in time', () => {
    const half = 'x'.repeat(200_000);
    expect(changedLines(half, half)).toEqual([]);
    expect(changedLines(half, `${half}y`)).toBeNull();
  });
});
