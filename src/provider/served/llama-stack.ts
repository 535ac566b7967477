/**
 * Llama Stack's own chat, `/v1/inference/chat-completion`, which its clients ask beside OpenAI's
 * (https://github.com/llamastack/llama-stack-client-python): rewritten as a chat of OpenAI's and read as one. Pure; hostile
 * bytes in, facts and defects out.
 */
import { isDeepStrictEqual } from 'node:util';
import { unamendable } from '../amending/amendment.ts';
import { readChatRequest, readChatResponse } from '../openai/chat.ts';
import { createChatStreamReader } from '../openai/chat-stream.ts';
import type { RequestReading, ResponseReading } from '../protocol.ts';
import { joined, note, openAnswer, openRequest } from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, parsedRecord, textOf } from '../wire/json.ts';

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const eachOf = (list: unknown, as: (one: JsonRecord) => JsonRecord): unknown =>
  Array.isArray(list) ? list.map((one: unknown) => (isRecord(one) ? as(one) : one)) : list;

/** Newer servers write the arguments as JSON, older ones as an object with its JSON beside: clients read the one or the other. */
function callOf(call: JsonRecord, defects: string[]): JsonRecord {
  const { arguments: own, arguments_json: json } = call;
  const written = typeof own === 'string' ? own : isAbsent(own) ? textOf(json) : JSON.stringify(own);
  if (textOf(json) !== '' && !isDeepStrictEqual(parsedRecord(textOf(json)), parsedRecord(written)))
    note(defects, 'a tool call is handed two things');
  return { id: call.call_id, function: { name: call.tool_name, arguments: written } };
}

/** A single part may stand for a list of them; what is found for a question stands beside it. */
function messageOf(message: JsonRecord, defects: string[]): JsonRecord {
  const { content, context, tool_calls: calls, ...rest } = message;
  const parts = [content, context].flat().filter((part) => !isAbsent(part));
  return { ...rest, content: parts, tool_calls: eachOf(calls, (call) => callOf(call, defects)) };
}

function toolOf({ tool_name: name, description }: JsonRecord): JsonRecord {
  return { type: 'function', function: { name, description } };
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readLlamaStackRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const { model_id: model, messages, tools, ...rest } = body;
  const chat = {
    ...{ ...rest, model: model ?? rest.model },
    messages: eachOf(messages, (message) => messageOf(message, defects)),
    tools: eachOf(tools, toolOf),
  };
  const reading = readChatRequest(bytesOf(chat));
  return { ...reading, defects: [...defects, ...reading.defects] };
}

/** Reads a whole answer of status below 400. */
export function readLlamaStackResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const { completion_message: message, choices, ...rest } = body;
  if (!isAbsent(choices)) note(defects, 'the answer has the forms of two operations');
  const own = isRecord(message)
    ? [{ message: messageOf(message, defects), finish_reason: message.stop_reason }]
    : null;
  const reading = readChatResponse(status, bytesOf({ ...rest, choices: own }));
  return { ...reading, defects: [...defects, ...reading.defects] };
}

/** Opens a reader for one stream. A call comes as pieces of a text, which nobody acts on, and then whole. */
export function createLlamaStackStreamReader(status: number): StreamReader {
  const chat = createChatStreamReader(status);
  let calls = 0;
  /** Of a call that has not come whole, and may never. */
  let pieces = '';

  function deltaOf(delta: JsonRecord): JsonRecord {
    const { type, text, tool_call: call, parse_status: _status, ...rest } = delta;
    if (type === 'text') return { ...rest, content: text };
    if (type !== 'tool_call') return delta;
    if (!isRecord(call)) {
      pieces += textOf(call);
      return { ...rest, tool_call: call };
    }
    pieces = '';
    calls += 1;
    return { ...rest, tool_calls: [{ index: calls - 1, ...callOf(call, chat.defects) }] };
  }

  return {
    defects: chat.defects,
    absorbText: chat.absorbText,
    absorbEmpty: chat.absorbEmpty,
    absorb(event, value) {
      const { event: told, choices, ...rest } = value;
      if (!isRecord(told)) return chat.absorb(event, value);
      const { delta, event_type: type, stop_reason: reason, ...beside } = told;
      const finish = type === 'complete' ? textOf(reason) || 'end_of_turn' : null;
      const choice = { delta: isRecord(delta) ? deltaOf(delta) : delta, finish_reason: finish };
      const kind = chat.absorb(event, { ...rest, beside, choices: [choice] });
      if (isAbsent(choices)) return kind;
      note(chat.defects, 'the stream has the forms of two operations');
      return 'tool';
    },
    reading() {
      const { facts, ...reading } = chat.reading();
      return { ...reading, facts: { ...facts, text: joined(facts.text, pieces) } };
    },
  };
}

export function amendLlamaStack(): never {
  throw unamendable('it is rewritten to be read');
}
