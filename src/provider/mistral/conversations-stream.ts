/**
 * Mistral's conversations, streamed (https://docs.mistral.ai/api/endpoint/beta/conversations): reassembles
 * the entries and says which events carry part of a call. Pure.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import { argumentsTextOf } from '../openai/call-arguments.ts';
import { joined, note } from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isRecord, type JsonRecord, parsedRecord, textOf } from '../wire/json.ts';
import { chunkKind } from './chat.ts';
import {
  addContentCalls,
  addEntryCall,
  conversationFacts,
  entriesMax,
  entryText,
  textBeside,
} from './conversations.ts';

interface EntryInProgress {
  readonly place: number;
  /** Of a call: its members, the arguments apart; null for a message. */
  call: JsonRecord | null;
  argumentsText: string;
  text: string;
  beside: string;
  /** Content of unknown kinds. */
  readonly unknown: unknown[];
}

const entryTypeByEvent: ReadonlyMap<string, string> = new Map([
  ['function.call.delta', 'function.call'],
  ['tool.execution.started', 'tool.execution'],
  ['tool.execution.delta', 'tool.execution'],
  ['tool.execution.done', 'tool.execution'],
  ['agent.handoff.started', 'agent.handoff'],
  ['agent.handoff.done', 'agent.handoff'],
]);

/** One entry: its place in the answer, and the id it has there, as places may be left out. */
export function entryKey(value: JsonRecord): string {
  const place = typeof value.output_index === 'number' ? value.output_index : 0;
  return `${place} ${textOf(value.tool_call_id) || textOf(value.id)}`;
}

interface There {
  /** Its input is one JSON object, so that no text behind it makes it another. */
  readonly isWhole: boolean;
  readonly isFunction: boolean;
}

/**
 * Notes calls that clients may take for one: Mistral's own joins the pieces of one place, whatever their ids and whoever runs
 * them, under the first name. Whole objects are none.
 */
function noteSharedPlaces(entries: Iterable<EntryInProgress>, defects: string[]): void {
  const last = new Map<string, There>();
  for (const { place, call, argumentsText } of entries) {
    const isFunction = call?.type === 'function.call';
    if (!isFunction && call?.type !== 'tool.execution') continue;
    const isWhole = parsedRecord(argumentsText) !== null;
    for (const name of [`place ${place}`, ...(isFunction ? [`id ${textOf(call.tool_call_id)}`] : [])]) {
      const before = last.get(name);
      const isShared = before !== undefined && (isFunction || before.isFunction);
      if (isShared && !(isWhole && before.isWhole))
        note(defects, 'pieces of one tool call may belong to another');
      last.set(name, { isWhole, isFunction });
    }
  }
}

const isCount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** Opens a reader for one stream. */
export function createConversationStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const entries = new Map<string, EntryInProgress>();
  let usage: unknown;
  let model = '';
  let done = false;
  let failed = false;
  /** `[DONE]` has come, where the SDK stops. */
  let stopped = false;

  function entryAt(value: JsonRecord): EntryInProgress | null {
    const key = entryKey(value);
    const known = entries.get(key);
    if (known !== undefined) return known;
    if (entries.size >= entriesMax) {
      note(defects, `more than ${entriesMax} entries`);
      return null;
    }
    const place = typeof value.output_index === 'number' ? value.output_index : 0;
    const entry: EntryInProgress = {
      place,
      call: null,
      argumentsText: '',
      text: '',
      beside: '',
      unknown: [],
    };
    entries.set(key, entry);
    return entry;
  }

  function absorbMessage(value: JsonRecord): StreamEventKind {
    const entry = entryAt(value);
    if (entry === null) return 'tool';
    if (model === '') model = textOf(value.model);
    const { content } = value;
    const text = entryText(content);
    entry.text += text;
    entry.beside = joined(entry.beside, textBeside(content));
    const chunks: readonly unknown[] = Array.isArray(content) ? content : isRecord(content) ? [content] : [];
    const unknown = chunks.filter((chunk) => chunkKind(chunk) === 'unknown');
    entry.unknown.push(...unknown);
    if (unknown.length > 0) return 'tool';
    return text !== '' || chunks.length > 0 ? 'text' : 'other';
  }

  function absorbCall(type: string, value: JsonRecord): StreamEventKind {
    const entry = entryAt(value);
    if (entry === null) return 'tool';
    if (stopped || done) note(defects, 'some clients pass over a piece of a tool call');
    // Mistral's SDK for Python makes a number of a text, and passes over what says `null`.
    if (value.output_index !== undefined && !isCount(value.output_index))
      note(defects, 'the place of a tool call is not a count');
    const { output_index: _index, arguments: piece, ...members } = value;
    const name = entry.call === null ? undefined : textOf(entry.call.name);
    if (name !== undefined && textOf(value.name) !== '' && name !== '' && name !== value.name) {
      note(defects, 'the name of a tool call changes during the stream');
    }
    entry.call = { ...entry.call, ...members, type };
    const text = argumentsTextOf(piece, defects);
    if (value.type !== 'tool.execution.done') entry.argumentsText += text;
    // The last event need not say them again; where it does, it is all of them.
    else if (entry.argumentsText === '') entry.argumentsText = text;
    else if (text !== '' && text !== entry.argumentsText) {
      note(defects, 'the pieces of a tool call differ from what is sent whole');
    }
    return 'tool';
  }

  function absorbType(type: string, value: JsonRecord): StreamEventKind {
    const entryType = entryTypeByEvent.get(type);
    if (entryType !== undefined) return absorbCall(entryType, value);
    switch (type) {
      case 'conversation.response.started':
        return 'other';
      case 'message.output.delta':
        return absorbMessage(value);
      case 'conversation.response.done':
        usage = value.usage;
        done = true;
        return 'end';
      case 'conversation.response.error':
        failed = true;
        return 'error';
      default:
        note(defects, `the stream carries an event of the unknown type ${JSON.stringify(type.slice(0, 80))}`);
        return 'tool';
    }
  }

  return {
    defects,
    absorbText(data) {
      // Not part of this API, but gateways append it.
      if (data.trim() !== '[DONE]') return null;
      stopped = true;
      return 'other';
    },
    absorbEmpty: () => 'other',
    absorb: (event, value) => absorbType(textOf(value.type) || event, value),
    reading() {
      const toolCalls: ToolCallFact[] = [];
      let text = '';
      let beside = '';
      noteSharedPlaces(entries.values(), defects);
      for (const entry of [...entries.values()].toSorted((a, b) => a.place - b.place)) {
        const { call, argumentsText } = entry;
        if (call !== null) {
          const written = call.type === 'agent.handoff' ? call : { ...call, arguments: argumentsText };
          addEntryCall(written, undefined, toolCalls, defects);
        }
        text = joined(text, entry.text);
        beside = joined(beside, entry.beside);
        addContentCalls(entry.unknown, toolCalls, defects);
      }
      const facts = conversationFacts(status, { model, text: joined(text, beside), toolCalls }, usage);
      return { facts, defects, complete: done, failed };
    },
  };
}
