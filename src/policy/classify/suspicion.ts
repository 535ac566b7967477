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
