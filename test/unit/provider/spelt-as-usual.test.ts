/** Where writing a parsed text back would respell a number, and where not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSpeltAsUsual } from '../../../src/provider/amending/amendment.ts';

test.each([
  ['{"a":1,"b":[-2,0.5,1e+21],"c":"1.0"}', true],
  ['{"1.0":"12345678901234567890"}', true],
  ['{"a":1.0}', false],
  ['{"a":12345678901234567890}', false],
  ['[1E3]', false],
  ['[-0]', false],
  ['{"a":"\\\\","b":1.50}', false],
])('%s: %s', (text, expected) => {
  expect(isSpeltAsUsual(text)).toBe(expected);
});

test('whatever JSON.stringify has written is spelt as usual', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(isSpeltAsUsual(JSON.stringify(value))).toBe(true);
    }),
  );
});
