/**
 * Completions as whoever answers writes them: `/completions` is OpenAI's route, and llama.cpp's own without
 * `/v1` before it. What is said tells whose form it is, never the route. Pure.
 */

import { eventsOf } from '../amending/amendment.ts';
import {
  amendCompletions,
  createCompletionsStreamReader,
  readCompletionsResponse,
} from '../openai/completions.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { note } from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, readJson } from '../wire/json.ts';
import {
  amendLlama,
  createLlamaStreamReader,
  isLlamaAnswer,
  readLlamaResponse,
} from './llamacpp-completion.ts';

/** Reads a whole answer of status below 400. */
export function readCompletion(status: number, bytes: Buffer): ResponseReading {
  const { value } = readJson(bytes, 'the answer');
  const isLlama = Array.isArray(value) || (isRecord(value) && isLlamaAnswer(value));
  if (isLlama) return readLlamaResponse(status, bytes);
  const reading = readCompletionsResponse(status, bytes);
  if (!isRecord(value) || !isBoth(value)) return reading;
  return { ...reading, defects: [...reading.defects, 'the answer has the forms of two servers'] };
}

/** True where clients of the one read other words than those of the other. */
function isBoth({ choices, content }: JsonRecord): boolean {
  return !isAbsent(choices) && !isAbsent(content) && content !== '';
}

/** Opens a reader for one stream; its first event that says anything tells the form, and all others must have it. */
export function createCompletionStreamReader(status: number): StreamReader {
  const openai = createCompletionsStreamReader(status);
  const llama = createLlamaStreamReader(status);
  const defects: string[] = [];
  let chosen: StreamReader | null = null;
  return {
    defects,
    absorbText: (data) => (chosen ?? openai).absorbText(data),
    absorbEmpty: (event) => (chosen ?? openai).absorbEmpty(event),
    absorb(event, value) {
      const fits = isLlamaAnswer(value) ? llama : openai;
      chosen ??= fits;
      // An error has no form of its own.
      const isOther = isLlamaAnswer(value) || 'choices' in value;
      if (!isBoth(value) && (fits === chosen || !isOther)) return chosen.absorb(event, value);
      note(defects, 'the stream has the forms of two servers');
      return 'tool';
    },
    reading() {
      const reading = (chosen ?? openai).reading();
      return { ...reading, defects: [...defects, ...reading.defects] };
    },
  };
}

function isLlamaStream(original: Buffer): boolean {
  for (const { hasData, data } of eventsOf(original)) {
    const { value } = readJson(Buffer.from(hasData ? data : ''), 'an event');
    if (isRecord(value)) return isLlamaAnswer(value);
  }
  return false;
}

/** The answer with the amendment applied, in its own form. */
export function amendCompletion(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  const { value } = readJson(original, 'the answer');
  const isLlama = streaming
    ? isLlamaStream(original)
    : Array.isArray(value) || (isRecord(value) && isLlamaAnswer(value));
  return (isLlama ? amendLlama : amendCompletions)(original, streaming, amendment);
}
