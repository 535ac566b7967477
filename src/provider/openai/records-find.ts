/**
 * Every call and every text inside an object, however deep and whatever shape the object has. A call that stands beside
 * what came of it counts like any other: that may be the word of a workload to which the call was never let through. Pure.
 */
import { joined } from '../reading/reading.ts';
import { isPlainCall } from '../served/plain-calls.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** Items that ask for something to be done, by their type; definitions of tools have other names. */
const callType = /_call$|_approval_request$|^command_execution$|(^|_)tool_use$/;
/** Tools that the provider runs within a run, under the member of the same name. */
const runTools: readonly string[] = ['code_interpreter', 'file_search'];
const textMembers: ReadonlySet<string> = new Set(['text', 'content', 'transcript', 'refusal', 'value']);

/** Definitions of tools, and places within a text that was read already. */
const membersPassedOver: ReadonlySet<string> = new Set(['tools', 'annotations']);

/** How a call is written: as in a chat, as in its legacy form, as an item, as a provider's tool in a run, or without a wrapper. */
type CallShape = 'function' | 'custom' | 'legacy' | 'item' | 'run-tool' | 'plain';

/** The shape of a call that this object is; null where it is none. A definition of a tool has no arguments. */
function shapeOf(value: JsonRecord): CallShape | null {
  const type = textOf(value.type);
  if (isRecord(value.function) && (type === 'function' || type === '')) {
    return 'arguments' in value.function ? 'function' : null;
  }
  if (isRecord(value.custom) && 'input' in value.custom) return 'custom';
  if (runTools.includes(type)) return isRecord(value[type]) ? 'run-tool' : null;
  // Code that calls tools; of what it called, the caller is named by the same type.
  if (type === 'program') return 'code' in value ? 'item' : null;
  // Snowflake's, whose call stands in it.
  if (type === 'tool_use' && isRecord(value.tool_use)) return null;
  return callType.test(type) ? 'item' : null;
}

export interface FoundCall {
  readonly call: JsonRecord;
  readonly shape: CallShape;
}

export interface Found {
  readonly calls: FoundCall[];
  text: string;
}

function search(value: unknown, found: Found): void {
  if (Array.isArray(value)) {
    for (const element of value) search(element, found);
    return;
  }
  if (!isRecord(value)) return;
  const shape = shapeOf(value);
  if (shape !== null) {
    found.calls.push({ call: value, shape });
    searchBeside(value, found);
    return;
  }
  for (const [key, member] of Object.entries(value)) searchMember(key, member, found);
}

function searchMember(key: string, member: unknown, found: Found): void {
  if (typeof member === 'string') {
    if (textMembers.has(key)) found.text = joined(found.text, member);
  } else if (key === 'function_call' && isRecord(member)) {
    found.calls.push({ call: member, shape: 'legacy' });
  } else if (key === 'tool_use' && isRecord(member)) {
    found.calls.push({ call: member, shape: 'plain' });
  } else if (key === 'tool_call' && isRecord(member) && isPlainCall(member)) {
    // Letta's.
    found.calls.push({ call: member, shape: 'plain' });
  } else if ((key === 'tool_calls' || key === 'toolCalls') && Array.isArray(member)) {
    searchCalls(member, found);
  } else if (!membersPassedOver.has(key)) {
    search(member, found);
  }
}

/** Members in which a call has what its tool is handed. */
const handedMembers: ReadonlySet<string> = new Set([
  'function',
  'custom',
  'arguments',
  'input',
  'args',
  'parameters',
  'action',
  ...runTools,
]);
/** Where it has what came of it, which is nobody's word. */
const resultMembers: ReadonlySet<string> = new Set(['output', 'outputs', 'results', 'result']);

/** What else stands in an object that is a call: clients look for calls and words in places, whatever an object's type says. */
function searchBeside(call: JsonRecord, found: Found): void {
  for (const [key, member] of Object.entries(call)) {
    if (handedMembers.has(key)) continue;
    const beside: Found = { calls: found.calls, text: '' };
    searchMember(key, member, beside);
    if (!resultMembers.has(key)) found.text = joined(found.text, beside.text);
  }
}

/** The answer without what says which tools its calls are of, and what they hand to them. */
export function withoutHanded(value: unknown, find: Find): unknown {
  const calls = new Set<unknown>(find(value).calls.map(({ call }) => call));
  const strip = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(strip);
    if (!isRecord(inner)) return inner;
    const isBeside = ([key, member]: [string, unknown]): boolean =>
      textMembers.has(key) || (typeof member === 'object' && !handedMembers.has(key));
    const members = Object.entries(inner);
    const kept = calls.has(inner) ? members.filter(isBeside) : members;
    return Object.fromEntries(kept.map(([key, member]) => [key, strip(member)]));
  };
  return strip(value);
}

function shapeInList(call: JsonRecord): CallShape {
  if (isRecord(call.function)) return 'function';
  return isPlainCall(call) ? 'plain' : 'item';
}

/** Whatever stands in a list of calls is one, even without arguments or of a type nobody knows. */
function searchCalls(list: readonly unknown[], found: Found): void {
  for (const call of list) {
    if (isRecord(call)) found.calls.push({ call, shape: shapeOf(call) ?? shapeInList(call) });
  }
}

/** Every call and every text inside an object. The value must be bounded in depth, as readJson makes it. */
export function findWithin(value: unknown): Found {
  const found: Found = { calls: [], text: '' };
  search(value, found);
  return found;
}

export type Find = typeof findWithin;
