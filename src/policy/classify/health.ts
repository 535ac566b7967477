/**
 * Health data: words of illness and treatment, or a code of ICD-10, near something that leads to a person; or the number of
 * a medical record, which is both. A medical question that names nobody is none. English and German. Linear. Pure.
 */
import { type Span, spansOf } from './suspicion.ts';

/** How far from each other a person and an illness may stand to be about each other. */
export const nearCharsMax = 2_000;

const recordNumber =
  /\b(?:mrn|medical record (?:number|no|id)|patient(?:en)?[ _-]?(?:id|number|no|nummer|nr)|health insurance (?:number|no|id)|nhs (?:number|no)|versichertennummer|krankenversicherungsnummer)\b[^0-9\n]{0,12}[A-Za-z]{0,3}[0-9][0-9A-Za-z -]{3,20}/gi;

const term =
  /\b(?:diagnos(?:is|es|ed|e|en|tiziert)|patients?\b(?! with me)|patient(?:in|en|innen)|prescri(?:bed|ption|ptions)|medications?|medikament(?:e|en)?|symptom(?:s|e|en)?|therap(?:y|ies|ie|ien)|chemotherapy|chemotherapie|surgery|biopsy|biopsie|oncology|onkologie|psychiatr(?:y|ic|ist|ie|isch)|depression|schizophrenia|bipolar disorder|diabet(?:es|ic)|cancer|krebs|tumou?rs?|carcinoma|leuk(?:emia|\u00e4mie)|hiv|aids|hepatitis|epilepsy|epilepsie|asthma|pregnan(?:t|cy)|schwanger(?:schaft)?|miscarriage|blood (?:pressure|type|sugar)|blutdruck|krankmeldung|krankschreibung|arbeitsunf\u00e4hig(?:keit)?|allerg(?:y|ies|ic|ie|ien)|insulin|antidepressants?|discharge summary|arztbrief|befund)\b|\b[A-TV-Z][0-9][0-9AB]\.[0-9A-TV-Z]{1,4}\b|\b(?:icd(?:-?10)?|dx|diagnosis code)\b[^\n]{0,12}?\b[A-TV-Z][0-9][0-9AB]\b/gi;

/** Places of health data: the word, or the number, that makes it so. `people` are places that lead to somebody, in order. */
export function* healthDataIn(text: string, people: readonly Span[]): Generator<Span> {
  yield* spansOf(text, recordNumber);
  if (people.length === 0) return;
  let next = 0;
  for (const span of spansOf(text, term)) {
    // The first that is not too far before; whoever is nearer comes after it.
    while (next < people.length && (people[next]?.end ?? 0) + nearCharsMax < span.start) next += 1;
    const nearest = people[next];
    if (nearest !== undefined && nearest.start <= span.end + nearCharsMax) yield span;
  }
}
