/**
 * Servers that only write down what they hear, on a connection as the Realtime API's: Mistral's
 * (https://docs.mistral.ai/capabilities/audio_transcription/realtime_transcription) and vLLM's
 * (https://docs.vllm.ai/en/latest/serving/openai_compatible_server). What they write is their answer, from its first piece
 * to `transcription.done`, which repeats the pieces as one text. Pure.
 */
import type { UsageFacts } from '../../core/facts.ts';
import { readChatUsage } from '../openai/chat.ts';
import type { ResponseReading } from '../protocol.ts';
import { joined, note, unreadResponse, usageAbsent } from '../reading/reading.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import type { ServerReading } from './dialect.ts';
import { besideAnswers } from './reading.ts';

const okStatus = 200;
const textCharsMax = 4 * 1024 * 1024;

export interface Transcriptions {
  absorb(type: string, value: JsonRecord): ServerReading;
  /** Null for an answer that is no transcription. */
  reading(answer: string): ResponseReading | null;
  /** Of that answer; of any other, nobody's. */
  defects(answer: string): string[];
  settle(answer: string): void;
}

interface Transcription {
  pieces: string;
  segments: string;
  /** Segments as the last event lists them. */
  listed: string;
  whole: string;
  model: string;
  usage: UsageFacts;
  readonly defects: string[];
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const segmentText = (segment: unknown): string => (isRecord(segment) ? textOf(segment.text) : '');

function absorbInto(one: Transcription, type: string, value: JsonRecord): ServerReading['kind'] {
  switch (type) {
    case 'transcription.delta':
      one.pieces += textOf(value.delta);
      return 'text';
    case 'transcription.text.delta':
      one.pieces += textOf(value.text);
      return 'text';
    case 'transcription.segment':
      one.segments = joined(one.segments, textOf(value.text));
      return 'text';
    case 'transcription.language':
      return 'other';
    case 'transcription.done':
      one.whole = textOf(value.text);
      one.listed = listOf(value.segments).map(segmentText).reduce(joined, '');
      one.model = textOf(value.model);
      one.usage = readChatUsage(value.usage);
      return 'text';
    default:
      return 'tool';
  }
}

const spaced = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Speech has no tool calls, so that where the texts differ rules see each of them. Between segments nobody says what stands. */
function textIn({ pieces, segments, listed, whole }: Transcription): string {
  const texts = whole.trim() === pieces.trim() ? [pieces] : [pieces, whole];
  for (const said of [segments, listed])
    if (!texts.some((text) => spaced(text) === spaced(said))) texts.push(said);
  return texts.reduce(joined, '');
}

export function createTranscriptions(): Transcriptions {
  const known = new Map<string, Transcription>();
  let begun = 0;
  let current: readonly [string, Transcription] | null = null;

  function begin(): readonly [string, Transcription] {
    begun += 1;
    const defects: string[] = [];
    const one = { pieces: '', segments: '', listed: '', whole: '', model: '', usage: usageAbsent, defects };
    const answer = `#transcription ${begun}`;
    known.set(answer, one);
    return [answer, one];
  }

  return {
    absorb(type, value) {
      current ??= begin();
      const [answer, one] = current;
      const ends = type === 'transcription.done';
      if (ends) current = null;
      const isTooMuch = one.pieces.length + one.segments.length > textCharsMax;
      if (isTooMuch) note(one.defects, `a transcription of more than ${textCharsMax} characters`);
      return { ...besideAnswers, kind: isTooMuch ? 'tool' : absorbInto(one, type, value), answer, ends };
    },
    reading(answer) {
      const one = known.get(answer);
      if (one === undefined) return null;
      const { model, usage, defects } = one;
      const facts = { ...unreadResponse(okStatus, '').facts, model, usage, text: textIn(one) };
      return { facts, defects, complete: current?.[0] !== answer, failed: false };
    },
    defects: (answer) => known.get(answer)?.defects ?? [],
    settle(answer) {
      known.delete(answer);
    },
  };
}
