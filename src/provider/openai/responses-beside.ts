/**
 * What a streamed response says beside its items, where single clients take it up: the parts of messages as they begin and
 * end, what is spoken, and the ids of the items that its events are of. Pure.
 */
import { joined, note, openSaidBefore } from '../reading/reading.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { type OutputSaid, saidInPart } from './responses.ts';
import { type ItemInProgress, toldOtherwise } from './responses-items.ts';

const partCharsMax = 16 * 1024 * 1024;

export interface PartsSaid {
  /** Takes in what a part says as it begins or ends. */
  absorb(value: JsonRecord): void;
  /** Takes in what a piece of no item says, such as of the transcript of what is spoken. */
  hear(subject: string, value: JsonRecord): void;
  /** What the answer says, with what its parts alone say. */
  unitedWith(said: OutputSaid): OutputSaid;
}

/** Thinking is no answer, whatever it is told in, and sound has no words. */
const wordless = /reasoning|^response\.audio$/;

export function openPartsSaid(defects: string[]): PartsSaid {
  const texts = new Set<string>();
  const running = new Map<string, string>();
  let chars = 0;

  function fits(said: string): boolean {
    chars += said.length;
    if (chars > partCharsMax) note(defects, `parts of more than ${partCharsMax} characters`);
    return chars <= partCharsMax;
  }

  return {
    absorb({ part }) {
      if (!isRecord(part) || part.type === 'reasoning_text') return;
      const { text, refusal } = saidInPart(part);
      for (const one of [text, refusal]) {
        if (one !== '' && !texts.has(one) && fits(one)) texts.add(one);
      }
    },
    hear(subject, value) {
      const said = textOf(value.delta);
      if (said === '' || wordless.test(subject) || !fits(said)) return;
      running.set(subject, (running.get(subject) ?? '') + said);
    },
    unitedWith(said) {
      const isSaid = openSaidBefore();
      const isRefusal = openSaidBefore();
      const alone = [...texts, ...running.values()].filter(
        (text) => !isSaid(said.text, text) && !isRefusal(said.refusal, text),
      );
      return { ...said, text: alone.reduce(joined, said.text) };
    },
  };
}

export interface NamedItems {
  /** Takes in of which item an event says to be. */
  hear(value: JsonRecord): void;
  /** Notes where that is another item than the one in its place: some clients go by the id, others by the place. */
  check(items: ReadonlyMap<number, ItemInProgress>): void;
}

export function openNamedItems(defects: string[]): NamedItems {
  const placeOf = new Map<string, number>();
  return {
    hear({ item_id: id, output_index: place }) {
      if (textOf(id) === '' || typeof place !== 'number') return;
      if ((placeOf.get(textOf(id)) ?? place) !== place) note(defects, toldOtherwise);
      placeOf.set(textOf(id), place);
    },
    check(items) {
      for (const [place, { item }] of items)
        if ((placeOf.get(textOf(item?.id)) ?? place) !== place) note(defects, toldOtherwise);
    },
  };
}
