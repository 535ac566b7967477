/**
 * The tool calls of a streamed chat completion, put together from the deltas that carry their pieces; what clients put
 * together otherwise is a defect. Pure.
 */

import { boundedList, namePieceOf, note, toolCallsMax } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { argumentsTextOf, inOtherMember, inputTextOf } from './call-arguments.ts';
import type { ChatCall, ChatChoice } from './chat.ts';
import type { CallInProgress, Missed } from './chat-pieces.ts';
import type { Piece } from './chat-shared.ts';

/** What one choice said so far. */
export interface ChoiceInProgress extends ChatChoice {
  readonly calls: CallInProgress[];
  legacy: CallInProgress | null;
  /** What was told of tools that the provider ran, by what each was asked. */
  readonly told: Map<string, JsonRecord>;
  /** Which choice it is, as its events number it. */
  readonly place: number;
  /** The pieces of all choices' calls, in the order in which they came. */
  readonly pieces: Piece[];
}

function takeInput(choice: ChoiceInProgress, call: CallInProgress, text: string, missed: Missed): void {
  call.input += text;
  if (call.strictInput !== null && !missed.strictly) call.strictInput += text;
  choice.pieces.push({ call, text });
}

/**
 * The official SDKs disagree on a name that comes in pieces: JavaScript keeps the last, Python joins all.
 * A repeated whole name is harmless in practice; anything else is a defect.
 */
function takeName(call: ChatCall, given: unknown, defects: string[]): void {
  const name = namePieceOf(given, defects);
  if (name === '' || name === call.name) return;
  if (call.name !== '') note(defects, 'the name of a tool call changes during the stream');
  call.name += name;
}

function begunCall(
  { place }: ChoiceInProgress,
  begun: Pick<CallInProgress, 'id' | 'kind' | 'index' | 'isPlaced'>,
  missed: Missed,
): CallInProgress {
  const heard = { strictInput: missed.strictly ? null : '', inputAtWord: null };
  return { ...begun, ...heard, name: '', input: '', otherwise: [], choice: place, missedBy: missed.by };
}

function callAt(
  choice: ChoiceInProgress,
  { index, isPlaced }: Pick<CallInProgress, 'index' | 'isPlaced'>,
  id: string,
  missed: Missed,
  defects: string[],
): CallInProgress | null {
  for (let i = choice.calls.length - 1; i >= 0; i -= 1) {
    const call = choice.calls[i];
    if (call === undefined || call.index !== index) continue;
    // Servers that number every parallel call 0 tell them apart by id alone.
    if (id === '' || call.id === '' || call.id === id) return call;
    break;
  }
  if (choice.calls.length >= toolCallsMax) {
    note(defects, `more than ${toolCallsMax} tool calls`);
    return null;
  }
  const call = begunCall(choice, { id, kind: 'function', index, isPlaced }, missed);
  choice.calls.push(call);
  return call;
}

function absorbCall(
  choice: ChoiceInProgress,
  entry: unknown,
  place: number,
  missed: Missed,
  defects: string[],
): void {
  if (!isRecord(entry)) {
    note(defects, 'a tool call is not an object');
    return;
  }
  const isPlaced = typeof entry.index === 'number' && Number.isSafeInteger(entry.index) && entry.index >= 0;
  if (!isPlaced && !isAbsent(entry.index)) note(defects, 'the index of a tool call is not a count');
  const index = typeof entry.index === 'number' ? entry.index : place;
  const id = textOf(entry.id);
  const begun = choice.calls.length;
  const call = callAt(choice, { index, isPlaced }, id, missed, defects);
  if (call === null) return;
  if (choice.calls.length === begun) {
    if (isAbsent(entry.index) && id === '') note(defects, 'a piece of a tool call does not say of which');
    if (call.missedBy !== missed.by) note(defects, 'some clients pass over a piece of a tool call');
  }
  if (call.id === '') call.id = id;
  const fn = entry.function;
  const custom = entry.custom;
  if (isRecord(custom)) {
    if (isRecord(fn) || (call.kind === 'function' && call.name !== '')) {
      note(defects, 'a tool call is both a function and a custom tool');
    }
    call.kind = 'custom';
    takeName(call, custom.name, defects);
    takeInput(choice, call, inputTextOf(custom.input, defects), missed);
  } else if (isRecord(fn)) {
    if (call.kind === 'custom') note(defects, 'a tool call is both a function and a custom tool');
    takeName(call, fn.name, defects);
    if (inOtherMember(fn)) note(defects, 'the arguments of a tool call stand in another member');
    takeInput(choice, call, argumentsTextOf(fn.arguments, defects), missed);
  } else if (!isAbsent(fn) || !isAbsent(custom)) {
    note(defects, 'a tool call is neither a function nor a custom tool');
  }
}

/** Takes what a delta says of calls; true where it says anything. `whoMisses` tells who passes over the event. */
export function absorbCalls(
  choice: ChoiceInProgress,
  delta: JsonRecord,
  whoMisses: () => Missed,
  defects: string[],
): boolean {
  let any = false;
  const list = delta.tool_calls;
  if (isAbsent(list) && isAbsent(delta.function_call)) return false;
  const missed = whoMisses();
  if (!isAbsent(list)) {
    const entries = boundedList(list, toolCallsMax, '`tool_calls`', defects);
    any = entries.length > 0 || !Array.isArray(list);
    for (let i = 0; i < entries.length; i += 1) absorbCall(choice, entries[i], i, missed, defects);
  }
  const legacy = delta.function_call;
  if (isAbsent(legacy)) return any;
  if (!isRecord(legacy)) {
    note(defects, '`function_call` is not an object');
    return true;
  }
  if (choice.legacy === null)
    choice.legacy = begunCall(choice, { id: '', kind: 'legacy', index: 0, isPlaced: true }, missed);
  else if (choice.legacy.missedBy !== missed.by)
    note(defects, 'some clients pass over a piece of a tool call');
  takeName(choice.legacy, legacy.name, defects);
  takeInput(choice, choice.legacy, argumentsTextOf(legacy.arguments, defects), missed);
  return true;
}
