/**
 * What classifiers say: that a place in a text is suspected of being personal or health data. Never the text itself, so
 * that a suspicion can be recorded and shown where the data may not. Pure.
 */

/** A closed set: rules ask for these by name, and a fixture that names another does not load. */
export const labels = [
  'pii.iban',
  'pii.card',
  'pii.email',
  'pii.phone',
  'pii.ssn',
  'pii.birth_date',
  'health.data',
] as const;
export type Label = (typeof labels)[number];

/** What stands between the groups of a number, as people and models write it; models like the ones that keep it on one line. */
export const spaces = ' \u00a0\u2007\u2009\u202f';
/** Likewise. In a pattern's character class these come last: their last is the hyphen. */
export const dashes = '\u2010\u2011\u2012\u2013\u2014\u2015\u2212-';

/** A place in a text: UTF-16 offsets, the end not included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Suspicion extends Span {
  readonly label: Label;
}

/** The whole matches of a global pattern, in order. */
export function* spansOf(text: string, pattern: RegExp): Generator<Span> {
  for (const { index, 0: found } of text.matchAll(pattern)) yield { start: index, end: index + found.length };
}
