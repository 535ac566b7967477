/**
 * One response of the Realtime API: its events, renamed where the responses API has another word for the same, go
 * through that API's reader; what is spoken, and what the conversation repeats of it, is compared on top. Pure.
 */
import type { ResponseFacts } from '../../core/facts.ts';
import { isCallItem, readOutput } from '../openai/responses.ts';
import { createResponsesStreamReader } from '../openai/responses-stream.ts';
import type { ResponseReading } from '../protocol.ts';
import { joined, note, openSaidBefore } from '../reading/reading.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import type { ServerReading } from './dialect.ts';

export interface RealtimeAnswer {
  readonly defects: string[];
  absorb(type: string, value: JsonRecord): ServerReading['kind'];
  /** The conversation's own word on an item of this answer: what it says besides is part of what the answer says. */
  echo(item: JsonRecord): void;
  /** True when one of its items has this item's id. */
  has(item: JsonRecord): boolean;
  /** True when it says exactly this: makes this call, or has these words in the item of this id. */
  repeats(item: JsonRecord): boolean;
  /** Its calls and its messages. */
  items(): readonly JsonRecord[];
  /** The response object as last sent. */
  response(): JsonRecord;
  reading(): ResponseReading;
}

const okStatus = 200;
const echoesMax = 4_000;
const spokenBytesMax = 4 * 1024 * 1024;

/** Sound and its transcript; text under the name it had before the API was final. */
const playedSubjects: ReadonlySet<string> = new Set([
  'response.output_audio',
  'response.audio',
  'response.output_audio_transcript',
  'response.audio_transcript',
]);
const transcriptSubjects: ReadonlySet<string> = new Set([
  'response.output_audio_transcript',
  'response.audio_transcript',
]);

const typeByStatus: Readonly<Record<string, string>> = {
  failed: 'response.failed',
  incomplete: 'response.incomplete',
  cancelled: 'response.incomplete',
};

/** What a message says or refuses, as rules read it; '' for one that has just begun. */
export function wordsOf(item: JsonRecord): string {
  const { text, refusal } = readOutput([item], []);
  return joined(text, refusal);
}

/** Which tool a call is of, and whose. */
export function toolOf({ type, name, namespace, server_label: server }: JsonRecord): string {
  return JSON.stringify([type, name, namespace ?? null, server ?? null]);
}

/** What a call hands to its tool. */
export function handedTo({ arguments: written, input }: JsonRecord): string {
  return JSON.stringify([written ?? null, input ?? null]);
}

export function openAnswer(): RealtimeAnswer {
  const reader = createResponsesStreamReader(okStatus);
  const { defects } = reader;
  const echoes: JsonRecord[] = [];
  /** Calls that are complete as they begin, which OpenAI's agents carry out at once. */
  const begunWhole: JsonRecord[] = [];
  const spoken = new Map<string, string>();
  const repeated = new Set<string>();
  let spokenBytes = 0;
  let response: JsonRecord = {};

  function hearSpoken(subject: string, value: JsonRecord): void {
    const whole = transcriptSubjects.has(subject) ? textOf(value.transcript) : '';
    if (whole !== '' && !repeated.has(whole) && fits(whole)) repeated.add(whole);
    const delta = textOf(value.delta);
    if (!transcriptSubjects.has(subject) || delta === '' || !fits(delta)) return;
    const key = `${textOf(value.item_id)}.${Number(value.content_index ?? 0)}`;
    spoken.set(key, (spoken.get(key) ?? '') + delta);
  }

  /** Counts words that are kept beside the answer's items. */
  function fits(words: string): boolean {
    spokenBytes += words.length;
    if (spokenBytes <= spokenBytesMax) return true;
    note(defects, `more than ${spokenBytesMax} characters were spoken`);
    return false;
  }

  function items(): readonly JsonRecord[] {
    return [...reader.output().values()].filter(({ type }) => type === 'message' || isCallItem(textOf(type)));
  }

  function calls(): readonly JsonRecord[] {
    return items().filter(({ type }) => type !== 'message');
  }

  function has(item: JsonRecord): boolean {
    return [...reader.output().values()].some((own) => own.id !== undefined && own.id === item.id);
  }

  /** The answer's text, with what was said of it elsewhere alone. */
  function textOfAll({ text, refusal }: Pick<ResponseFacts, 'text' | 'refusal'>): string {
    const isSaid = openSaidBefore();
    const isRefusal = openSaidBefore();
    let all = text;
    // What was cut short is in the deltas alone.
    for (const said of [...spoken.values(), ...repeated])
      if (!isSaid(all, said) && !isRefusal(refusal, said)) all = joined(all, said);
    return all;
  }

  function sameCall(a: JsonRecord, b: JsonRecord): boolean {
    return a.id === b.id && a.call_id === b.call_id && toolOf(a) === toolOf(b);
  }

  /** Some clients believe the response, some the conversation. */
  function compareEchoes(): void {
    const asked = calls();
    for (const echo of echoes) {
      const unfinished = echo.status === 'in_progress' || textOf(echo.arguments ?? echo.input) === '';
      const same = asked.some(
        (call) => sameCall(call, echo) && (unfinished || handedTo(call) === handedTo(echo)),
      );
      if (!same) note(defects, 'the conversation has another tool call than the response');
    }
    for (const begun of begunWhole)
      if (!asked.some((call) => sameCall(call, begun) && handedTo(call) === handedTo(begun)))
        note(defects, 'a tool call is complete as it begins, and ends as another');
  }

  return {
    defects,
    absorb(type, value) {
      if (type === 'response.done') {
        const done = isRecord(value.response) ? value.response : {};
        response = done;
        const kind = reader.absorb('', {
          ...value,
          type: typeByStatus[textOf(done.status)] ?? 'response.completed',
        });
        return kind === 'tool' ? 'tool' : 'other';
      }
      const { item } = value;
      const isBegun = type === 'response.output_item.added' && isRecord(item) && item.status === 'completed';
      if (isBegun && isCallItem(textOf(item.type))) begunWhole.push(item);
      const dot = type.lastIndexOf('.');
      const subject = type.slice(0, dot);
      if (playedSubjects.has(subject)) {
        hearSpoken(subject, value);
        return 'text';
      }
      // The name that text had in the beta.
      const named = subject === 'response.text' ? `response.output_text${type.slice(dot)}` : type;
      const kind = reader.absorb('', named === type ? value : { ...value, type: named });
      return kind === 'tool' || kind === 'text' ? kind : 'other';
    },
    echo(item) {
      if (!isCallItem(textOf(item.type))) {
        const words = wordsOf(item);
        if (words !== '' && !repeated.has(words) && fits(words)) repeated.add(words);
      } else if (echoes.length < echoesMax) echoes.push(item);
      else note(defects, `the conversation repeats more than ${echoesMax} tool calls`);
    },
    has,
    repeats(item) {
      if (isCallItem(textOf(item.type)))
        return calls().some((call) => sameCall(call, item) && handedTo(call) === handedTo(item));
      const { facts } = reader.reading();
      return has(item) && joined(textOfAll(facts), facts.refusal).includes(wordsOf(item));
    },
    items,
    response: () => response,
    reading() {
      compareEchoes();
      const reading = reader.reading();
      return { ...reading, facts: { ...reading.facts, text: textOfAll(reading.facts) } };
    },
  };
}
