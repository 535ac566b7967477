/** Payment card numbers (ISO/IEC 7812): an issuer's beginning with a length it issues, and Luhn's check digit. Linear. Pure. */
import type { Span } from './suspicion.ts';

/** Digits in groups, one separator between two. Never entered again within: what comes before is no part of a number. */
const runs = /(?<![A-Za-z0-9])[0-9]+(?:[ \u00a0-][0-9]+)*(?![A-Za-z0-9])/g;
const digitsMin = 13;
const digitsMax = 19;
/** A list of small numbers is no card. */
const groupDigitsMin = 3;

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
    const groups = groupsOf(run);
    for (let first = 0; first < groups.length; first++) {
      const last = cardFrom(groups, first);
      if (last === null) continue;
      const { end } = groups[last] ?? { end: run.length };
      yield { start: index + (groups[first]?.start ?? 0), end: index + end };
      first = last;
    }
  }
}

interface Group extends Span {
  readonly digits: string;
}

function groupsOf(run: string): Group[] {
  return [...run.matchAll(/[0-9]+/g)].map(({ index, 0: digits }) => ({
    start: index,
    end: index + digits.length,
    digits,
  }));
}

/** The last group of a card number that begins with group `first`; null where none does. */
function cardFrom(groups: readonly Group[], first: number): number | null {
  let number = '';
  for (let at = first; at < groups.length; at++) {
    const digits = groups[at]?.digits ?? '';
    if (digits.length < groupDigitsMin || number.length + digits.length > digitsMax) return null;
    number += digits;
    if (number.length >= digitsMin && isCard(number)) return at;
  }
  return null;
}

function isCard(number: string): boolean {
  const isIssued = issuers.some(
    ({ begins, digits }) => digits.includes(number.length) && begins.test(number),
  );
  return isIssued && hasCheckDigit(number);
}

/** Luhn: every second digit from the right counts double, its own digits added up. */
function hasCheckDigit(number: string): boolean {
  let sum = 0;
  for (let i = 0; i < number.length; i++) {
    const digit = Number(number.charAt(number.length - 1 - i));
    const counted = i % 2 === 0 ? digit : 2 * digit;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}
