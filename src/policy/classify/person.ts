/**
 * What leads to a person and has no check digit: by its form where that is unmistakable, otherwise only behind a word that
 * says what it is. Every repetition is bounded and no pattern begins anew within its own characters: linear. Pure.
 */
import { dashes, type Span, spaces, spansOf } from './suspicion.ts';

const address =
  /(?<![\w.+%-])(?!git@)[\w.+%-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}(?!(?:png|jpe?g|gif|webp|svg|css|js|ts|json)\b)[A-Za-z]{2,24}(?![\w-])/g;

const within = `[${spaces}()./${dashes}]{0,3}`;
/** E.164 as people write it. */
const international = new RegExp(`(?<![\\w+])\\+[1-9](?:${within}[0-9]){7,14}(?![0-9])`, 'g');
const nationalNumber = new RegExp(
  `\\b(?:phone|tel(?:ephone|efon)?|mobile|cell|handy|fax|call (?:me|him|her|them) (?:at|on))\\b[^0-9\\n]{0,20}[0-9](?:${within}[0-9]){6,14}(?![0-9])`,
  'gi',
);

/** Of the United States; no part is all zeros, and the first is none of those never issued. */
const securityNumber = new RegExp(
  `(?<![\\w${dashes}])(?!000|666|9)[0-9]{3}[${dashes}](?!00)[0-9]{2}[${dashes}](?!0000)[0-9]{4}(?![\\w${dashes}])`,
  'g',
);
const namedSecurityNumber = new RegExp(
  `\\b(?:ssn|social security (?:number|no))\\b[^0-9\\n]{0,20}(?!000|666|9)[0-9]{3}[${spaces}]?(?!00)[0-9]{2}[${spaces}]?(?!0000)[0-9]{4}(?![0-9])`,
  'gi',
);

const month = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|m\u00e4r|mai|okt|dez)[a-z]{0,9}\\.?';
const birthDate = new RegExp(
  `(?:\\b(?:born|birth ?da(?:te|y)|date[ _]of[ _]birth|birth_date|dob|d\\.o\\.b|geboren|geburtsdatum|geb\\.))[^0-9\\n]{0,20}?(?:[0-9]{1,4}[./${dashes}][0-9]{1,2}[./${dashes}][0-9]{1,4}|[0-9]{1,2}\\.? (?:of )?${month} [0-9]{4}|${month} [0-9]{1,2},? [0-9]{4})(?![0-9])`,
  'gi',
);

export function addressesIn(text: string): Generator<Span> {
  return spansOf(text, address);
}

export function* phonesIn(text: string): Generator<Span> {
  yield* spansOf(text, international);
  yield* spansOf(text, nationalNumber);
}

export function* securityNumbersIn(text: string): Generator<Span> {
  yield* spansOf(text, securityNumber);
  yield* spansOf(text, namedSecurityNumber);
}

export function birthDatesIn(text: string): Generator<Span> {
  return spansOf(text, birthDate);
}
