/**
 * What all API families share when they turn wire forms into facts: neutral facts, bounds, tool calls,
 * texts. A defect is a sentence a developer understands; whoever reads one holds. Must not know any family.
 */
import type { CallReading, ResponseFacts, ToolCallFact, UsageFacts } from '../../core/facts.ts';
import type { RequestBodyFacts, RequestReading, ResponseReading } from '../protocol.ts';
import { isAbsent, isRecord, type JsonRecord, readJson, readJsonText, textOf } from '../wire/json.ts';
import { respelledIn } from './answer-spelling.ts';
import { saidInBytes, saidInUrl } from './encoded-text.ts';
import { usesWithin } from './parallel-uses.ts';

export const messagesMax = 10_000;
export const toolsMax = 4_000;
export const toolCallsMax = 1_000;
/** Further defects say nothing new. */
export const defectsMax = 16;

const nothingRead: RequestBodyFacts = {
  model: '',
  stream: false,
  params: {},
  system: '',
  messages: [],
  text: '',
  tools: [],
};

export const usageAbsent: UsageFacts = { source: 'absent', inputTokens: 0, outputTokens: 0, totalTokens: 0 };

/** What several answers used together; one that does not say counts for nothing. */
export function usageSum(a: UsageFacts, b: UsageFacts): UsageFacts {
  if (a.source === 'absent' || b.source === 'absent') return a.source === 'absent' ? b : a;
  return {
    source: 'provider',
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
  };
}

/** A request of which nothing is known; `defect` '' where nothing had to be known. */
export function unreadRequest(defect: string): RequestReading {
  return { facts: nothingRead, defects: defect === '' ? [] : [defect] };
}

/** An answer of which only the status is known. */
export function unreadResponse(status: number, defect: string): ResponseReading {
  const facts: ResponseFacts = {
    status,
    model: '',
    fingerprint: '',
    text: '',
    toolCalls: [],
    finishReason: '',
    usage: usageAbsent,
    refusal: '',
  };
  const defects = defect === '' ? [] : [defect];
  return { facts, defects, complete: defect === '', failed: false };
}

export function note(defects: string[], defect: string): void {
  if (defect !== '' && defects.length < defectsMax && !defects.includes(defect)) defects.push(defect);
}

/** A body that is one JSON object, with what is doubtful about it so far; or all that can be said without one. */
export type Opened<Reading> =
  | { readonly body: JsonRecord; readonly defects: string[]; readonly unread: null }
  | { readonly body: null; readonly defects: string[]; readonly unread: Reading };

function openObject<Reading>(
  bytes: Buffer,
  what: string,
  unreadFor: (defect: string) => Reading,
): Opened<Reading> {
  const { value, defect } = readJson(bytes, what);
  if (isRecord(value)) return { body: value, defects: defect === '' ? [] : [defect], unread: null };
  const doubt = defect || `${what} is not a JSON object`;
  return { body: null, defects: [doubt], unread: unreadFor(doubt) };
}

/** Opens a request body that should be one JSON object. An empty one asks for nothing: no defect. */
export function openRequest(bytes: Buffer): Opened<RequestReading> {
  if (bytes.length === 0) return { body: null, defects: [], unread: unreadRequest('') };
  return openObject(bytes, 'the request body', unreadRequest);
}

/** Opens a whole answer of status below 400 that should be one JSON object. */
export function openAnswer(status: number, bytes: Buffer): Opened<ResponseReading> {
  const opened = openObject(bytes, 'the answer', (defect) => unreadResponse(status, defect));
  note(opened.defects, respelledIn(opened.body));
  return opened;
}

/**
 * An id that names this call alone: providers leave ids out or repeat them, and a ruling must not be able
 * to mean another call than the one that was read.
 */
function distinctId(calls: readonly ToolCallFact[], id: string): string {
  if (id === '') return `#${calls.length + 1}`;
  for (let i = 0; i < calls.length; i += 1) {
    if (calls[i]?.id === id) return `${id}#${calls.length + 1}`;
  }
  return id;
}

/** Whether the provider gave this id, by which its messages name a call, to another call too. */
export function isIdOfOthers(calls: readonly { readonly id: string }[], id: string): boolean {
  return calls.some((call) => call.id.startsWith(`${id}#`));
}

/**
 * Adds a call whose arguments are already a value; `argumentsText` is how the provider wrote them, `alsoAs` how else the
 * call is known.
 */
export function addCall(
  calls: ToolCallFact[],
  defects: string[],
  id: string,
  name: string,
  value: unknown,
  argumentsText: string,
  alsoAs: readonly CallReading[] = [],
): void {
  if (calls.length >= toolCallsMax) {
    note(defects, `more than ${toolCallsMax} tool calls`);
    return;
  }
  // No rule that names a tool can mean it, and a client may have a name for it.
  if (name.trim() === '') note(defects, 'a tool call has no name');
  const call = { id: distinctId(calls, id), name, arguments: value, argumentsText };
  const handed = new Set([value, ...alsoAs.map((other) => other.arguments)]);
  const uses = [...handed].flatMap(usesWithin);
  if (uses.length > toolCallsMax) note(defects, `more than ${toolCallsMax} tool calls`);
  const others = [...alsoAs, ...uses.slice(0, toolCallsMax)];
  calls.push(others.length === 0 ? call : { ...call, alsoAs: others });
}

/** Adds a call whose arguments the provider wrote as JSON text; `alsoAs` says of it, as it was read, how else it is known. */
export function addJsonCall(
  calls: ToolCallFact[],
  defects: string[],
  id: string,
  name: string,
  argumentsText: string,
  alsoAs: (call: CallReading) => readonly CallReading[] = () => [],
): void {
  let value: unknown = {};
  if (argumentsText !== '') {
    const reading = readJsonText(argumentsText, `the argument text of a tool call`);
    note(defects, reading.defect);
    if (reading.value !== undefined) value = reading.value;
  }
  const call = { name, arguments: value, argumentsText };
  addCall(calls, defects, id, name, value, argumentsText, alsoAs(call));
}

/** A piece of what clients put together. They write any other value as a text of their own, `null` as "null". */
export function pieceOf(value: unknown, what: string, defects: string[]): string {
  if (typeof value !== 'string') note(defects, `${what} is not a text`);
  return textOf(value);
}

/** The name of a tool in a piece of a call, '' for none. Where a tool is looked up JavaScript makes a text of anything. */
export function namePieceOf(value: unknown, defects: string[]): string {
  if (!isAbsent(value) && typeof value !== 'string') note(defects, 'the name of a tool call is not a text');
  return textOf(value);
}

/** Joins two texts by a newline where both say something. */
export function joined(before: string, after: string): string {
  if (after === '') return before;
  return before === '' ? after : `${before}\n${after}`;
}

/** Characters that are looked through, over a whole answer, for what was said before. */
const searchedCharactersMax = 16 * 1024 * 1024;

/**
 * Tells whether a text that grows has a part already. Each question goes through all of it: with very many of them, what
 * was said before counts as new, and stands there twice.
 */
export function openSaidBefore(): (text: string, part: string) => boolean {
  let searched = 0;
  return (text, part) => {
    if (part === '') return true;
    if (searched > searchedCharactersMax) return false;
    searched += text.length;
    return text.includes(part);
  };
}

/**
 * A text in pieces of which nobody knows whether they are messages or parts of one: as lines, and without anything between
 * them where the lines do not have that already.
 */
export function openRunningText(): { add(said: string, piece?: string): void; text(): string } {
  let lines = '';
  let run = '';
  return {
    add(said, piece = said) {
      lines = joined(lines, said);
      run += piece;
    },
    text: () => (lines.includes(run) ? lines : joined(lines, run)),
  };
}

/** Every text inside a value of unknown shape, so that rules on text see what a new content form carries. */
export function textWithin(value: unknown): string {
  // What is written stays: nothing says that whoever reads it decodes all that is behind such a beginning.
  if (typeof value === 'string') return joined(value, saidInUrl(value));
  let text = '';
  if (Array.isArray(value)) {
    for (const element of value) text = joined(text, textWithin(element));
  } else if (isRecord(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (key !== 'type') text = joined(text, textWithin(member));
    }
    text = joined(text, saidInBytes(value));
  }
  return text;
}

/** How many token ids a member holds in place of words: a list of them, or lists of them and of words. */
export function tokenIdsIn(value: unknown): number {
  if (!Array.isArray(value)) return 0;
  let count = 0;
  for (const element of value) count += typeof element === 'number' ? 1 : tokenIdsIn(element);
  return count;
}

/** The scalar members of a request other than those that have facts of their own. */
export function scalarParams(body: JsonRecord, known: ReadonlySet<string>): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const key of Object.keys(body)) {
    const value = body[key];
    if (typeof value === 'object' || value === undefined || known.has(key) || key === '__proto__') continue;
    params[key] = value;
  }
  return params;
}

/** The `stream` flag; a form that a provider may coerce and we would not is a defect. */
export function streamFlag(value: unknown, defects: string[]): boolean {
  if (typeof value === 'boolean') return value;
  if (!isAbsent(value)) note(defects, '`stream` is neither true nor false');
  return false;
}

/** The `model` name; anything but a text is a defect. */
export function modelName(value: unknown, defects: string[]): string {
  if (!isAbsent(value) && typeof value !== 'string') note(defects, '`model` is not a text');
  return textOf(value);
}

/** The objects of a list bounded to `countMax`; what else stands in it is a defect, and left out. */
export function boundedRecords(
  value: unknown,
  countMax: number,
  what: string,
  defects: string[],
): readonly JsonRecord[] {
  const list = boundedList(value, countMax, what, defects);
  if (list.every(isRecord)) return list;
  note(defects, `an entry of ${what} is not an object`);
  return list.filter(isRecord);
}

/** A list bounded to `countMax`; absent is empty, another shape or a longer list is a defect. */
export function boundedList(
  value: unknown,
  countMax: number,
  what: string,
  defects: string[],
): readonly unknown[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) {
    note(defects, `${what} is not a list`);
    return [];
  }
  if (value.length <= countMax) return value;
  note(defects, `${what} has more than ${countMax} entries`);
  return value.slice(0, countMax);
}
