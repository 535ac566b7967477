/**
 * Writes a reviewer's amendment into the withheld messages of an answer: the arguments of its calls, wherever the
 * messages repeat them. Its text was played or shown before the hold, so that cannot be changed. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { asJson, confirmCalls } from '../amending/amended-calls.ts';
import {
  type ArgumentsAt,
  objectArguments,
  parseForRewrite,
  planAmendment,
  unamendable,
} from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { isIdOfOthers } from '../reading/reading.ts';
import { isRecord, type JsonRecord, readJsonText, textOf } from '../wire/json.ts';
import { decodeSocketBody, encodeSocketBody, type SocketRecord } from './body.ts';
import { socketDialectOf } from './dialects.ts';
import { readSocketAnswer } from './understood.ts';

/**
 * The answer's body with the amendment in it. Throws HoldpointError `invalid_argument` when it does not fit, or when the
 * messages, read again, say anything but the original with the amendment.
 */
export function amendSocketAnswer(operation: unknown, body: Buffer, amendment: Amendment): Buffer {
  if (amendment.text !== undefined) throw unamendable('its text is not held back');
  const reading = readSocketAnswer(body);
  // By what was judged first: of the session around them, the messages alone know nothing.
  planAmendment(reading, amendment);
  const { understood, records } = decodeSocketBody(body);
  const before = readAgain(operation, records);
  if (!isDeepStrictEqual(asJson(before.facts.toolCalls), asJson(reading.facts.toolCalls)))
    throw unamendable('its messages, read again, have other tool calls than those that were judged');
  const at = planAmendment(before, amendment);
  const plan = planCalls(before.facts.toolCalls, at, records);
  const rewritten = records.flatMap((record) => rewriteRecord(record, plan));
  for (const id of plan.byCallId.keys())
    if (!plan.written.has(id)) throw unamendable(`its messages do not name the call ${JSON.stringify(id)}`);
  const after = readAgain(operation, rewritten);
  confirmCalls(before, after, at, amendment);
  const { toolCalls } = after.facts;
  return encodeSocketBody({ facts: { ...understood.facts, toolCalls }, defects: [] }, rewritten);
}

/** What the answer says whose messages were withheld, as the API's own reader reads them. */
function readAgain(operation: unknown, records: readonly SocketRecord[]): ResponseReading {
  const reader = socketDialectOf(operation)?.open('');
  let answer: string | null = null;
  for (const { sender, way, data, opcode } of records) {
    if (sender !== 'server' || data === null) continue;
    const said = reader?.readServer({ data, binary: opcode === 'binary' });
    if (way === 'withheld') answer = said?.answer ?? null;
  }
  if (reader === undefined || answer === null) throw unamendable('its messages cannot be read again');
  return reader.reading(answer);
}

interface Plan {
  /** All of the answer's calls. */
  readonly ids: ReadonlySet<string>;
  readonly byCallId: ReadonlyMap<string, JsonRecord>;
  /** Events of the deltas name the item, and not always the call. */
  readonly callIdByItem: ReadonlyMap<string, string>;
  /** Calls whose first piece was written: the others say nothing more. */
  readonly begun: Set<string>;
  readonly written: Set<string>;
}

function planCalls(
  calls: readonly { readonly id: string }[],
  at: ArgumentsAt,
  records: readonly SocketRecord[],
): Plan {
  const byCallId = new Map<string, JsonRecord>();
  for (const [place, value] of at) {
    const id = calls[place]?.id;
    if (id === undefined) continue;
    if (isIdOfOthers(calls, id)) throw unamendable(`several of its calls have the id ${JSON.stringify(id)}`);
    byCallId.set(id, objectArguments(value));
  }
  const callIdByItem = new Map<string, string>();
  const note = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(note);
    if (!isRecord(value)) return;
    if (value.type === 'function_call') callIdByItem.set(textOf(value.id), textOf(value.call_id));
    Object.values(value).forEach(note);
  };
  for (const { data } of records) note(parsed(data));
  const ids = new Set(calls.map(({ id }) => id));
  return { ids, byCallId, callIdByItem, begun: new Set(), written: new Set() };
}

/** A call as OpenAI and as Google write one. What stands within is handed to its tool, whatever it looks like. */
function isCall({ type, name, args }: JsonRecord): boolean {
  return type === 'function_call' || (typeof name === 'string' && isRecord(args));
}

/** Null for what is no JSON, or nested too deep to be walked: it stands beside the answer, or is a defect of it. */
function parsed(data: Buffer | null): unknown {
  const text = data?.toString('utf8') ?? '';
  return readJsonText(text, 'a message').value === undefined ? null : parseForRewrite(text);
}

function rewriteRecord(record: SocketRecord, plan: Plan): readonly SocketRecord[] {
  const value = record.way === 'withheld' ? parsed(record.data) : null;
  if (!isRecord(value)) return [record];
  const rewritten = rewriteEvent(value, plan);
  if (rewritten === value) return [record];
  if (rewritten === null) return [];
  const data = Buffer.from(JSON.stringify(rewritten));
  return [{ ...record, data, bytes: data.length }];
}

const pieces = 'response.function_call_arguments.';

/** The event with the new arguments; null where nothing of it is left, itself where none of it is meant. */
function rewriteEvent(event: JsonRecord, plan: Plan): unknown {
  const type = textOf(event.type);
  if (!type.startsWith(pieces)) return rewriteCalls(event, plan);
  const id = textOf(event.call_id) || (plan.callIdByItem.get(textOf(event.item_id)) ?? '');
  // It may be one of the amended ones, whose arguments would go out after all.
  if (!plan.ids.has(id)) throw unamendable('a piece of arguments names none of its calls');
  const value = plan.byCallId.get(id);
  if (value === undefined) return event;
  const text = JSON.stringify(value);
  // Its length is that of the arguments before.
  const { obfuscation: _padding, ...rest } = withoutSaidAgain(event);
  if (type === `${pieces}done`) return { ...rest, arguments: text };
  if (plan.begun.has(id)) return null;
  plan.begun.add(id);
  return { ...rest, delta: text };
}

/** Every call within. The same object where there is none to change. */
function rewriteCalls(value: unknown, plan: Plan): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => rewriteCalls(item, plan));
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  if (!isRecord(value)) return value;
  if (isCall(value)) return rewriteCall(value, plan);
  const entries = Object.entries(value).map(([key, member]) => [key, rewriteCalls(member, plan)] as const);
  const isChanged = entries.some(([key, member]) => member !== value[key]);
  return isChanged ? withoutSaidAgain(Object.fromEntries(entries)) : value;
}

function rewriteCall(call: JsonRecord, plan: Plan): JsonRecord {
  const id = textOf(call.call_id) || textOf(call.id);
  const next = plan.byCallId.get(id);
  if (next === undefined) return call;
  const isItem = call.type === 'function_call';
  // An item that has just begun has no arguments yet.
  if (isItem && textOf(call.arguments) === '') return call;
  plan.written.add(id);
  const rest = withoutSaidAgain(call);
  return isItem ? { ...rest, arguments: JSON.stringify(next) } : { ...rest, args: next };
}
