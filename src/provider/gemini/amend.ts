/**
 * Writes a reviewer's amendment into a Gemini answer, whole or streamed. What is not amended stays as it was,
 * signatures of thoughts above all: the API refuses a later turn where they changed. Pure.
 */
import { confirmCalls } from '../amending/amended-calls.ts';
import {
  type ArgumentsAt,
  objectArguments,
  planAmendment,
  rewriteJson,
  rewriteStream,
  unamendable,
} from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading, StreamForm } from '../protocol.ts';
import { openArrayStream, rewriteArray } from '../reading/json-array-stream.ts';
import { openEventStream } from '../reading/stream.ts';
import { isRecord, type JsonRecord } from '../wire/json.ts';
import {
  type AnswerReader,
  createAnswerReader,
  createGeminiStreamReader,
  readGeminiResponse,
} from './answer.ts';
import type { CallInProgress } from './calls.ts';
import { rewrapped } from './envelope.ts';
import { camelCased, isThought } from './parts.ts';

const okStatus = 200;

/** Reads a whole answer or stream with a reader that the caller listens to. */
function readWith(reader: AnswerReader, bytes: Buffer, form: StreamForm | null): ResponseReading {
  if (form === null) return readGeminiResponse(okStatus, bytes, reader);
  const events = createGeminiStreamReader(okStatus, reader);
  const bytesMax = Math.max(bytes.length, 1);
  const stream = form === 'sse' ? openEventStream(events, bytesMax) : openArrayStream(events, bytesMax);
  stream.push(bytes);
  return stream.finish().reading;
}

/** What becomes of the calls: by the place of each part, the new arguments, or null for a piece of no use any more. */
type Rewrites = ReadonlyMap<string, JsonRecord | null>;

const keyOf = (chunk: number, candidate: number, part: number, key: string) =>
  `${chunk}.${candidate}.${part}.${key}`;

interface Plan {
  readonly before: ResponseReading;
  readonly at: ArgumentsAt;
  readonly rewrites: Rewrites;
}

function planRewrites(original: Buffer, form: StreamForm | null, amendment: Amendment): Plan {
  const heard: { readonly place: string; readonly call: CallInProgress }[] = [];
  const reader = createAnswerReader(okStatus, ({ chunk, candidate, part, key }, call) =>
    heard.push({ place: keyOf(chunk, candidate, part, key), call }),
  );
  const before = readWith(reader, original, form);
  const at = planAmendment(before, amendment);
  const calls = reader.calls();
  const rewrites = new Map<string, JsonRecord | null>();
  const begun = new Set<CallInProgress>();
  for (const { place, call } of heard) {
    const value = at.get(calls.indexOf(call));
    if (value === undefined) continue;
    if (call.part !== 'functionCall') throw unamendable(`a ${call.part} is not for the client to carry out`);
    rewrites.set(place, begun.has(call) ? null : objectArguments(value));
    begun.add(call);
  }
  return { before, at, rewrites };
}

/** Without what points into the text that is replaced, and has pieces of it. */
function withoutSources(candidate: JsonRecord): JsonRecord {
  const { citationMetadata: _citations, groundingMetadata: grounding, ...rest } = candidate;
  if (!isRecord(grounding)) return rest;
  const { groundingSupports: _supports, ...kept } = grounding;
  return { ...rest, groundingMetadata: kept };
}

/** Rewrites one partial answer after the other. */
function createRewriter(rewrites: Rewrites, text: string | undefined) {
  let chunk = -1;
  let textWritten = false;

  function rewriteMember(key: string, value: unknown, part: JsonRecord, place: string): JsonRecord {
    const args = rewrites.get(place);
    if (args === null) return { text: '' };
    if (args !== undefined && isRecord(value)) {
      const { partialArgs: _pieces, willContinue: _goesOn, ...call } = value;
      return { [key]: { ...call, args } };
    }
    if (text === undefined || camelCased(key) !== 'text' || isThought(part)) return { [key]: value };
    const written = textWritten ? '' : text;
    textWritten = true;
    return { [key]: written };
  }

  function rewritePart(part: unknown, candidate: number, at: number): unknown {
    if (!isRecord(part)) return part;
    const members = Object.entries(part).map(([key, value]) =>
      rewriteMember(key, value, part, keyOf(chunk, candidate, at, key)),
    );
    return Object.assign({}, ...members);
  }

  function rewriteCandidate(given: unknown, at: number): unknown {
    if (!isRecord(given)) return given;
    const candidate = withoutSaidAgain(text === undefined ? given : withoutSources(given));
    const content = candidate['content'];
    const parts = isRecord(content) ? content['parts'] : null;
    if (!isRecord(content) || !Array.isArray(parts)) return candidate;
    const rewritten = parts.map((part: unknown, i) => rewritePart(part, at, i));
    return { ...candidate, content: { ...content, parts: rewritten } };
  }

  return (value: JsonRecord): JsonRecord => {
    chunk += 1;
    return rewrapped(value, (answer) => {
      const candidates = answer['candidates'];
      if (!Array.isArray(candidates)) return answer;
      return { ...answer, candidates: candidates.map(rewriteCandidate) };
    });
  };
}

/** The answer with the amendment applied, in its own form. */
export function amendGemini(original: Buffer, form: StreamForm | null, amendment: Amendment): Buffer {
  const { before, at, rewrites } = planRewrites(original, form, amendment);
  const rewrite = createRewriter(rewrites, amendment.text);
  let amended: Buffer;
  if (form === null) amended = rewriteJson(original, rewrite);
  else if (form === 'sse') amended = rewriteStream(original, (value) => [rewrite(value)]);
  else amended = rewriteArray(original, rewrite);
  confirmCalls(before, readWith(createAnswerReader(okStatus), amended, form), at, amendment);
  return amended;
}
