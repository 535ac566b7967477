/**
 * Writes a reviewer's amendment into an answer of Ollama, in place: what is not amended, thinking above all,
 * stays as it came. Pure.
 */
import { confirmCalls } from '../amending/amended-calls.ts';
import { type ArgumentsAt, objectArguments, planAmendment, rewriteJson } from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { openLineStream, rewriteLines } from '../reading/ndjson-stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { type OllamaTalk, readOllamaResponse } from './chat.ts';
import { createOllamaStreamReader } from './stream.ts';

const okStatus = 200;

function readStream(talk: OllamaTalk, bytes: Buffer): ResponseReading {
  const stream = openLineStream(createOllamaStreamReader(talk, okStatus), Math.max(bytes.length, 1));
  stream.push(bytes);
  return stream.finish().reading;
}

/** It spells a replaced text out, token by token. */
function withoutContext(body: JsonRecord): JsonRecord {
  if (!('context' in body)) return body;
  const { context: _context, ...rest } = body;
  return rest;
}

/** What happens to the bodies of one answer, met in order; one that stays as it was is given back. */
function rewriter(talk: OllamaTalk, at: ArgumentsAt, text: string | undefined) {
  let place = 0;
  let textWritten = false;

  function callsOf(record: JsonRecord): JsonRecord {
    if (!Array.isArray(record['tool_calls'])) return record;
    let changed = false;
    const calls = record['tool_calls'].map((call: unknown) => {
      const value = at.get(place);
      place += 1;
      const fn = isRecord(call) ? call['function'] : undefined;
      if (value === undefined || !isRecord(call) || !isRecord(fn)) return call;
      changed = true;
      return { ...call, function: { ...fn, arguments: objectArguments(value) } };
    });
    return changed ? { ...record, tool_calls: calls } : record;
  }

  function textIn(record: JsonRecord, member: string): JsonRecord {
    if (text === undefined || textOf(record[member]) === '') return record;
    const written = textWritten ? '' : text;
    textWritten = true;
    return { ...record, [member]: written };
  }

  return (body: JsonRecord): JsonRecord => {
    let next = talk === 'generate' ? textIn(body, 'response') : body;
    const message = next['message'];
    if (isRecord(message)) {
      const inner = callsOf(textIn(message, 'content'));
      if (inner !== message) next = { ...next, message: inner };
    }
    next = callsOf(next);
    if (text !== undefined) return withoutSaidAgain(withoutContext(next));
    // What shows something before the first call tells the tokens of that alone.
    const shows = [message, next].some(
      (one) =>
        isRecord(one) &&
        [one['content'], one['thinking'], one['response']].some((said) => textOf(said) !== ''),
    );
    return place === 0 && shows ? next : withoutSaidAgain(next);
  };
}

/** The answer with the amendment applied, in its own form. */
export function amendOllama(
  talk: OllamaTalk,
  original: Buffer,
  streaming: boolean,
  amendment: Amendment,
): Buffer {
  const read = (bytes: Buffer): ResponseReading =>
    streaming ? readStream(talk, bytes) : readOllamaResponse(talk, okStatus, bytes);
  const before = read(original);
  const at = planAmendment(before, amendment);
  const rewrite = rewriter(talk, at, amendment.text);
  const amended = streaming
    ? rewriteLines(original, (line) => {
        const rewritten = rewrite(line);
        return rewritten === line ? null : [rewritten];
      })
    : rewriteJson(original, rewrite);
  confirmCalls(before, read(amended), at, amendment);
  return amended;
}
