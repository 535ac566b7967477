/**
 * `rawPredict` at an endpoint of the customer's own, and `invoke`, which hand any body to whatever container runs there
 * (https://cloud.google.com/vertex-ai/docs/predictions/use-arbitrary-custom-routes). A chat model is recognised by what it
 * says, whole or streamed; in an answer of any other shape its calls are found wherever they stand. Pure.
 */
import type { Dialect } from '../gemini/protocol.ts';
import { googleRoute, modelIn } from '../gemini/route.ts';
import { openai } from '../openai/family.ts';
import { findWithin, withoutHanded } from '../openai/records-find.ts';
import { readTextTools } from '../openai/text-requests.ts';
import type { RequestReading } from '../protocol.ts';
import { joined, note, textWithin, unreadRequest, unreadResponse } from '../reading/reading.ts';
import { openEventStream } from '../reading/stream.ts';
import { amendAny, createAnyStreamReader, readAnyAnswer } from '../served/served-models.ts';
import { isRecord, type JsonRecord, readJson, textOf } from '../wire/json.ts';

const asChat = 'chat.completions';

/** What a container is handed as bytes, which may be words. */
function handedAsBytes({ input }: JsonRecord, verb: string): string {
  return verb === 'directrawpredict' ? Buffer.from(textOf(input), 'base64').toString('utf8') : '';
}

function readRequest(body: Buffer, verb: string): RequestReading {
  const { value, defect } = readJson(body, 'the request body');
  // A container may take anything: what is no JSON is none of a language model's.
  if (!isRecord(value)) return unreadRequest('');
  if ('messages' in value) return openai.readRequest(asChat, body, { path: '', contentType: '' });
  const { facts } = unreadRequest('');
  const defects = defect === '' ? [] : [defect];
  const text = joined(textWithin(value), handedAsBytes(value, verb));
  const messages = text === '' ? [] : [{ role: 'user', text, toolCalls: [] }];
  return { facts: { ...facts, messages, text, tools: readTextTools(value.tools, defects) }, defects };
}

/** Every text but what a call has in it, which a reviewer may change. */
function textBesideCalls(answer: JsonRecord): string {
  return textWithin(withoutHanded(answer, findWithin));
}

export const rawPredict: Dialect = {
  readsAnswer: () => true,
  readRequest(_operation, body, { path }) {
    const route = googleRoute(path);
    const reading = readRequest(body, route.verb);
    const stream = reading.facts.stream || route.verb === 'streamrawpredict';
    return { ...reading, facts: { ...reading.facts, model: modelIn(route), stream } };
  },
  readResponse(_operation, status, body) {
    const { value, defect } = readJson(body, 'the answer');
    if (isRecord(value) && 'choices' in value) return readAnyAnswer(status, body);
    if (!isRecord(value) && !Array.isArray(value)) {
      const reading = unreadResponse(status, '');
      return { ...reading, facts: { ...reading.facts, text: textWithin(value) } };
    }
    // A list of answers is read as an answer with that list in it.
    const answer = isRecord(value) ? value : { list: value };
    const reading = readAnyAnswer(status, isRecord(value) ? body : Buffer.from(JSON.stringify(answer)));
    const defects = [...reading.defects];
    note(defects, defect);
    return { ...reading, defects, facts: { ...reading.facts, text: textBesideCalls(answer) } };
  },
  streamFormOf: (_operation, contentType) => openai.streamFormOf(asChat, contentType),
  openStream: (_operation, status) => openEventStream(createAnyStreamReader(status)),
  errorEvent: (_operation, form, code, message) => openai.errorEvent(asChat, form, code, message),
  keepAliveEvent: (_operation, form, model) => openai.keepAliveEvent(asChat, form, model),
  amendResponse: (_operation, original, form, amendment) => amendAny(original, form !== null, amendment),
};
