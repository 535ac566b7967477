/** Which numbers are taken for payment cards: by the beginnings of issuers (ISO/IEC 7812) and the lengths that each issues. */
import { describe, expect, it } from 'vitest';
import { labelsIn } from '../../../src/policy/classify/classify.ts';

/** A number of so many digits that begins so and has the check digit of Luhn; found by trying each. */
function cardOf(begins: string, digits: number): string {
  const body = begins.padEnd(digits - 1, '0');
  const sumOf = (number: string): number =>
    [...number].reverse().reduce((sum, digit, place) => {
      const counted = place % 2 === 0 ? Number(digit) : 2 * Number(digit);
      return sum + Math.floor(counted / 10) + (counted % 10);
    }, 0);
  const last = [...'0123456789'].find((digit) => sumOf(body + digit) % 10 === 0);
  return `${body}${last}`;
}

describe('a card is suspected by the number of', () => {
  it.each([
    ['Visa', ['4'], [13, 16, 19]],
    ['Mastercard', ['51', '55', '2221', '2229', '223', '229', '23', '26', '270', '271', '2720'], [16]],
    ['American Express', ['34', '37'], [15]],
    ['Discover', ['6011', '65', '644', '649'], [16, 19]],
    ['UnionPay', ['62'], [16, 17, 18, 19]],
    ['Diners Club', ['300', '305', '36', '38', '39'], [14, 16, 19]],
    ['JCB', ['3528', '3529', '353', '358'], [16, 19]],
    ['Maestro', ['5018', '5020', '5038', '5893', '6304', '6759', '6761', '6763'], [13, 16, 19]],
  ])('%s', (_issuer, beginnings, lengths) => {
    const numbers = beginnings.flatMap((begins) => lengths.map((digits) => cardOf(begins, digits)));
    expect(numbers.filter((number) => !labelsIn(`to ${number}.`).includes('pii.card'))).toEqual([]);
  });
});

describe('no card is suspected by a number', () => {
  it.each([
    [
      'that begins as those of no issuer',
      ['50', '2220', '2721', '306', '3527', '359', '643', '6012', '6764'],
      [16],
    ],
    ['of a length that its issuer does not have', ['4', '51', '34'], [14, 17]],
    ['that is shorter than any', ['4', '6304'], [12]],
  ])('%s', (_what, beginnings, lengths) => {
    const numbers = beginnings.flatMap((begins) => lengths.map((digits) => cardOf(begins, digits)));
    expect(numbers.filter((number) => labelsIn(`to ${number}.`).includes('pii.card'))).toEqual([]);
  });
});

it.each([
  ['spaces that keep it on one line', '4111\u00a01111\u00a01111\u00a01111'],
  ['narrow ones', '4111\u202f1111\u202f1111\u202f1111'],
  ['dashes that keep it on one line', '3714\u2011496353\u201198431'],
  ['long dashes', '4111\u20131111\u20131111\u20131111'],
  ['dots', 'card 4111.1111.1111.1111.'],
  ['dots, of three groups', '3714.496353.98431'],
  ['spaces, behind a number as long as a group', '123 4111 1111 1111 1111'],
])('a card is suspected in groups with %s', (_what, text) => {
  expect(labelsIn(text)).toEqual(['pii.card']);
});

it('a card is not suspected in a fraction', () => {
  expect(labelsIn('41111111.11111111 and 411111.1111111111')).toEqual([]);
});
