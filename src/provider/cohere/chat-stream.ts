/**
 * Cohere's chat, streamed (https://docs.cohere.com/v2/docs/streaming): reassembles plan, content and calls and
 * says which events carry part of a call. Pure.
 */
import type { ToolCallFact, UsageFacts } from '../../core/facts.ts';
import { argumentsTextOf } from '../openai/call-arguments.ts';
import { addJsonCall, joined, note, pieceOf, toolCallsMax, usageAbsent } from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { blockKind, blocksMax, cohereFacts, hasFailed, readCohereUsage } from './chat.ts';

interface CallInProgress {
  readonly index: unknown;
  readonly id: string;
  readonly name: string;
  argumentsText: string;
  /** Its end was not seen, where clients take the call up. */
  open: boolean;
}

/** `delta.message`, where every event has what it says. */
export function deltaMessage(value: JsonRecord): JsonRecord {
  const message = isRecord(value.delta) ? value.delta.message : undefined;
  return isRecord(message) ? message : {};
}

function holdsSomething(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : !isAbsent(value) && value !== '';
}

/** Opens a reader for one stream. */
export function createCohereStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const blocks = new Map<unknown, string>();
  const calls: CallInProgress[] = [];
  let plan = '';
  let finishReason = '';
  let usage: UsageFacts = usageAbsent;
  let done = false;
  let failed = false;
  /** `[DONE]` has come, where the SDK stops, though it be a word of what is said. */
  let stopped = false;

  function messageStart(value: JsonRecord): StreamEventKind {
    const { content, tool_calls: toolCalls, tool_plan: toolPlan } = deltaMessage(value);
    if (![content, toolCalls, toolPlan].some(holdsSomething)) return 'other';
    note(defects, '`message-start` carries part of the answer');
    return 'tool';
  }

  function absorbContent(value: JsonRecord): StreamEventKind {
    const { content } = deltaMessage(value);
    if (!isRecord(content)) {
      note(defects, 'an event of content carries none');
      return 'tool';
    }
    if (blockKind(content, defects) === 'unknown') return 'tool';
    if (!blocks.has(value.index) && blocks.size >= blocksMax) {
      note(defects, `more than ${blocksMax} content blocks`);
      return 'tool';
    }
    const text = textOf(content.text);
    blocks.set(value.index, (blocks.get(value.index) ?? '') + text);
    return text !== '' || textOf(content.thinking) !== '' ? 'text' : 'other';
  }

  function callStart(value: JsonRecord): StreamEventKind {
    const call = deltaMessage(value).tool_calls;
    const fn = isRecord(call) ? call.function : undefined;
    if (!isRecord(call) || !isRecord(fn)) {
      note(defects, 'a tool call is not a function');
    } else if (calls.length >= toolCallsMax) {
      note(defects, `more than ${toolCallsMax} tool calls`);
    } else {
      if (calls.at(-1)?.open === true) note(defects, 'a tool call begins before the one before it has ended');
      const argumentsText = argumentsTextOf(fn.arguments, defects);
      calls.push({
        index: value.index,
        id: textOf(call.id),
        name: textOf(fn.name),
        argumentsText,
        open: true,
      });
    }
    return 'tool';
  }

  /** Clients add every piece to the call that began last, whichever its index names. */
  function callDelta(value: JsonRecord): StreamEventKind {
    const call = deltaMessage(value).tool_calls;
    const fn = isRecord(call) ? call.function : undefined;
    const last = calls.at(-1);
    if (last === undefined || !isRecord(fn)) {
      note(defects, 'a piece of arguments belongs to no tool call');
      return 'tool';
    }
    if (stopped || done) note(defects, 'some clients pass over a piece of a tool call');
    if (!last.open) note(defects, 'a tool call goes on after its end');
    if (last.index !== value.index) note(defects, 'the pieces of two tool calls are mixed');
    last.argumentsText += pieceOf(fn.arguments, 'a piece of arguments', defects);
    return 'tool';
  }

  function callEnd(): StreamEventKind {
    const last = calls.at(-1);
    if (last !== undefined) last.open = false;
    return 'tool';
  }

  function messageEnd(delta: unknown): StreamEventKind {
    const end = isRecord(delta) ? delta : {};
    if (done || failed) note(defects, 'the stream ends twice');
    finishReason = textOf(end.finish_reason);
    usage = readCohereUsage(end.usage);
    if (hasFailed(end.finish_reason, end.error)) {
      failed = true;
      return 'error';
    }
    done = true;
    return 'end';
  }

  function absorbType(type: string, value: JsonRecord): StreamEventKind {
    switch (type) {
      case 'message-start':
        return messageStart(value);
      case 'content-start':
      case 'content-delta':
        return absorbContent(value);
      case 'content-end':
      case 'debug':
        return 'other';
      case 'tool-plan-delta':
        plan += textOf(deltaMessage(value).tool_plan);
        return 'text';
      case 'citation-start':
      case 'citation-end':
        return 'text';
      case 'tool-call-start':
        return callStart(value);
      case 'tool-call-delta':
        return callDelta(value);
      case 'tool-call-end':
        return callEnd();
      case 'message-end':
        return messageEnd(value.delta);
      default:
        note(defects, `the stream carries an event of the unknown type ${JSON.stringify(type.slice(0, 80))}`);
        return 'tool';
    }
  }

  return {
    defects,
    absorbText(data) {
      stopped ||= data.includes('[DONE]');
      return data.trim() === '[DONE]' ? 'end' : null;
    },
    absorbEmpty: () => 'other',
    absorb: (event, value) => absorbType(textOf(value.type) || event, value),
    reading() {
      const toolCalls: ToolCallFact[] = [];
      for (const { id, name, argumentsText } of calls)
        addJsonCall(toolCalls, defects, id, name, argumentsText);
      const text = joined(plan, [...blocks.values()].reduce(joined, ''));
      const facts = cohereFacts(status, { text, toolCalls, finishReason }, usage);
      return { facts, defects, complete: done, failed };
    },
  };
}
