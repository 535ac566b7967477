/**
 * OpenAI objects that tell again, or in another shape, what a model said: runs with their required action, run
 * steps, messages, conversation items, stored completions, and lists of them. Wherever such an object asks for
 * a tool to be called, however deep, that is a tool call: reading a held one back must not show it. Pure.
 */
import type { ToolCallFact, UsageFacts } from '../../core/facts.ts';
import {
  confirmAmended,
  customInput,
  objectArguments,
  planAmendment,
  rewriteJson,
  unamendable,
} from '../amending/amendment.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { qualified, scopeOfBlock } from '../reading/call-readings.ts';
import { addCall, addJsonCall, openAnswer, unreadResponse, usageAbsent } from '../reading/reading.ts';
import { addPlainCall, plainCallWith } from '../served/plain-calls.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { argumentsTextOf } from './call-arguments.ts';
import { type Find, type FoundCall, findWithin } from './records-find.ts';
import { addItemCall } from './responses.ts';

/** True for a call as Anthropic writes one, which servers of models answer with too. */
function isToolUse({ type, name, input }: JsonRecord): boolean {
  return textOf(type).endsWith('tool_use') && textOf(name) !== '' && isRecord(input);
}

/** Adds a found call to the facts. */
export function addFoundCall({ call, shape }: FoundCall, into: ToolCallFact[], defects: string[]): void {
  const id = textOf(call.id);
  const type = textOf(call.type);
  const inner = call[shape === 'run-tool' ? type : shape];
  const own = isRecord(inner) ? inner : {};
  if (isToolUse(call)) {
    const made = {
      name: textOf(call.name),
      arguments: call.input,
      argumentsText: JSON.stringify(call.input),
    };
    addCall(
      into,
      defects,
      id,
      made.name,
      call.input,
      made.argumentsText,
      qualified(scopeOfBlock(call), made),
    );
  } else if (shape === 'plain') {
    addPlainCall(call, into, defects);
  } else if (shape === 'item') {
    addItemCall(call, into, defects);
  } else if (shape === 'run-tool') {
    const asked = typeof own.input === 'string' ? { input: own.input } : {};
    addCall(into, defects, id, type, asked, textOf(own.input));
  } else if (shape === 'custom') {
    const input = textOf(own.input);
    addCall(into, defects, id, textOf(own.name), { input }, input);
  } else {
    const fn = shape === 'legacy' ? call : own;
    addJsonCall(into, defects, id, textOf(fn.name), argumentsTextOf(fn.arguments, defects));
  }
}

/** Tokens under the names of either of OpenAI's two generations. */
export function readEitherUsage(usage: unknown): UsageFacts {
  if (!isRecord(usage)) return usageAbsent;
  return {
    source: 'provider',
    inputTokens: countOf(usage.prompt_tokens ?? usage.input_tokens),
    outputTokens: countOf(usage.completion_tokens ?? usage.output_tokens),
    totalTokens: countOf(usage.total_tokens),
  };
}

/** Reads a whole answer of status below 400. An empty one says nothing. */
export function readRecords(status: number, bytes: Buffer, find: Find = findWithin): ResponseReading {
  if (bytes.length === 0) return unreadResponse(status, '');
  const { body, defects, unread } = openAnswer(status, bytes);
  return body === null ? unread : recordsOf(status, body, defects, find);
}

/** The same of an answer that is read already, with what was wrong with it. */
export function recordsOf(
  status: number,
  body: JsonRecord,
  before: readonly string[],
  find: Find = findWithin,
): ResponseReading {
  const defects = [...before];
  const found = find(body);
  const toolCalls: ToolCallFact[] = [];
  for (const call of found.calls) addFoundCall(call, toolCalls, defects);
  const facts = {
    status,
    model: textOf(body.model),
    fingerprint: '',
    text: found.text,
    toolCalls,
    finishReason: textOf(body.status),
    usage: readEitherUsage(body.usage),
    refusal: '',
  };
  return { facts, defects, complete: true, failed: !isAbsent(body.error) };
}

/** The call with other arguments. Throws where they are fixed by the provider. */
export function callWith({ call, shape }: FoundCall, value: unknown): JsonRecord {
  const type = textOf(call.type);
  if (shape === 'plain') return plainCallWith(call, value);
  const written = () => JSON.stringify(objectArguments(value));
  if (shape === 'legacy' || type === 'function_call') return { ...call, arguments: written() };
  if (type === 'custom_tool_call') return { ...call, input: customInput(value) };
  if (isToolUse(call)) return { ...call, input: objectArguments(value) };
  if (shape === 'custom' && isRecord(call.custom)) {
    return { ...call, custom: { ...call.custom, input: customInput(value) } };
  }
  if (shape === 'function' && isRecord(call.function)) {
    return { ...call, function: { ...call.function, arguments: written() } };
  }
  throw unamendable(`the arguments of a ${type} are fixed by the provider`);
}

function withReplaced(value: unknown, replaced: ReadonlyMap<unknown, JsonRecord>): unknown {
  const replacement = replaced.get(value);
  if (replacement !== undefined) return replacement;
  if (Array.isArray(value)) return value.map((element: unknown) => withReplaced(element, replaced));
  return isRecord(value) ? withCalls(value, replaced) : value;
}

/** The object with these calls in the place of others; the same where nothing in it changed: a number whose spelling is kept must not be rebuilt. */
export function withCalls(value: JsonRecord, replaced: ReadonlyMap<unknown, JsonRecord>): JsonRecord {
  const next = Object.entries(value).map(([key, member]) => [key, withReplaced(member, replaced)] as const);
  return next.every(([key, member]) => member === value[key]) ? value : Object.fromEntries(next);
}

/** The answer with new arguments where its calls stand; its texts cannot be told from each other to be replaced. */
export function amendRecords(
  original: Buffer,
  streaming: boolean,
  amendment: Amendment,
  find: Find = findWithin,
): Buffer {
  if (streaming) throw unamendable('a stream of this operation is not rewritten');
  if (amendment.text !== undefined) throw unamendable('its text does not stand in one place');
  const okStatus = 200;
  const at = planAmendment(readRecords(okStatus, original, find), amendment);
  const amended = rewriteJson(original, (body) => {
    const replaced = new Map<unknown, JsonRecord>();
    find(body).calls.forEach((found, place) => {
      const value = at.get(place);
      if (value !== undefined) replaced.set(found.call, callWith(found, value));
    });
    return withCalls(body, replaced);
  });
  confirmAmended(readRecords(okStatus, amended, find), amendment);
  return amended;
}
