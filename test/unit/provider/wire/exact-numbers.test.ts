import { expect, it } from 'vitest';
import { firstInexactNumber } from '../../../../src/provider/wire/exact-numbers.ts';

it.each(['9007199254740993', '-12345678901234567890', '1e400', '1e-400', '0.1234567890123456789'])(
  'finds %s, which a double does not keep, among others',
  (number) => {
    expect(firstInexactNumber(number)).toBe(number);
    expect(firstInexactNumber(`{"a":[1,2.50,{"b":${number}}],"c":1e999}`)).toBe(number);
  },
);

it.each([
  '0',
  '-0',
  '0.0e5',
  '1.0',
  '100',
  '1e2',
  '1E+2',
  '0.10',
  '25000.00',
  '9007199254740992',
  '1e22',
  '2.5e-7',
])('leaves %s, whose value is kept however it is spelt', (number) => {
  expect(firstInexactNumber(number)).toBe('');
  expect(firstInexactNumber(`[${number},{"a":${number}}]`)).toBe('');
});

it('reads no digits of texts and keys', () => {
  expect(firstInexactNumber('{"9007199254740993":"a \\" 9007199254740993","b":"\\\\"}')).toBe('');
});

it('takes no pains over a spelling that goes on and on', () => {
  const long = `1${'0'.repeat(1_000_000)}1`;
  expect(firstInexactNumber(`[${long}]`)).toBe(long);
});
