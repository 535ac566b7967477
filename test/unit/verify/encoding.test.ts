import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexEquals, toHex } from '../../../src/ledger/verify/encoding.ts';

describe('comparing hex with bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });

  it('finds bytes equal to their own lower-case hex', () => {
    fc.assert(fc.property(bytes, (some) => hexEquals(toHex(some), some)));
  });

  it('finds them different from any other text, whatever characters it has', () => {
    const anyUnit = fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit));
    const nonEmpty = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(nonEmpty, fc.nat(), anyUnit, (some, place, unit) => {
        const hex = toHex(some);
        const at = place % hex.length;
        fc.pre(hex[at] !== unit);
        expect(hexEquals(hex.slice(0, at) + unit + hex.slice(at + 1), some)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['upper case', 'AB', [0xab]],
    ['a digit whose upper byte would fall on its neighbour', '0\u0131', [0x11]],
    ['one byte less', 'ab', [0xab, 0xcd]],
    ['half a byte more', 'abc', [0xab]],
  ])('finds them different from %s', (_, hex, some) => {
    expect(hexEquals(hex, Uint8Array.from(some))).toBe(false);
  });
});
