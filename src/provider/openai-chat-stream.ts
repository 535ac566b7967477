/**
 * OpenAI chat completions, streamed (https://platform.openai.com/docs/api-reference/chat-streaming):
 * reassembles the answer of every choice and says which events carry part of a tool call. Pure.
 */

import { isAbsent, isRecord, type JsonRecord, textOf } from './json.ts';
import {
  argumentsTextOf,
  type ChatCall,
  type ChatChoice,
  chatAnswerFacts,
  choicesMax,
  inputTextOf,
  shownText,
} from './openai-chat.ts';
import { type CallInProgress, eventMissedBy } from './openai-chat-pieces.ts';
import { judgeSharedPlaces, type Piece } from './openai-chat-shared.ts';
import { absorbChunkHead, nothingSaid, openStreamEnd } from './openai-chunks.ts';
import { boundedList, namePieceOf, note, toolCallsMax } from './reading.ts';
import type { StreamEventKind, StreamReader } from './stream.ts';

interface ChoiceInProgress extends ChatChoice {
  readonly calls: CallInProgress[];
  legacy: CallInProgress | null;
  /** Which choice it is, as its events number it. */
  readonly place: number;
  /** The pieces of all choices' calls, in the order in which they came. */
  readonly pieces: Piece[];
}

function takeInput(choice: ChoiceInProgress, call: CallInProgress, text: string): void {
  call.input += text;
  choice.pieces.push({ call, text });
}

/** Members of a delta that are known to carry no tool call; any other may be a new way to make one. */
const deltaMembersRead: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'audio',
  'tool_calls',
  'function_call',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
  'annotations',
  // Azure's answers from a customer's own documents.
  'context',
  'end_turn',
]);

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

function callAt(
  choice: ChoiceInProgress,
  index: number,
  id: string,
  missedBy: string,
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
  const call: CallInProgress = {
    id,
    name: '',
    input: '',
    kind: 'function',
    index,
    missedBy,
    choice: choice.place,
    otherwise: [],
  };
  choice.calls.push(call);
  return call;
}

function absorbCall(
  choice: ChoiceInProgress,
  entry: unknown,
  place: number,
  missedBy: string,
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
  const call = callAt(choice, index, id, missedBy, defects);
  if (call === null) return;
  if (choice.calls.length === begun) {
    if (isAbsent(entry.index) && id === '') note(defects, 'a piece of a tool call does not say of which');
    if (call.missedBy !== missedBy) note(defects, 'some clients pass over a piece of a tool call');
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
    takeInput(choice, call, inputTextOf(custom.input, defects));
  } else if (isRecord(fn)) {
    if (call.kind === 'custom') note(defects, 'a tool call is both a function and a custom tool');
    takeName(call, fn.name, defects);
    takeInput(choice, call, argumentsTextOf(fn.arguments, defects));
  } else if (!isAbsent(fn) || !isAbsent(custom)) {
    note(defects, 'a tool call is neither a function nor a custom tool');
  }
}

function absorbCalls(
  choice: ChoiceInProgress,
  delta: JsonRecord,
  whoMisses: () => string,
  defects: string[],
): boolean {
  let any = false;
  const list = delta.tool_calls;
  const missedBy = isAbsent(list) && isAbsent(delta.function_call) ? '' : whoMisses();
  if (!isAbsent(list)) {
    const entries = boundedList(list, toolCallsMax, '`tool_calls`', defects);
    any = entries.length > 0 || !Array.isArray(list);
    for (let i = 0; i < entries.length; i += 1) absorbCall(choice, entries[i], i, missedBy, defects);
  }
  const legacy = delta.function_call;
  if (isAbsent(legacy)) return any;
  if (!isRecord(legacy)) {
    note(defects, '`function_call` is not an object');
    return true;
  }
  if (choice.legacy === null)
    choice.legacy = {
      id: '',
      name: '',
      input: '',
      kind: 'legacy',
      index: 0,
      missedBy,
      choice: choice.place,
      otherwise: [],
    };
  else if (choice.legacy.missedBy !== missedBy)
    note(defects, 'some clients pass over a piece of a tool call');
  takeName(choice.legacy, legacy.name, defects);
  takeInput(choice, choice.legacy, argumentsTextOf(legacy.arguments, defects));
  return true;
}

function absorbDelta(
  choice: ChoiceInProgress,
  delta: JsonRecord,
  whoMisses: () => string,
  defects: string[],
): StreamEventKind {
  const hasCalls = absorbCalls(choice, delta, whoMisses, defects);
  const text = shownText(delta, defects);
  const refusal = textOf(delta.refusal);
  choice.text += text;
  choice.refusal += refusal;
  let shows = text !== '' || refusal !== '';
  let unknown = false;
  for (const key of Object.keys(delta)) {
    const value = delta[key];
    if (isAbsent(value) || value === '' || key === 'role') continue;
    if (!deltaMembersRead.has(key)) unknown = true;
    else if (key !== 'content' && key !== 'refusal' && key !== 'tool_calls') shows = true;
  }
  if (hasCalls || unknown) return 'tool';
  return shows ? 'text' : 'other';
}

export interface ChatStreamReader extends StreamReader {
  /** What every choice said so far, by the choice's index. */
  answer(): ReadonlyMap<number, ChatChoice>;
}

/** Opens a reader for one stream. */
export function createChatStreamReader(status: number): ChatStreamReader {
  const defects: string[] = [];
  const choices = new Map<number, ChoiceInProgress>();
  const pieces: Piece[] = [];
  const end = openStreamEnd();
  const head = nothingSaid();

  function choiceAt(index: number): ChoiceInProgress | null {
    const known = choices.get(index);
    if (known !== undefined) return known;
    if (choices.size >= choicesMax) {
      note(defects, `more than ${choicesMax} choices`);
      return null;
    }
    const choice: ChoiceInProgress = {
      text: '',
      refusal: '',
      finishReason: '',
      calls: [],
      legacy: null,
      place: index,
      pieces,
    };
    choices.set(index, choice);
    return choice;
  }

  function absorbChoice(entry: unknown, whoMisses: () => string): StreamEventKind {
    if (!isRecord(entry)) {
      note(defects, 'an entry of `choices` is not an object');
      return 'tool';
    }
    const choice = choiceAt(typeof entry.index === 'number' ? entry.index : 0);
    if (choice === null) return 'tool';
    if (textOf(entry.finish_reason) !== '') choice.finishReason = textOf(entry.finish_reason);
    if (!isAbsent(entry.message)) {
      note(defects, 'an event of the stream carries a whole message');
      return 'tool';
    }
    const delta = entry.delta;
    if (isAbsent(delta)) return 'other';
    if (isRecord(delta)) return absorbDelta(choice, delta, whoMisses, defects);
    note(defects, 'a delta of the stream is not an object');
    return 'tool';
  }

  function absorbChoices(list: unknown, whoMisses: () => string): StreamEventKind {
    // Not a chunk of a completion as documented: nobody knows what a client makes of it.
    if (isAbsent(list)) return 'tool';
    let kind: StreamEventKind = Array.isArray(list) ? 'other' : 'tool';
    boundedList(list, choicesMax, '`choices`', defects).forEach((entry, place) => {
      const one = absorbChoice(entry, () => (place === 0 ? whoMisses() : `${whoMisses()} place`));
      if (one === 'tool' || kind === 'other') kind = one;
    });
    return kind;
  }

  /** Some servers end without `[DONE]`: their answer is whole once every choice has said why it stopped. */
  function hasStopped(): boolean {
    return choices.size > 0 && [...choices.values()].every(({ finishReason }) => finishReason !== '');
  }

  function answer(): ReadonlyMap<number, ChatChoice> {
    const ordered = new Map<number, ChatChoice>();
    judgeSharedPlaces(pieces, defects);
    for (const [index, choice] of [...choices].sort(([a], [b]) => a - b)) {
      const { legacy, place: _place, pieces: _pieces, ...said } = choice;
      const calls: ChatCall[] = choice.calls.toSorted((a, b) => a.index - b.index);
      ordered.set(index, { ...said, calls: legacy === null ? calls : [...calls, legacy] });
    }
    return ordered;
  }

  return {
    defects,
    absorbText: end.absorbText,
    absorbEmpty: end.absorbEmpty,
    absorb(event, chunk) {
      const isError = absorbChunkHead(head, end, { event, chunk });
      if (isError && isAbsent(chunk.choices)) return 'error';
      const kind = absorbChoices(chunk.choices, () => eventMissedBy(event, chunk, end.done));
      return isError && kind !== 'tool' ? 'error' : kind;
    },
    answer,
    reading() {
      const said = chatAnswerFacts([...answer().values()], defects);
      const facts = {
        status,
        ...head,
        text: said.text,
        toolCalls: said.toolCalls,
        finishReason: said.finishReason,
        refusal: said.refusal,
      };
      return { facts, defects, complete: end.done || hasStopped(), failed: end.failed };
    },
  };
}
