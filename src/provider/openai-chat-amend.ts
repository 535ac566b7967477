/**
 * Writes a reviewer's amendment into a chat completion: in place where it is JSON, as a new stream of the
 * reassembled answer where it was streamed. Pure.
 */
import {
  type ArgumentsAt,
  confirmAmended,
  customInput,
  eventsOf,
  objectArguments,
  planAmendment,
  rewriteJson,
  sseBytes,
  unamendable,
} from './amendment.ts';
import { isAbsent, isRecord, type JsonRecord, parsedRecord } from './json.ts';
import { type ChatCall, type ChatChoice, readChatResponse } from './openai-chat.ts';
import { createChatStreamReader } from './openai-chat-stream.ts';
import type { Amendment } from './protocol.ts';
import { openEventStream } from './stream.ts';

const okStatus = 200;

function functionWith(fn: unknown, value: unknown): JsonRecord {
  return { ...(isRecord(fn) ? fn : {}), arguments: JSON.stringify(objectArguments(value)) };
}

function callWith(call: unknown, value: unknown): unknown {
  if (!isRecord(call)) return call;
  if (isRecord(call['custom'])) {
    return { ...call, custom: { ...call['custom'], input: customInput(value) } };
  }
  return { ...call, function: functionWith(call['function'], value) };
}

/** `firstPlace` is where this message's calls begin among all of the answer. */
function messageWith(message: JsonRecord, firstPlace: number, at: ArgumentsAt, text?: string) {
  let place = firstPlace;
  const next: Record<string, unknown> = { ...message };
  if (Array.isArray(message['tool_calls'])) {
    next['tool_calls'] = message['tool_calls'].map((call: unknown) => {
      const value = at.get(place);
      place += 1;
      return value === undefined ? call : callWith(call, value);
    });
  }
  if (!isAbsent(message['function_call'])) {
    const value = at.get(place);
    place += 1;
    if (value !== undefined) next['function_call'] = functionWith(message['function_call'], value);
  }
  if (text !== undefined && !(text === '' && isAbsent(message['content']))) {
    next['content'] = text;
    // These point into the text that was replaced.
    if (Array.isArray(message['annotations'])) next['annotations'] = [];
  }
  return { message: next, nextPlace: place };
}

function amendJson(original: Buffer, amendment: Amendment): Buffer {
  const at = planAmendment(readChatResponse(okStatus, original), amendment);
  const amended = rewriteJson(original, (body) => {
    const list: readonly unknown[] = Array.isArray(body['choices']) ? body['choices'] : [];
    if (amendment.text !== undefined && list.length > 1) throw unamendable('it has several choices');
    let place = 0;
    const choices = list.map((choice) => {
      if (!isRecord(choice) || !isRecord(choice['message'])) return choice;
      const { message, nextPlace } = messageWith(choice['message'], place, at, amendment.text);
      place = nextPlace;
      // Log probabilities spell the replaced text out, token by token.
      const spelled = amendment.text !== undefined && !isAbsent(choice['logprobs']);
      return spelled ? { ...choice, message, logprobs: null } : { ...choice, message };
    });
    return { ...body, choices };
  });
  confirmAmended(readChatResponse(okStatus, amended), amendment);
  return amended;
}

function callDelta(call: ChatCall, index: number): JsonRecord {
  if (call.kind === 'legacy') return { function_call: { name: call.name, arguments: call.input } };
  const body =
    call.kind === 'custom'
      ? { type: 'custom', custom: { name: call.name, input: call.input } }
      : { type: 'function', function: { name: call.name, arguments: call.input } };
  return { tool_calls: [{ index, ...(call.id === '' ? {} : { id: call.id }), ...body }] };
}

/** The deltas that say what a choice said. */
function choiceDeltas(choice: ChatChoice): readonly JsonRecord[] {
  const deltas: JsonRecord[] = [{ role: 'assistant', content: choice.text === '' ? null : '' }];
  if (choice.text !== '') deltas.push({ content: choice.text });
  if (choice.refusal !== '') deltas.push({ refusal: choice.refusal });
  for (let i = 0; i < choice.calls.length; i += 1) {
    const call = choice.calls[i];
    if (call !== undefined) deltas.push(callDelta(call, i));
  }
  return deltas;
}

/** The members every chunk shares and the last usage, as the original stream gave them. */
function frameOf(original: Buffer): { readonly frame: JsonRecord; readonly usage: unknown } {
  let frame: JsonRecord | null = null;
  let usage: unknown;
  for (const sse of eventsOf(original)) {
    const value = sse.hasData && sse.data.trim() !== '[DONE]' ? parsedRecord(sse.data) : null;
    if (value === null) continue;
    if (isRecord(value['usage'])) usage = value['usage'];
    if (frame !== null || !Array.isArray(value['choices']) || value['choices'].length === 0) continue;
    const { choices: _choices, usage: _usage, obfuscation: _obfuscation, ...rest } = value;
    frame = rest;
  }
  return { frame: frame ?? {}, usage };
}

function readStream(bytes: Buffer) {
  const reader = createChatStreamReader(okStatus);
  const stream = openEventStream(reader, Math.max(bytes.length, 1));
  stream.push(bytes);
  return { reading: stream.finish().reading, choices: reader.answer() };
}

function amendStream(original: Buffer, amendment: Amendment): Buffer {
  const { reading, choices } = readStream(original);
  const at = planAmendment(reading, amendment);
  if (amendment.text !== undefined && choices.size > 1) throw unamendable('it has several choices');
  const { frame, usage } = frameOf(original);
  const out: Buffer[] = [];
  let place = 0;
  for (const [index, choice] of choices) {
    if (amendment.text !== undefined) choice.text = amendment.text;
    for (const call of choice.calls) {
      const value = at.get(place);
      place += 1;
      if (value === undefined) continue;
      call.input = call.kind === 'custom' ? customInput(value) : JSON.stringify(objectArguments(value));
    }
    for (const delta of choiceDeltas(choice)) {
      out.push(sseBytes('', { ...frame, choices: [{ index, delta, finish_reason: null }] }));
    }
    const finish = choice.finishReason === '' ? null : choice.finishReason;
    out.push(sseBytes('', { ...frame, choices: [{ index, delta: {}, finish_reason: finish }] }));
  }
  if (usage !== undefined) out.push(sseBytes('', { ...frame, choices: [], usage }));
  out.push(Buffer.from('data: [DONE]\n\n'));
  const amended = Buffer.concat(out);
  confirmAmended(readStream(amended).reading, amendment);
  return amended;
}

/** The answer with the amendment applied, in its own form. */
export function amendChat(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  return streaming ? amendStream(original, amendment) : amendJson(original, amendment);
}
