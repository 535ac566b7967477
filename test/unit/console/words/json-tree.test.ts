import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countOf,
  groupedNumber,
  laidOut,
  printJson,
  readJson,
} from '../../../../src/console/words/json-tree.ts';

describe('JSON as it was sent', () => {
  it('keeps the spelling of numbers that this browser could not hold', () => {
    expect(laidOut('{"id":12345678901234567890,"rate":1.0}')).toBe(
      '{\n  "id": 12345678901234567890,\n  "rate": 1.0\n}',
    );
  });

  it('shows both values of a repeated name and says so', () => {
    const tree = readJson('{"to":"a","to":"b","x":1}');
    expect(tree?.kind === 'object' && tree.members.map(({ name, repeated }) => [name, repeated])).toEqual([
      ['to', true],
      ['to', true],
      ['x', false],
    ]);
  });

  it.each(['', '{', '{"a":}', 'nope', '[1,]', '{"a":1} x'])('reads %j as no JSON', (source) => {
    expect(readJson(source)).toBeNull();
  });

  it('does not lay out what is nested without end', () => {
    expect(readJson('['.repeat(5000) + ']'.repeat(5000))).toBeNull();
  });

  it('keeps a name that means something to the language', () => {
    expect(laidOut('{"__proto__":{"x":1}}')).toContain('"__proto__"');
  });

  it('prints any value so that it reads back the same', () => {
    fc.assert(
      fc.property(fc.json(), (source) => {
        const tree = readJson(source);
        expect(tree).not.toBeNull();
        if (tree !== null) expect(JSON.parse(printJson(tree))).toEqual(JSON.parse(source));
      }),
    );
  });
});

describe('how many values a JSON text has inside', () => {
  it.each([
    ['1', 0],
    ['[]', 0],
    ['[1,"a",null]', 3],
    ['{"a":{"b":[true,{}]},"a":1}', 5],
  ])('%s has %i', (source, count) => {
    const tree = readJson(source);
    expect(tree && countOf(tree)).toBe(count);
  });
});

describe('numbers that are easy to misread', () => {
  it.each([
    ['25000', '25,000'],
    ['-1000000.5', '-1,000,000.5'],
    ['9999', ''],
    ['1e9', ''],
    ['12345678901234567890', ''],
  ])('groups %s as %j', (text, shown) => {
    expect(groupedNumber(text)).toBe(shown);
  });
});
