/** Payment card numbers (ISO/IEC 7812): an issuer's beginning with a length it issues, and Luhn's check digit. Linear. Pure. */
import { dashes, type Span, spaces } from './suspicion.ts';

const digitsMin = 13;
const digitsMax = 19;
/**
 * Digits in groups, one separator between two; shorter groups are no part of a card. With one dot it would be a fraction:
 * those have two at least. Never entered again within.
 */
const runs = new RegExp(
  `(?<![A-Za-z0-9])(?:[0-9]{3,7}(?:\\.[0-9]{3,7}){2,4}|[0-9]{3,19}(?:[${spaces}${dashes}][0-9]{3,19})*)(?![A-Za-z0-9])`,
  'g',
);

const issuers: readonly { readonly begins: RegExp; readonly digits: readonly number[] }[] = [
  { begins: /^4/, digits: [13, 16, 19] },
  { begins: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, digits: [16] },
  { begins: /^3[47]/, digits: [15] },
  { begins: /^(6011|65|64[4-9]|62)/, digits: [16, 17, 18, 19] },
  { begins: /^(30[0-5]|3[689])/, digits: [14, 15, 16, 17, 18, 19] },
  { begins: /^35(2[89]|[3-8])/, digits: [16, 17, 18, 19] },
  { begins: /^(5018|5020|5038|5893|6304|6759|676[1-3])/, digits: [13, 14, 15, 16, 17, 18, 19] },
];

/** Places of valid card numbers, also in a row with other numbers. */
export function* cardsIn(text: string): Generator<Span> {
  for (const { index, 0: run } of text.matchAll(runs)) {
    if (run.length < digitsMin) continue;
    const groups = run.split(/[^0-9]/);
    let start = index;
    for (let first = 0; first < groups.length; ) {
      const last = cardFrom(groups, first);
      // One separator stands between two groups, and behind what is looked at.
      const length = groups.slice(first, Math.max(first, last) + 1).join(' ').length;
      if (last !== -1) yield { start, end: start + length };
      start += length + 1;
      first = Math.max(first, last) + 1;
    }
  }
}

/** The last group of a card number that begins with group `first`; -1 where none does. */
function cardFrom(groups: readonly string[], first: number): number {
  let number = '';
  for (let at = first; at < groups.length; at++) {
    number += groups[at] ?? '';
    if (number.length > digitsMax) return -1;
    if (number.length >= digitsMin && isCard(number)) return at;
  }
  return -1;
}

function isCard(number: string): boolean {
  if (!hasCheckDigit(number)) return false;
  return issuers.some(({ begins, digits }) => digits.includes(number.length) && begins.test(number));
}

/** Luhn: every second digit from the right counts double, its own digits added up. */
function hasCheckDigit(number: string): boolean {
  let sum = 0;
  for (let i = 0; i < number.length; i++) {
    const digit = number.charCodeAt(number.length - 1 - i) - 0x30;
    const counted = i % 2 === 0 ? digit : 2 * digit;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}
