/**
 * LM Studio's own chat, `/api/v1/chat` (https://lmstudio.ai/docs/developer/rest/chat): whole answers and streams.
 * The server runs the tools itself, so a call that is held here was made already; what is withheld is the answer
 * that rests on it. Pure; hostile bytes in, facts and defects out.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ToolCallFact, ToolFact, UsageFacts } from '../../core/facts.ts';
import { confirmAmended, planAmendment, rewriteJson, unamendable } from '../amending/amendment.ts';
import { withConsulted } from '../asked/fallback-models.ts';
import { serverAddress } from '../openai/offered-tools.ts';
import type { Amendment, RequestReading, ResponseReading } from '../protocol.ts';
import { namesOf, qualified } from '../reading/call-readings.ts';
import {
  addCall,
  boundedList,
  joined,
  modelName,
  note,
  openAnswer,
  openRequest,
  scalarParams,
  streamFlag,
  textWithin,
  toolsMax,
  unreadResponse,
  usageAbsent,
} from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

const okStatus = 200;
const itemsMax = 10_000;
const paramsElsewhere: ReadonlySet<string> = new Set(['model', 'stream', 'input', 'system_prompt']);

/** The message, or a list of messages and pictures; a picture's bytes are no text. */
function inputText(value: unknown): string {
  if (!Array.isArray(value)) return textWithin(value);
  let text = '';
  for (const part of value) {
    if (isRecord(part) && part.type === 'image') continue;
    text = joined(text, textWithin(part));
  }
  return text;
}

/** Each allowed tool by its name, or the plugin or server where all of its tools are allowed. */
function readIntegrations(value: unknown, defects: string[]): readonly ToolFact[] {
  return boundedList(value, toolsMax, '`integrations`', defects).flatMap((one) => {
    if (!isRecord(one)) return [{ name: textOf(one), description: '' }];
    const server = textOf(one.id) || textOf(one.server_label);
    const description = joined(server, serverAddress(one.server_url));
    const allowed = boundedList(one.allowed_tools, toolsMax, '`allowed_tools`', defects);
    if (isAbsent(one.allowed_tools)) return [{ name: server, description }];
    return allowed.map((name) => ({ name: textOf(name), description }));
  });
}

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readLmStudioRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const system = textOf(body.system_prompt);
  const text = inputText(body.input);
  const facts = {
    model: modelName(body.model, defects),
    stream: streamFlag(body.stream, defects),
    params: scalarParams(body, paramsElsewhere),
    system,
    messages: text === '' ? [] : [{ role: 'user', text, toolCalls: [] }],
    text: joined(system, text),
    tools: readIntegrations(body.integrations, defects),
  };
  return { facts: withConsulted(body, facts, defects), defects };
}

function usageOf(stats: unknown): UsageFacts {
  if (!isRecord(stats)) return usageAbsent;
  const inputTokens = countOf(stats.input_tokens);
  const outputTokens = countOf(stats.total_output_tokens);
  return { source: 'provider', inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

function addToolCall(item: JsonRecord, into: ToolCallFact[], defects: string[]): void {
  if (!isAbsent(item.arguments) && !isRecord(item.arguments)) {
    note(defects, 'the arguments of a tool call are not an object');
  }
  const value = item.arguments ?? {};
  const name = textOf(item.tool);
  if (name === '') note(defects, 'a tool call has no name');
  const info = isRecord(item.provider_info) ? item.provider_info : {};
  const call = { name, arguments: value, argumentsText: JSON.stringify(value) };
  const alsoAs = qualified(info.server_label ?? info.plugin_id, call);
  addCall(into, defects, '', name, value, call.argumentsText, alsoAs);
}

/** What an answer says, for its model and status. */
function readResult(status: number, body: JsonRecord, defects: string[]): ResponseReading['facts'] {
  const toolCalls: ToolCallFact[] = [];
  let text = '';
  if (!Array.isArray(body.output)) note(defects, 'the answer has no `output`');
  for (const item of boundedList(body.output, itemsMax, '`output`', defects)) {
    const type = isRecord(item) ? textOf(item.type) : '';
    if (!isRecord(item)) note(defects, 'an entry of `output` is not an object');
    else if (type === 'message') text = joined(text, textOf(item.content));
    else if (type === 'tool_call') addToolCall(item, toolCalls, defects);
    else if (type !== 'reasoning') note(defects, `an entry of \`output\` has an unknown type`);
  }
  const { facts } = unreadResponse(status, '');
  return { ...facts, model: textOf(body.model_instance_id), text, toolCalls, usage: usageOf(body.stats) };
}

/** Reads a whole answer of status below 400. */
export function readLmStudioResponse(status: number, bytes: Buffer): ResponseReading {
  const { body, defects, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const failed = !isAbsent(body.error);
  const facts = failed ? unreadResponse(status, '').facts : readResult(status, body, defects);
  return { facts, defects, complete: true, failed };
}

/** Events of a stream that show nothing but how far the server is. */
const progress =
  /^(chat\.start|(model_load|prompt_processing)\.(start|progress|end)|(message|reasoning)\.(start|end))$/;

function isSame(told: ToolCallFact, repeated: ToolCallFact | undefined): boolean {
  return (
    repeated !== undefined &&
    namesOf(told) === namesOf(repeated) &&
    isDeepStrictEqual(told.arguments, repeated.arguments)
  );
}

/** What the end of a stream says, with its pieces where they say something else: messages have nothing between them there. */
function unitedText(whole: string, pieces: string): string {
  return whole.replaceAll('\n', '').includes(pieces.replaceAll('\n', '')) ? whole : joined(whole, pieces);
}

/** Opens a reader for one stream. Its last event repeats the whole answer, and is what counts. */
export function createLmStudioStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const calls: ToolCallFact[] = [];
  let text = '';
  let model = '';
  let result: ResponseReading['facts'] | null = null;
  let failed = false;

  function end(value: unknown): StreamEventKind {
    if (!isRecord(value)) {
      note(defects, 'the last event of the stream has no result');
      return 'tool';
    }
    result = readResult(status, value, defects);
    // A call that only the last event tells must not slip out with it.
    return result.toolCalls.length === 0 ? 'end' : 'tool';
  }

  return {
    defects,
    absorbText: () => null,
    absorbEmpty: (event) => {
      if (event !== 'error') return 'other';
      failed = true;
      return 'error';
    },
    absorb(event, value) {
      const type = textOf(value.type) || event;
      model = textOf(value.model_instance_id) || model;
      if (type === 'error' || event === 'error') {
        failed = true;
        return 'error';
      }
      if (type === 'chat.end') return end(value.result);
      if (type === 'reasoning.delta') return 'text';
      if (type === 'message.delta') {
        text += textOf(value.content);
        return 'text';
      }
      if (type === 'tool_call.arguments') addToolCall(value, calls, defects);
      else if (/^tool_call\./.test(type)) return 'tool';
      else if (!progress.test(type)) note(defects, 'an event of the stream has an unknown type');
      return progress.test(type) ? 'other' : 'tool';
    },
    reading() {
      const neutral = { ...unreadResponse(status, '').facts, model, text, toolCalls: calls };
      if (result !== null && !calls.every((call, place) => isSame(call, result?.toolCalls[place]))) {
        note(defects, 'the stream told other calls than its end');
      }
      const facts = result === null ? neutral : { ...result, text: unitedText(result.text, text) };
      return { facts, defects, complete: result !== null, failed };
    },
  };
}

/** The whole answer with other words where it has one message; what its tools did is done. */
export function amendLmStudio(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  if (streaming) throw unamendable('a stream of this operation is not rewritten');
  const { text } = amendment;
  if ((amendment.toolCalls ?? []).length > 0) throw unamendable('its tools ran already');
  planAmendment(readLmStudioResponse(okStatus, original), amendment);
  if (text === undefined) return original;
  const amended = rewriteJson(original, (body) => {
    const output: readonly unknown[] = Array.isArray(body.output) ? body.output : [];
    const isMessage = (item: unknown): item is JsonRecord => isRecord(item) && item.type === 'message';
    return { ...body, output: output.map((item) => (isMessage(item) ? { ...item, content: text } : item)) };
  });
  confirmAmended(readLmStudioResponse(okStatus, amended), amendment);
  return amended;
}
