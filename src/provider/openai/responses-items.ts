/**
 * One output item of a streamed response: what its events say of it one after another, and whether all of them say the
 * same. Clients differ in which they believe, so a difference is a defect. Pure.
 */

import { note } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';
import type { OutputSaid } from './responses.ts';

export interface ItemInProgress {
  /** Its opening was seen; otherwise its deltas are only the last of them. */
  opened: boolean;
  /** The item as last sent whole, on `added` and again on `done`. */
  item: JsonRecord | null;
  done: boolean;
  /** Deltas by what they build: call arguments under '', texts under their content index. */
  readonly pieces: Map<string, string>;
  /** What the last of its deltas says of the call beside its arguments, where clients may take it up. */
  readonly told: Map<string, string>;
}

/** Members of a call that events build, by what the events are called after. */
export const argumentsMember: ReadonlyMap<string, string> = new Map([
  ['response.function_call_arguments', 'arguments'],
  ['response.mcp_call_arguments', 'arguments'],
  ['response.custom_tool_call_input', 'input'],
  ['response.code_interpreter_call_code', 'code'],
  ['response.apply_patch_call_operation_diff', 'diff'],
]);

const membersTold = ['name', 'call_id'] as const;

/** Takes what an event of arguments says of its call. */
export function hearTold({ told }: ItemInProgress, value: JsonRecord, defects: string[]): void {
  for (const member of membersTold) {
    const said = value[member];
    if (isAbsent(said)) continue;
    if (typeof said !== 'string' || (told.get(member) ?? said) !== said) note(defects, toldOtherwise);
    else told.set(member, said);
  }
}

export const toldOtherwise = 'the events of an output item name another call than the item';

/** Notes a call that its item tells otherwise than the events of its arguments, or that no item tells. */
export function checkTold({ item, told, pieces }: ItemInProgress, defects: string[]): void {
  const isCalled = [...pieces.keys()].some((key) => builtMembers.includes(key.split('.', 1)[0] ?? ''));
  if (item === null && isCalled) note(defects, 'a tool call is in no output item');
  for (const [member, said] of told) if (item !== null && item[member] !== said) note(defects, toldOtherwise);
}

/** Under which key the deltas of a text are kept. */
export function contentKey(value: JsonRecord, member: string): string {
  return `${member}.${typeof value.content_index === 'number' ? value.content_index : 0}`;
}

/** Under which key the pieces of a shell's command are kept. */
export function commandKey({ command_index: index }: JsonRecord): string {
  return `command.${typeof index === 'number' ? index : 0}`;
}

/** The commands of a shell's call. */
function commandsOf({ action }: JsonRecord): readonly unknown[] {
  return isRecord(action) && Array.isArray(action.commands) ? action.commands : [];
}

/** What deltas build of a call: a patch has it one level deeper. */
function inputOf(item: JsonRecord, member: string): unknown {
  if (member !== 'diff') return item[member];
  return isRecord(item.operation) ? item.operation.diff : undefined;
}

/** Whether deltas built this text; of an item whose opening was not seen, they built its end. */
export function isBuilt(progress: ItemInProgress, whole: unknown, built: string): boolean {
  return progress.opened ? whole === built : typeof whole === 'string' && whole.endsWith(built);
}

/** Compares what deltas built with the item sent whole at the end. */
export function checkPieces(progress: ItemInProgress, item: JsonRecord, defects: string[]): void {
  for (const [key, built] of progress.pieces) {
    const [member = '', index = ''] = key.split('.');
    let whole = inputOf(item, member);
    if (member === 'command') whole = commandsOf(item)[Number(index)];
    else if (index !== '') {
      const content = item.content;
      const part: unknown = Array.isArray(content) ? content[Number(index)] : undefined;
      whole = isRecord(part) ? part[member] : undefined;
    }
    if (!isBuilt(progress, whole, built))
      note(defects, 'the deltas of an output item differ from the item sent whole');
  }
}

/** The item with the code that its deltas built, where it has none itself. */
export function withCode(item: JsonRecord, { opened, pieces }: ItemInProgress): JsonRecord {
  const code = pieces.get('code');
  return !opened || code === undefined || !isAbsent(item.code) ? item : { ...item, code };
}

/** What the final response repeats, likewise. */
export function withCodes(
  final: readonly unknown[],
  items: ReadonlyMap<number, ItemInProgress>,
): readonly unknown[] {
  return final.map((item, index) => {
    const progress = items.get(index);
    return isRecord(item) && progress !== undefined ? withCode(item, progress) : item;
  });
}

/** The item as the deltas alone tell it, where it was never sent whole. */
export function itemFromPieces(progress: ItemInProgress): JsonRecord {
  const content: JsonRecord[] = [];
  const commands: string[] = [];
  const item: Record<string, unknown> = { ...Object.fromEntries(progress.told), ...progress.item };
  for (const [key, built] of progress.pieces) {
    const [member = '', index = ''] = key.split('.');
    if (member === 'command') commands.push(built);
    else if (member === 'diff')
      item.operation = { ...(isRecord(item.operation) ? item.operation : {}), diff: built };
    else if (index === '') item[member] = built;
    else content.push(member === 'refusal' ? { type: 'refusal', refusal: built } : { text: built });
  }
  if (commands.length > 0) item.action = { commands };
  if (content.length > 0) {
    item.content = content;
    item.type = 'message';
  }
  return item;
}

/** Unites what was streamed with what the terminal event repeats; a difference is a defect. */
export function reconcile(streamed: OutputSaid, repeated: OutputSaid, defects: string[]): OutputSaid {
  const toolCalls = [...streamed.toolCalls];
  let same = streamed.toolCalls.length === repeated.toolCalls.length;
  for (let i = 0; i < repeated.toolCalls.length; i += 1) {
    const call = repeated.toolCalls[i];
    if (call === undefined || repeated.asked[i] === streamed.asked[i]) continue;
    same = false;
    toolCalls.push(call);
  }
  const sameText = streamed.text === repeated.text && streamed.refusal === repeated.refusal;
  if (same && sameText) return streamed;
  note(defects, 'the final response differs from what was streamed');
  return {
    text: streamed.text || repeated.text,
    refusal: streamed.refusal || repeated.refusal,
    toolCalls,
    asked: [],
  };
}

/** Members of a call that its deltas build. */
const builtMembers = [...new Set(argumentsMember.values()), 'command'];

/** What of a call stood in it already when it began; clients put the deltas behind that, or leave it out. */
function begunWith(item: JsonRecord | null): readonly (readonly [string, string])[] {
  return builtMembers.flatMap((member) => {
    const text = item === null ? undefined : inputOf(item, member);
    return typeof text === 'string' && text !== '' ? [[member, text] as const] : [];
  });
}

/** Notes a call that said something as it began and ends with something else, or goes on in deltas. */
export function checkBegun(before: JsonRecord | null, after: JsonRecord, defects: string[]): void {
  if (begunWith(before).some(([member, text]) => inputOf(after, member) !== text))
    note(defects, 'an output item begins with other input than it ends with');
}

/** Notes a delta of a call that said something as it began. */
export function checkDelta({ item, done }: ItemInProgress, defects: string[]): void {
  if (!done && begunWith(item).length > 0)
    note(defects, 'an output item that began with its input goes on in deltas');
}
