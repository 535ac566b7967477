/**
 * `predict`, the route of models that are not Gemini's own: instances and predictions of a shape that each
 * model has for itself
 * (https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict). Models
 * served by vLLM answer with a chat completion there. `directPredict` and `serverStreamingPredict` have tensors in their
 * place, `inputs` and `outputs`. Pure.
 */
import type { MessageFact } from '../../core/facts.ts';
import { readChatRequest, readChatResponse } from '../openai/chat.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import {
  boundedList,
  joined,
  messagesMax,
  note,
  openAnswer,
  scalarParams,
  textWithin,
  unreadResponse,
} from '../reading/reading.ts';
import { isRecord, readJson } from '../wire/json.ts';
import { camelCased } from './parts.ts';
import { readObject } from './request.ts';

/** Pictures and sound are no text. */
const encoded: ReadonlySet<string> = new Set(['bytesBase64Encoded', 'audioContent']);

function withoutBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutBytes);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([key]) => !encoded.has(camelCased(key)));
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutBytes(member)]));
}

/** An instance that is a chat completion's request has its messages read as such. */
function messagesOf(instance: unknown): readonly MessageFact[] {
  if (isRecord(instance) && Array.isArray(instance['messages'])) {
    const chat = readChatRequest(Buffer.from(JSON.stringify(instance)));
    if (chat.defects.length === 0) return chat.facts.messages;
  }
  return [{ role: 'user', text: textWithin(withoutBytes(instance)), toolCalls: [] }];
}

/** Reads a request body; `model` is said by its path. */
export function readPredictRequest(bytes: Buffer, model: string): RequestReading {
  return readObject(bytes, model, false, (body, defects) => {
    const instances = boundedList(body['instances'], messagesMax, '`instances`', defects);
    const messages = instances.flatMap(messagesOf);
    if (messages.length > messagesMax) note(defects, `more than ${messagesMax} messages`);
    let text = '';
    for (const instance of instances) text = joined(text, textWithin(withoutBytes(instance)));
    const { parameters, inputs } = body;
    const params = isRecord(parameters) ? scalarParams(parameters, new Set()) : {};
    const given = textWithin(withoutBytes(inputs));
    if (given !== '') messages.push({ role: 'user', text: given, toolCalls: [] });
    return { messages: messages.slice(0, messagesMax), text: joined(text, given), params };
  });
}

/** What is predicted bit by bit comes as a list of what each bit is. */
function readPredictions(status: number, list: readonly unknown[], defect: string): ResponseReading {
  const reading = unreadResponse(status, defect);
  const text = list.map((one) => textWithin(withoutBytes(isRecord(one) ? one['outputs'] : one)));
  return { ...reading, facts: { ...reading.facts, text: text.reduce(joined, '') } };
}

/** Reads a whole answer of status below 400. */
export function readPrediction(status: number, bytes: Buffer): ResponseReading {
  const { value, defect } = readJson(bytes, 'the answer');
  if (Array.isArray(value)) return readPredictions(status, value, defect);
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const { predictions, outputs } = body;
  if (isRecord(predictions) && 'choices' in predictions) {
    const chat = readChatResponse(status, Buffer.from(JSON.stringify(predictions)));
    return { ...chat, defects: [...defects, ...chat.defects] };
  }
  const reading = unreadResponse(status, '');
  const text = textWithin(withoutBytes([predictions, outputs]));
  return { ...reading, facts: { ...reading.facts, text }, defects };
}
