/**
 * Servers that only write down what they hear, on a connection as the Realtime API's: Mistral's
 * (https://docs.mistral.ai/capabilities/audio_transcription/realtime_transcription) and vLLM's
 * (https://docs.vllm.ai/en/latest/serving/openai_compatible_server). What they write is their answer, from its first piece
 * to `transcription.done`, which repeats the pieces as one text. OpenAI's interpreter
 * (https://developers.openai.com/api/docs/guides/realtime-translation) says the same of each sentence without an end, so
 * that a sentence of it is an answer. Pure.
 */
import type { UsageFacts } from '../../core/facts.ts';
import { readChatUsage } from '../openai/chat.ts';
import type { ResponseReading } from '../protocol.ts';
import { joined, note, textWithin, unreadResponse, usageAbsent } from '../reading/reading.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import type { ServerReading } from './dialect.ts';
import { besideAnswers } from './reading.ts';

const okStatus = 200;
const textCharsMax = 4 * 1024 * 1024;
/** Of what is interpreted in one answer where no sentence ends, and of the sound of it. */
const sentenceCharsMax = 2_000;
const soundCharsMax = 1024 * 1024;
const sentenceEnd = /[.!?…。！？।؟]["'”’»)\]]*\s*$/;
const interpreted = 'session.output_';

/** Whether an event is about what is written down, or interpreted. */
export function isTranscribed(type: string): boolean {
  return type.startsWith('transcription.') || type.startsWith(interpreted) || type === 'session.closed';
}

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
  /** Characters of its sound. */
  sound: number;
  model: string;
  usage: UsageFacts;
  readonly defects: string[];
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const segmentText = (segment: unknown): string => (isRecord(segment) ? textOf(segment.text) : '');

function absorbInto(one: Transcription, type: string, value: JsonRecord): ServerReading['kind'] {
  switch (type) {
    case 'session.output_transcript.delta':
    case 'transcription.delta':
      one.pieces += textOf(value.delta);
      return 'text';
    case 'transcription.text.delta':
      one.pieces += textOf(value.text);
      return 'text';
    case 'transcription.segment':
      one.segments = joined(one.segments, textOf(value.text));
      return 'text';
    case 'session.output_audio.delta':
      one.sound += textOf(value.delta).length;
      return 'text';
    case 'session.closed':
    case 'transcription.language':
      return 'other';
    case 'transcription.done':
      one.whole = textOf(value.text);
      one.listed = listOf(value.segments).map(segmentText).reduce(joined, '');
      one.model = textOf(value.model);
      one.usage = readChatUsage(value.usage);
      return 'text';
    default: {
      const { type: _type, event_id: _eventId, ...said } = value;
      one.segments = joined(one.segments, textWithin(said));
      return 'tool';
    }
  }
}

function endsWith({ pieces, sound }: Transcription, type: string): boolean {
  if (!type.startsWith(interpreted)) return type === 'transcription.done' || type === 'session.closed';
  return sentenceEnd.test(pieces) || pieces.length > sentenceCharsMax || sound > soundCharsMax;
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
    const texts = { pieces: '', segments: '', listed: '', whole: '', model: '' };
    const one = { ...texts, sound: 0, usage: usageAbsent, defects };
    const answer = `#transcription ${begun}`;
    known.set(answer, one);
    return [answer, one];
  }

  return {
    absorb(type, value) {
      if (type === 'session.closed' && current === null) return besideAnswers;
      current ??= begin();
      const [answer, one] = current;
      const isTooMuch = one.pieces.length + one.segments.length > textCharsMax;
      if (isTooMuch) note(one.defects, `a transcription of more than ${textCharsMax} characters`);
      const kind = isTooMuch ? 'tool' : absorbInto(one, type, value);
      const ends = endsWith(one, type);
      if (ends) current = null;
      return { ...besideAnswers, kind, answer, ends };
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
