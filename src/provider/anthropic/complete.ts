/**
 * Anthropic's text completions, the API before messages (https://docs.anthropic.com/en/api/complete). It calls
 * no tools. Pure; hostile bytes in, facts and defects out.
 */

import type { RequestReading, ResponseReading } from '../protocol.ts';
import {
  modelName,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  streamFlag,
  unreadResponse,
} from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isAbsent, textOf } from '../wire/json.ts';

const paramsElsewhere: ReadonlySet<string> = new Set(['model', 'stream', 'prompt']);

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readCompleteRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  if (!isAbsent(body.prompt) && typeof body.prompt !== 'string') note(defects, '`prompt` is not a text');
  const text = textOf(body.prompt);
  const facts = {
    model: modelName(body.model, defects),
    stream: streamFlag(body.stream, defects),
    params: scalarParams(body, paramsElsewhere),
    system: '',
    messages: text === '' ? [] : [{ role: 'user', text, toolCalls: [] }],
    text,
    tools: [],
  };
  return { facts, defects };
}

/** Reads a whole answer of status below 400. */
export function readCompleteResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = body.type === 'error' || !isAbsent(body.error);
  const isKnown = failed || (typeof body.completion === 'string' && isAbsent(body.content));
  if (!isKnown) note(defects, 'the answer is no completion');
  const said = {
    model: textOf(body.model),
    text: textOf(body.completion),
    finishReason: textOf(body.stop_reason),
  };
  return { facts: { ...unreadResponse(status, '').facts, ...said }, defects, complete: true, failed };
}

/** Opens a reader for one stream. */
export function createCompleteStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  let text = '';
  let model = '';
  let finishReason = '';
  let failed = false;
  const fail = (): 'error' => {
    failed = true;
    return 'error';
  };
  return {
    defects,
    absorbText: () => null,
    absorbEmpty: (event) => (event === 'error' ? fail() : 'other'),
    absorb(event, value) {
      const type = textOf(value.type) || event;
      if (type === 'error' || event === 'error') return fail();
      if (type === 'ping') return 'other';
      if (type !== 'completion' || typeof value.completion !== 'string') return 'tool';
      text += value.completion;
      model = textOf(value.model) || model;
      finishReason = textOf(value.stop_reason);
      if (finishReason !== '') return 'end';
      return value.completion === '' ? 'other' : 'text';
    },
    reading() {
      const { facts } = unreadResponse(status, '');
      const complete = finishReason !== '';
      return { facts: { ...facts, model, text, finishReason }, defects, complete, failed };
    },
  };
}
