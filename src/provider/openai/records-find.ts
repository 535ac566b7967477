/**
 * Every call and every text inside an object, however deep and whatever shape the object has. Pure.
 */
import { joined } from '../reading/reading.ts';
import { isPlainCall } from '../served/plain-calls.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** Items that ask for something to be done, by their type; definitions of tools have other names. */
const callType = /_call$|_approval_request$|^command_execution$|(^|_)tool_use$/;
/** What a call led to, by the call's id. */
const outputType = /_call_output$|^(program|tool_search)_output$/;
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

/** The ids of calls that were answered; null where calls wait for the workload, whatever is said beside them. */
type Answered = ReadonlySet<string> | null;
/** Calls that a run or a session waits for. */
const waiting: ReadonlySet<string> = new Set(['required_action', 'required_actions']);

/** True where the workload has answered the call already: it was let through, and nobody acts on it again. */
function isAnswered(value: JsonRecord, answered: Answered): boolean {
  if (answered === null) return false;
  if (isRecord(value.function) && !isAbsent(value.function.output)) return true;
  const id = textOf(value.call_id);
  return id !== '' && answered.has(id);
}

export interface FoundCall {
  readonly call: JsonRecord;
  readonly shape: CallShape;
}

export interface Found {
  readonly calls: FoundCall[];
  text: string;
}

function answeredIn(value: unknown, answered: Set<string>): void {
  if (Array.isArray(value)) {
    for (const element of value) answeredIn(element, answered);
  } else if (isRecord(value)) {
    if (outputType.test(textOf(value.type))) answered.add(textOf(value.call_id));
    for (const member of Object.values(value)) answeredIn(member, answered);
  }
}

function search(value: unknown, found: Found, answered: Answered): void {
  if (Array.isArray(value)) {
    for (const element of value) search(element, found, answered);
    return;
  }
  if (!isRecord(value)) return;
  const shape = shapeOf(value);
  if (shape !== null) {
    if (!isAnswered(value, answered)) found.calls.push({ call: value, shape });
    searchBeside(value, found, answered);
    return;
  }
  for (const [key, member] of Object.entries(value)) searchMember(key, member, found, answered);
}

function searchMember(key: string, member: unknown, found: Found, answered: Answered): void {
  if (typeof member === 'string') {
    if (textMembers.has(key)) found.text = joined(found.text, member);
  } else if (key === 'function_call' && isRecord(member)) {
    found.calls.push({ call: member, shape: 'legacy' });
  } else if (key === 'tool_use' && isRecord(member)) {
    found.calls.push({ call: member, shape: 'plain' });
  } else if ((key === 'tool_calls' || key === 'toolCalls') && Array.isArray(member)) {
    searchCalls(member, found, answered);
  } else if (!membersPassedOver.has(key)) {
    search(member, found, waiting.has(key) ? null : answered);
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
function searchBeside(call: JsonRecord, found: Found, answered: Answered): void {
  for (const [key, member] of Object.entries(call)) {
    if (handedMembers.has(key)) continue;
    const beside: Found = { calls: found.calls, text: '' };
    searchMember(key, member, beside, answered);
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
function searchCalls(list: readonly unknown[], found: Found, answered: Answered): void {
  for (const call of list) {
    if (!isRecord(call) || isAnswered(call, answered)) continue;
    found.calls.push({ call, shape: shapeOf(call) ?? shapeInList(call) });
  }
}

/** Every call and every text inside an object. The value must be bounded in depth, as readJson makes it. */
export function findWithin(value: unknown): Found {
  const answered = new Set<string>();
  answeredIn(value, answered);
  const found: Found = { calls: [], text: '' };
  search(value, found, answered);
  return found;
}

/** The same inside what a model answers: nobody has acted on a call in it, whatever the answer says came of one. */
export function findInAnswer(value: unknown): Found {
  const found: Found = { calls: [], text: '' };
  search(value, found, null);
  return found;
}

export type Find = typeof findWithin;
