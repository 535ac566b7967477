/**
 * OpenAI runs of assistants, streamed (https://platform.openai.com/docs/api-reference/assistants-streaming):
 * events are named on the wire, and a call comes in deltas, in its finished step and in the run's required
 * action. Pure.
 */

import type { ToolCallFact, UsageFacts } from '../../core/facts.ts';
import {
  addCall,
  addJsonCall,
  boundedList,
  joined,
  namePieceOf,
  note,
  toolCallsMax,
  usageAbsent,
} from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { argumentsTextOf } from './call-arguments.ts';
import { openStreamEnd } from './chunks.ts';
import { readEitherUsage } from './records.ts';
import { findWithin } from './records-find.ts';
import { createToldCalls } from './records-stream.ts';

/** A call as its deltas build it. */
interface CallInPieces {
  id: string;
  name: string;
  input: string;
  readonly type: string;
}

interface MessageInProgress {
  /** What it said as it began, which clients put before the pieces. */
  begun: string;
  pieces: string;
  whole: string | null;
}

/** Events that report how far something is; what calls they carry is looked for apart. */
const progress = /^thread\.(created|run\.\w+|run\.step\.\w+)$/;
const messageSays = /^thread\.message\.(created|in_progress|delta|completed|incomplete)$/;
const messageBegins = /^thread\.message\.(created|in_progress)$/;
const messagesMax = toolCallsMax;

/**
 * What an event is of, and what it says. Where its name is not a thread's, some SDKs take it for the one that its data
 * names (https://github.com/openai/openai-python/blob/main/src/openai/_streaming.py).
 */
export function runEventOf(
  event: string,
  value: JsonRecord,
): { readonly name: string; readonly data: JsonRecord } {
  const inner = event.startsWith('thread.') || event === 'error' ? '' : textOf(value.event);
  if (inner !== '' && isRecord(value.data)) return { name: inner, data: value.data };
  return { name: event || textOf(value.object), data: value };
}

/** Opens a reader for one stream. */
export function createRunStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const told = createToldCalls(defects);
  const inPieces = new Map<string, CallInPieces>();
  const messages = new Map<string, MessageInProgress>();
  let model = '';
  let finishReason = '';
  let usage: UsageFacts = usageAbsent;
  const end = openStreamEnd();

  function messageAt(id: string): MessageInProgress {
    const message = messages.get(id) ?? { begun: '', pieces: '', whole: null };
    if (messages.size < messagesMax) messages.set(id, message);
    else if (!messages.has(id)) note(defects, `more than ${messagesMax} messages`);
    return message;
  }

  function absorbStepDelta(value: JsonRecord): StreamEventKind {
    const delta = isRecord(value.delta) ? value.delta : {};
    const details = isRecord(delta.step_details) ? delta.step_details : {};
    if (isAbsent(details.tool_calls)) return textOf(details.type) === 'message_creation' ? 'other' : 'tool';
    for (const entry of boundedList(details.tool_calls, toolCallsMax, '`tool_calls`', defects)) {
      if (isRecord(entry)) absorbPiece(textOf(value.id), entry);
      else note(defects, 'a tool call is not an object');
    }
    return 'tool';
  }

  function absorbPiece(step: string, entry: JsonRecord): void {
    const key = `${step}.${typeof entry.index === 'number' ? entry.index : 0}`;
    const type = textOf(entry.type) || 'function';
    const call = inPieces.get(key) ?? { id: '', name: '', input: '', type };
    if (!inPieces.has(key)) {
      if (inPieces.size >= toolCallsMax) {
        note(defects, `more than ${toolCallsMax} tool calls`);
        return;
      }
      inPieces.set(key, call);
    }
    if (call.type !== type) note(defects, 'a tool call changes its type during the stream');
    if (call.id === '') call.id = textOf(entry.id);
    const inner = entry[type];
    if (!isRecord(inner)) return;
    const name = namePieceOf(inner.name, defects);
    if (call.name !== '' && name !== '' && name !== call.name) {
      note(defects, 'the name of a tool call changes during the stream');
    }
    if (call.name === '') call.name = name;
    call.input += type === 'function' ? argumentsTextOf(inner.arguments, defects) : textOf(inner.input);
  }

  function absorbMessage(name: string, value: JsonRecord): StreamEventKind {
    const found = findWithin(name === 'thread.message.delta' ? value.delta : value.content);
    const message = messageAt(textOf(value.id));
    const isBegun = messageBegins.test(name);
    if (isBegun) message.begun = found.text || message.begun;
    else if (name === 'thread.message.delta') message.pieces += found.text;
    else message.whole = found.text;
    if (told.absorb(value)) return 'tool';
    return isBegun && found.text === '' ? 'other' : 'text';
  }

  function absorbRun(name: string, value: JsonRecord): void {
    if (!name.startsWith('thread.run.') || name.startsWith('thread.run.step.')) return;
    if (textOf(value.model) !== '') model = textOf(value.model);
    if (textOf(value.status) !== '') finishReason = textOf(value.status);
    if (isRecord(value.usage)) usage = readEitherUsage(value.usage);
    if (name === 'thread.run.failed') end.failed = true;
  }

  function absorbNamed(name: string, value: JsonRecord): StreamEventKind {
    if (name === 'error') {
      end.failed = true;
      return 'error';
    }
    if (name === 'thread.run.step.delta') return absorbStepDelta(value);
    if (messageSays.test(name)) return absorbMessage(name, value);
    absorbRun(name, value);
    const asks = told.absorb(value);
    if (asks || !progress.test(name)) return 'tool';
    return name === 'thread.run.failed' ? 'error' : 'other';
  }

  /** Calls of which only pieces came, and pieces that say something else than the whole. */
  function addPieces(toolCalls: ToolCallFact[]): void {
    for (const { id, name, input, type } of inPieces.values()) {
      const whole = id === '' ? undefined : told.calls.find((call) => call.id === id);
      const isFunction = type === 'function';
      const same = whole?.name === name && whole.argumentsText === input;
      if (whole !== undefined && (same || !isFunction)) continue;
      if (whole !== undefined) note(defects, 'the deltas of a tool call differ from the call told whole');
      if (isFunction) addJsonCall(toolCalls, defects, id, name, input);
      else addCall(toolCalls, defects, id, type, { input }, input);
    }
  }

  function allText(): string {
    let text = '';
    for (const { begun, pieces, whole } of messages.values()) {
      // The parts of a message are joined by newlines where they come whole, and its first pieces may be another segment's.
      const differs = whole !== null && !whole.replaceAll('\n', '').endsWith(pieces.replaceAll('\n', ''));
      if (pieces !== '' && differs) {
        note(defects, 'the deltas of a message differ from the message told whole');
      }
      const shown = begun + pieces;
      text = joined(text, whole ?? shown);
      if (begun !== '' && whole !== null && !whole.includes(shown)) text = joined(text, shown);
    }
    return text;
  }

  return {
    defects,
    absorbText: end.absorbText,
    absorbEmpty: end.absorbEmpty,
    absorb(event, value) {
      const { name, data } = runEventOf(event, value);
      return absorbNamed(name, data);
    },
    reading() {
      const toolCalls = [...told.calls];
      addPieces(toolCalls);
      const text = allText();
      const facts = { status, model, fingerprint: '', text, toolCalls, finishReason, usage, refusal: '' };
      return { facts, defects, complete: end.done, failed: end.failed };
    },
  };
}
