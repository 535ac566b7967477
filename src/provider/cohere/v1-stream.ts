/**
 * Cohere's first API, streamed, as lines of JSON or as events
 * (https://docs.cohere.com/v1/reference/chat-stream). The stream says everything up to three times: in pieces,
 * when a part is whole, and in the last event. Clients differ in which they believe. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ToolCallFact, UsageFacts } from '../../core/facts.ts';
import { argumentsTextOf } from '../openai/call-arguments.ts';
import { addJsonCall, joined, namePieceOf, note, toolCallsMax, usageAbsent } from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { isCutInPython } from '../wire/sse-line.ts';
import { cohereFacts, hasFailed, readCohereUsage } from './chat.ts';
import { addParameterCalls, wordsOf } from './v1.ts';

interface CallInPieces {
  name: string;
  argumentsText: string;
}

function askedBy(calls: readonly ToolCallFact[]): unknown {
  return calls.map(({ name, arguments: value }) => ({ name, value }));
}

/** Every text that was said, once: a repetition of what is known adds nothing. */
function unitedText(pieces: string, repeated: readonly string[]): string {
  let text = pieces;
  for (const again of repeated) if (again.trim() !== text.trim()) text = joined(text, again);
  return text;
}

/** Opens a reader for one stream. */
export function createCohereV1StreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const pieces = new Map<unknown, string>();
  const inPieces = new Map<unknown, CallInPieces>();
  const repeatedTexts: string[] = [];
  /** The calls as sent whole, each time they were. */
  const repeatedCalls: ToolCallFact[][] = [];
  let source = '';
  let finishReason = '';
  let usage: UsageFacts = usageAbsent;
  let done = false;
  let failed = false;

  function addText(index: unknown, text: string): void {
    pieces.set(index, (pieces.get(index) ?? '') + text);
  }

  function callPiece(value: JsonRecord): StreamEventKind {
    addText(undefined, textOf(value.text));
    const piece = value.tool_call_delta;
    if (!isRecord(piece)) return 'tool';
    // The plan, where the event itself does not say it.
    if (textOf(piece.text) !== textOf(value.text)) addText(undefined, textOf(piece.text));
    if (done || isCutInPython(Buffer.from(source)))
      note(defects, 'some clients pass over a piece of a tool call');
    const known = inPieces.get(piece.index);
    if (known === undefined && inPieces.size >= toolCallsMax) {
      note(defects, `more than ${toolCallsMax} tool calls`);
      return 'tool';
    }
    const call = known ?? { name: '', argumentsText: '' };
    inPieces.set(piece.index, call);
    const name = namePieceOf(piece.name, defects);
    if (call.name !== '' && name !== '' && name !== call.name) {
      note(defects, 'the name of a tool call changes during the stream');
    }
    call.name ||= name;
    call.argumentsText += argumentsTextOf(piece.parameters, defects);
    return 'tool';
  }

  function takeCalls(list: unknown, path: readonly string[]): boolean {
    if (isAbsent(list) || (Array.isArray(list) && list.length === 0)) return false;
    const calls: ToolCallFact[] = [];
    addParameterCalls(list, source, path, calls, defects);
    repeatedCalls.push(calls);
    return true;
  }

  function streamEnd(value: JsonRecord): StreamEventKind {
    if (done || failed) note(defects, 'the stream ends twice');
    const response = isRecord(value.response) ? value.response : {};
    finishReason = textOf(value.finish_reason) || textOf(response.finish_reason);
    usage = readCohereUsage(response.meta);
    const text = wordsOf(response, defects);
    if (text !== '') repeatedTexts.push(text);
    const hasCalls = takeCalls(response.tool_calls, ['response', 'tool_calls']);
    failed ||= hasFailed(finishReason, value.error ?? value.err);
    done ||= !failed;
    if (hasCalls) return 'tool';
    return failed ? 'error' : 'end';
  }

  function absorbType(type: string, value: JsonRecord): StreamEventKind {
    switch (type) {
      case 'stream-start':
        return 'other';
      case 'text-generation':
        addText(value.index, textOf(value.text));
        return textOf(value.text) === '' ? 'other' : 'text';
      case 'search-queries-generation':
      case 'search-results':
      case 'citation-generation':
      case 'debug':
        return 'text';
      case 'tool-calls-chunk':
        return callPiece(value);
      case 'tool-calls-generation':
        if (textOf(value.text) !== '') repeatedTexts.push(textOf(value.text));
        takeCalls(value.tool_calls, ['tool_calls']);
        return 'tool';
      case 'stream-end':
        return streamEnd(value);
      case 'stream-error':
        failed = true;
        return 'error';
      default:
        note(defects, `the stream carries an event of the unknown type ${JSON.stringify(type.slice(0, 80))}`);
        return 'tool';
    }
  }

  /** The calls as whoever believes the last word sees them, and those of whoever believes an earlier one. */
  function calls(): readonly ToolCallFact[] {
    const built: ToolCallFact[] = [];
    for (const { name, argumentsText } of inPieces.values()) {
      addJsonCall(built, defects, '', name, argumentsText);
    }
    const versions = built.length === 0 ? repeatedCalls : [...repeatedCalls, built];
    const [first = [], ...others] = versions;
    const different = others.filter((other) => !isDeepStrictEqual(askedBy(other), askedBy(first)));
    if (different.length === 0) return first;
    note(defects, 'the tool calls of the stream differ from one event to another');
    const all: ToolCallFact[] = [];
    for (const call of [first, ...different].flat()) {
      addJsonCall(all, defects, call.id.startsWith('#') ? '' : call.id, call.name, call.argumentsText);
    }
    return all;
  }

  return {
    defects,
    absorbText(data) {
      source = data;
      return null;
    },
    absorbEmpty: () => 'other',
    absorb: (event, value) => absorbType(textOf(value.event_type) || event, value),
    reading() {
      const text = unitedText([...pieces.values()].reduce(joined, ''), repeatedTexts);
      const facts = cohereFacts(status, { text, toolCalls: calls(), finishReason }, usage);
      return { facts, defects, complete: done, failed };
    },
  };
}
