/**
 * `rawPredict` at an endpoint of the customer's own, which hands any body to whatever container runs there. A
 * chat model is recognised by what it says; a stream of one is read as chat completions stream. Pure.
 */
import type { Dialect } from './gemini-protocol.ts';
import { googleRoute, modelIn } from './gemini-route.ts';
import { isRecord, readJson } from './json.ts';
import { openai } from './openai.ts';
import type { RequestReading } from './protocol.ts';
import { textWithin, unreadRequest, unreadResponse } from './reading.ts';

const asChat = 'chat.completions';

function readRequest(body: Buffer): RequestReading {
  const { value, defect } = readJson(body, 'the request body');
  // A container may take anything: what is no JSON is none of a language model's.
  if (!isRecord(value)) return unreadRequest('');
  if ('messages' in value) return openai.readRequest(asChat, body, { path: '', contentType: '' });
  const { facts } = unreadRequest('');
  return { facts: { ...facts, text: textWithin(value) }, defects: defect === '' ? [] : [defect] };
}

export const rawPredict: Dialect = {
  readsAnswer: () => true,
  readRequest(_operation, body, { path }) {
    const reading = readRequest(body);
    const route = googleRoute(path);
    const stream = reading.facts.stream || route.verb === 'streamrawpredict';
    return { ...reading, facts: { ...reading.facts, model: modelIn(route), stream } };
  },
  readResponse(_operation, status, body) {
    const { value, defect } = readJson(body, 'the answer');
    if (isRecord(value) && 'choices' in value) return openai.readResponse(asChat, status, body);
    const reading = unreadResponse(status, isRecord(value) ? defect : '');
    return { ...reading, facts: { ...reading.facts, text: textWithin(value) } };
  },
  streamFormOf: (_operation, contentType) => openai.streamFormOf(asChat, contentType),
  openStream: (_operation, status, form) => openai.openStream(asChat, status, form),
  errorEvent: (_operation, form, code, message) => openai.errorEvent(asChat, form, code, message),
  keepAliveEvent: (_operation, form, model) => openai.keepAliveEvent(asChat, form, model),
  amendResponse: (_operation, original, form, amendment) =>
    openai.amendResponse(asChat, original, form, amendment),
};
