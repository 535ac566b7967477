/**
 * OpenAI transcriptions and translations of speech (https://platform.openai.com/docs/api-reference/audio): JSON,
 * bare text, subtitles, or a stream of pieces. Pure; hostile bytes in, facts and defects out.
 */
import { isUtf8 } from 'node:buffer';
import type { UsageFacts } from '../../core/facts.ts';
import type { ResponseReading } from '../protocol.ts';
import { joined, note, unreadResponse, usageAbsent } from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isRecord, readJson, textOf } from '../wire/json.ts';
import { readEitherUsage } from './records.ts';

function spoken(status: number, text: string, usage: UsageFacts): ResponseReading['facts'] {
  return { ...unreadResponse(status, '').facts, text, usage };
}

/** Reads a whole answer of status below 400. Which form was asked for does not matter: JSON tells itself. */
export function readTranscript(status: number, bytes: Buffer): ResponseReading {
  if (!isUtf8(bytes)) return unreadResponse(status, 'the transcript is not valid UTF-8');
  const plain = bytes.toString('utf8');
  const json = plain.trimStart().startsWith('{') ? readJson(bytes, 'the answer') : null;
  const defects: string[] = [];
  let facts = spoken(status, plain, usageAbsent);
  if (isRecord(json?.value)) {
    note(defects, json.defect);
    facts = spoken(status, textOf(json.value.text), readEitherUsage(json.value.usage));
  }
  return { facts, defects, complete: true, failed: false };
}

/** Opens a reader for one stream. Its last event repeats the pieces as one text. */
export function createTranscriptStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  let pieces = '';
  let segments = '';
  let whole: string | null = null;
  let usage: UsageFacts = usageAbsent;
  let failed = false;
  const fail = (): 'error' => {
    failed = true;
    return 'error';
  };
  return {
    defects,
    absorbText: (data) => (data.trim() === '[DONE]' ? 'other' : null),
    absorbEmpty: (event) => (event === 'error' ? fail() : 'other'),
    absorb(event, value) {
      switch (textOf(value.type) || event) {
        case 'transcript.text.delta':
          pieces += textOf(value.delta);
          return 'text';
        case 'transcript.text.segment':
          segments = joined(segments, textOf(value.text));
          return 'text';
        case 'transcript.text.done':
          whole = textOf(value.text);
          usage = readEitherUsage(value.usage);
          return 'end';
        case 'error':
          return fail();
        default:
          return isRecord(value.error) ? fail() : 'tool';
      }
    },
    reading() {
      // Speech has no tool calls, so a difference is no danger: rules see both texts.
      const differs = whole !== null && whole.trim() !== pieces.trim();
      const text = differs ? joined(pieces, whole ?? '') : pieces || segments;
      return { facts: spoken(status, text, usage), defects, complete: whole !== null, failed };
    },
  };
}
