/**
 * Writes a reviewer's amendment into a chat completion: in place, and as a new stream of the reassembled answer
 * where the text of a stream is amended. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type ArgumentsAt,
  confirmAmended,
  customInput,
  eventsOf,
  objectArguments,
  planAmendment,
  rewriteJson,
  rewriteStream,
  sseBytes,
  unamendable,
  withheld,
} from '../amending/amendment.ts';
import { tellsTokens, withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment } from '../protocol.ts';
import { openEventStream } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, parsedRecord } from '../wire/json.ts';
import { type ChatCall, type ChatChoice, readChatResponse } from './chat.ts';
import { createChatStreamReader } from './chat-stream.ts';

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
    const calls = message['tool_calls'].flatMap((call: unknown) => {
      const value = at.get(place);
      place += 1;
      if (value === withheld) return [];
      return [value === undefined ? call : callWith(call, value)];
    });
    if (calls.length > 0 || message['tool_calls'].length === 0) next['tool_calls'] = calls;
    else delete next['tool_calls'];
  }
  if (!isAbsent(message['function_call'])) {
    const value = at.get(place);
    place += 1;
    if (value === withheld) delete next['function_call'];
    else if (value !== undefined) next['function_call'] = functionWith(message['function_call'], value);
  }
  if (text !== undefined && !(text === '' && isAbsent(message['content']))) {
    next['content'] = text;
    // These point into the text that was replaced.
    if (Array.isArray(message['annotations'])) next['annotations'] = [];
  }
  return { message: next, nextPlace: place };
}

/** A choice that does not say, token by token, what was said before. */
function unspelled(choice: JsonRecord): JsonRecord {
  return withoutSaidAgain(isAbsent(choice['logprobs']) ? choice : { ...choice, logprobs: null });
}

function showsSomething({ role: _role, ...delta }: JsonRecord): boolean {
  return Object.values(delta).some((said) => !isAbsent(said) && said !== '');
}

/** A choice whose calls are all taken out: who loops while the model asks for tools would have none to run. */
function ended(choice: JsonRecord): JsonRecord {
  const { finish_reason: reason } = choice;
  return reason === 'tool_calls' || reason === 'function_call'
    ? { ...choice, finish_reason: 'stop' }
    : choice;
}

function amendJson(original: Buffer, amendment: Amendment): Buffer {
  const at = planAmendment(readChatResponse(okStatus, original), amendment);
  const amended = rewriteJson(original, (body) => {
    const list: readonly unknown[] = Array.isArray(body['choices']) ? body['choices'] : [];
    if (amendment.text !== undefined && list.length > 1) throw unamendable('it has several choices');
    let place = 0;
    const choices = list.map((choice) => {
      if (!isRecord(choice) || !isRecord(choice['message'])) return choice;
      const firstPlace = place;
      const { message, nextPlace } = messageWith(choice['message'], firstPlace, at, amendment.text);
      place = nextPlace;
      if (amendment.text !== undefined) {
        // Some have the replaced text there again.
        const { text: _again, ...rest } = unspelled(choice);
        return { ...rest, message };
      }
      const isAmended = [...at.keys()].some((one) => one >= firstPlace && one < nextPlace);
      if (!isAmended) return { ...choice, message };
      const isLeft = !isAbsent(message['tool_calls']) || !isAbsent(message['function_call']);
      return { ...unspelled(isLeft ? choice : ended(choice)), message };
    });
    return { ...withoutSaidAgain(body), choices };
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
    frame = withoutSaidAgain(rest);
  }
  return { frame: frame ?? {}, usage };
}

function readStream(bytes: Buffer) {
  const reader = createChatStreamReader(okStatus);
  const stream = openEventStream(reader, Math.max(bytes.length, 1));
  stream.push(bytes);
  return { reading: stream.finish().reading, choices: reader.answer() };
}

/** The calls with their new arguments; true by choice where one of its calls is amended. */
function amendCalls(choices: ReadonlyMap<number, ChatChoice>, at: ArgumentsAt): ReadonlySet<number> {
  const amended = new Set<number>();
  let place = 0;
  for (const [index, choice] of choices) {
    for (const call of choice.calls.splice(0)) {
      const value = at.get(place);
      place += 1;
      if (value !== undefined) amended.add(index);
      if (value === withheld) continue;
      choice.calls.push(call);
      if (value === undefined) continue;
      call.input = call.kind === 'custom' ? customInput(value) : JSON.stringify(objectArguments(value));
    }
  }
  return amended;
}

/** A choice's calls, whole, as one delta. */
function wholeCalls(choice: ChatChoice): JsonRecord {
  const list: unknown[] = [];
  let legacy: JsonRecord = {};
  for (let i = 0; i < choice.calls.length; i += 1) {
    const call = choice.calls[i];
    const delta = call === undefined ? {} : callDelta(call, i);
    if (Array.isArray(delta['tool_calls'])) list.push(...delta['tool_calls']);
    else legacy = delta;
  }
  return { ...(list.length === 0 ? {} : { tool_calls: list }), ...legacy };
}

/**
 * Puts all calls of an amended choice where its first one began. Everything else stays where it was: a caller
 * that has the text before them already must find the text after them there.
 */
function callsInPlace(
  original: Buffer,
  choices: ReadonlyMap<number, ChatChoice>,
  amended: ReadonlySet<number>,
): Buffer {
  const written = new Set<number>();
  const named = new Set<number>();

  function choiceWith(given: unknown): unknown {
    const delta = isRecord(given) ? given['delta'] : undefined;
    if (!isRecord(given) || !isRecord(delta)) return given;
    const index = typeof given['index'] === 'number' ? given['index'] : 0;
    if (!isAbsent(delta['role'])) named.add(index);
    const choice = amended.has(index) ? choices.get(index) : undefined;
    const entry = choice?.calls.length === 0 ? ended(given) : given;
    const { tool_calls: calls, function_call: legacy, ...rest } = delta;
    if (choice === undefined) return entry;
    // What shows something before the first call tells the tokens of that alone.
    if (isAbsent(calls) && isAbsent(legacy))
      return written.has(index) || (tellsTokens(entry) && !showsSomething(rest)) ? unspelled(entry) : entry;
    if (written.has(index)) return { ...unspelled(entry), delta: rest };
    written.add(index);
    // Some SDKs refuse an answer that never says whose it is, and some join what says so twice.
    const role = named.has(index) ? {} : { role: 'assistant' };
    return { ...unspelled(entry), delta: { ...role, ...rest, ...wholeCalls(choice) } };
  }

  return rewriteStream(original, (chunk) => {
    const list = chunk['choices'];
    const rest = written.size === 0 ? chunk : withoutSaidAgain(chunk);
    if (!Array.isArray(list)) return rest === chunk ? null : [rest];
    const next = list.map(choiceWith);
    return rest === chunk && next.every((entry, i) => entry === list[i])
      ? null
      : [{ ...rest, choices: next }];
  });
}

/** A new stream of the whole answer, whose text is another. */
function streamAnew(original: Buffer, choices: ReadonlyMap<number, ChatChoice>, text: string): Buffer {
  if (choices.size > 1) throw unamendable('it has several choices');
  const { frame, usage } = frameOf(original);
  const out: Buffer[] = [];
  for (const [index, choice] of choices) {
    choice.text = text;
    for (const delta of choiceDeltas(choice)) {
      out.push(sseBytes('', { ...frame, choices: [{ index, delta, finish_reason: null }] }));
    }
    const finish = choice.finishReason === '' ? null : choice.finishReason;
    out.push(sseBytes('', { ...frame, choices: [{ index, delta: {}, finish_reason: finish }] }));
  }
  if (usage !== undefined) out.push(sseBytes('', { ...frame, choices: [], usage }));
  out.push(Buffer.from('data: [DONE]\n\n'));
  return Buffer.concat(out);
}

function amendStream(original: Buffer, amendment: Amendment): Buffer {
  const { reading, choices } = readStream(original);
  const at = planAmendment(reading, amendment);
  const changed = amendCalls(choices, at);
  const amended =
    amendment.text === undefined
      ? callsInPlace(original, choices, changed)
      : streamAnew(original, choices, amendment.text);
  const after = readStream(amended).reading;
  confirmAmended(after, amendment);
  const meant = [...choices.values()].flatMap(({ calls }) => calls.map(({ input }) => input));
  // Behind them stand tools that the provider ran.
  const read = after.facts.toolCalls.slice(0, meant.length).map(({ argumentsText }) => argumentsText);
  const text = amendment.text ?? reading.facts.text;
  if (!isDeepStrictEqual(read, meant) || after.facts.text !== text) {
    throw unamendable('its parts cannot be told from one another');
  }
  return amended;
}

/** The answer with the amendment applied, in its own form. */
export function amendChat(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  return streaming ? amendStream(original, amendment) : amendJson(original, amendment);
}
