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
import { argumentsTextOf } from './chat.ts';
import { openStreamEnd } from './chunks.ts';
import { findWithin, readEitherUsage } from './records.ts';
import { createToldCalls } from './records-stream.ts';

/** A call as its deltas build it. */
interface CallInPieces {
  id: string;
  name: string;
  input: string;
  readonly type: string;
}

interface MessageInProgress {
  pieces: string;
  whole: string | null;
}

/** Events that report how far something is; what calls they carry is looked for apart. */
const progress = /^thread\.(created|run\.\w+|run\.step\.\w+|message\.(created|in_progress))$/;
const messagesMax = toolCallsMax;

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
    const message = messages.get(id) ?? { pieces: '', whole: null };
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
    if (name === 'thread.message.delta') message.pieces += found.text;
    else message.whole = found.text;
    return told.absorb(value) ? 'tool' : 'text';
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
    if (/^thread\.message\.(delta|completed|incomplete)$/.test(name)) return absorbMessage(name, value);
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
    for (const { pieces, whole } of messages.values()) {
      // The parts of a message are joined by newlines where they come whole, and its first pieces may be another segment's.
      const differs = whole !== null && !whole.replaceAll('\n', '').endsWith(pieces.replaceAll('\n', ''));
      if (pieces !== '' && differs) {
        note(defects, 'the deltas of a message differ from the message told whole');
      }
      text = joined(text, whole ?? pieces);
    }
    return text;
  }

  return {
    defects,
    absorbText: end.absorbText,
    absorbEmpty: end.absorbEmpty,
    absorb: (event, value) => absorbNamed(event || textOf(value.object), value),
    reading() {
      const toolCalls = [...told.calls];
      addPieces(toolCalls);
      const text = allText();
      const facts = { status, model, fingerprint: '', text, toolCalls, finishReason, usage, refusal: '' };
      return { facts, defects, complete: end.done, failed: end.failed };
    },
  };
}
