/**
 * Classifiers of suspected personal and health data, for rules that read `labels`. They suspect, they do not know: names and
 * street addresses they do not see, and a number that fits by chance they take for one. Pure.
 */
import { cardsIn } from './card.ts';
import { healthDataIn } from './health.ts';
import { ibansIn } from './iban.ts';
import { addressesIn, birthDatesIn, phonesIn, securityNumbersIn } from './person.ts';
import { type Label, labels, type Span, type Suspicion } from './suspicion.ts';

/** Of a text that is classified; a longer one is not read in part, because the rest could be what matters. */
export const classifiedCharsMax = 8_388_608;
/** Of each kind, in one text. */
const placesMax = 4_096;

const finders: readonly (readonly [Label, (text: string) => Generator<Span>])[] = [
  ['pii.iban', ibansIn],
  ['pii.card', cardsIn],
  ['pii.email', addressesIn],
  ['pii.phone', phonesIn],
  ['pii.ssn', securityNumbersIn],
  ['pii.birth_date', birthDatesIn],
];

/** The places of a text that are suspected, by label and then by place. Throws `RangeError` where it is too long. */
export function suspicionsIn(text: string): Suspicion[] {
  if (text.length > classifiedCharsMax)
    throw new RangeError(
      `labels cannot be read: the text has ${text.length} characters; classifiers take ${classifiedCharsMax}`,
    );
  const found: Suspicion[] = finders.flatMap(([label, find]) => placesOf(text, label, find(text)));
  const people = found.toSorted((a, b) => a.start - b.start);
  return [...found, ...placesOf(text, 'health.data', healthDataIn(text, people))];
}

/** The first places of a kind; the last of very many is all that is left of the text. */
function placesOf(text: string, label: Label, spans: Iterable<Span>): Suspicion[] {
  const places: Suspicion[] = [];
  for (const { start, end } of spans) {
    const isLast = places.length + 1 === placesMax;
    places.push({ label, start, end: isLast ? text.length : end });
    if (isLast) break;
  }
  return places;
}

/** What is suspected in a text, each label once, in the order of the closed set. */
export function labelsIn(text: string): readonly Label[] {
  const found = new Set(suspicionsIn(text).map(({ label }) => label));
  return labels.filter((label) => found.has(label));
}
