/**
 * One response of the Realtime API: its events, renamed where the responses API has another word for the same, go
 * through that API's reader; what is spoken, and what the conversation repeats of it, is compared on top. Pure.
 */
import { isRecord, type JsonRecord, textOf } from './json.ts';
import { isCallItem } from './openai-responses.ts';
import { createResponsesStreamReader } from './openai-responses-stream.ts';
import type { ResponseReading } from './protocol.ts';
import { joined, note } from './reading.ts';
import type { ServerReading } from './realtime.ts';

export interface RealtimeAnswer {
  readonly defects: string[];
  absorb(type: string, value: JsonRecord): ServerReading['kind'];
  /** The conversation's own word on a call of this answer. */
  echo(type: string, item: JsonRecord): void;
  /** True when one of its items has this item's id. */
  has(item: JsonRecord): boolean;
  /** True when it makes exactly this call. */
  asks(item: JsonRecord): boolean;
  calls(): readonly JsonRecord[];
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

export function openAnswer(): RealtimeAnswer {
  const reader = createResponsesStreamReader(okStatus);
  const { defects } = reader;
  const echoes: JsonRecord[] = [];
  const spoken = new Map<string, string>();
  let spokenBytes = 0;
  let response: JsonRecord = {};

  function hearSpoken(subject: string, value: JsonRecord): void {
    const delta = textOf(value.delta);
    if (!transcriptSubjects.has(subject) || delta === '') return;
    spokenBytes += delta.length;
    if (spokenBytes > spokenBytesMax) {
      note(defects, `more than ${spokenBytesMax} characters were spoken`);
      return;
    }
    const key = `${textOf(value.item_id)}.${Number(value.content_index ?? 0)}`;
    spoken.set(key, (spoken.get(key) ?? '') + delta);
  }

  function calls(): readonly JsonRecord[] {
    return [...reader.output().values()].filter((item) => isCallItem(textOf(item.type)));
  }

  function sameCall(a: JsonRecord, b: JsonRecord): boolean {
    return a.type === b.type && a.id === b.id && a.call_id === b.call_id && a.name === b.name;
  }

  /** Some clients believe the response, some the conversation. */
  function compareEchoes(): void {
    const asked = calls();
    for (const echo of echoes) {
      const unfinished = echo.status === 'in_progress' || textOf(echo.arguments) === '';
      const same = asked.some(
        (call) => sameCall(call, echo) && (unfinished || call.arguments === echo.arguments),
      );
      if (!same) note(defects, 'the conversation has another tool call than the response');
    }
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
    echo(_type, item) {
      if (echoes.length < echoesMax) echoes.push(item);
      else note(defects, `the conversation repeats more than ${echoesMax} tool calls`);
    },
    has: (item) => [...reader.output().values()].some((own) => own.id !== undefined && own.id === item.id),
    asks: (item) => calls().some((call) => sameCall(call, item) && call.arguments === item.arguments),
    calls,
    response: () => response,
    reading() {
      compareEchoes();
      const reading = reader.reading();
      let { text } = reading.facts;
      // What was cut short is in the deltas alone.
      for (const said of spoken.values()) if (!text.includes(said)) text = joined(text, said);
      return { ...reading, facts: { ...reading.facts, text } };
    },
  };
}
