/**
 * Answers of Vercel's gateway in the AI SDK's own form, streamed: its parts one after another, each call in pieces of its input
 * first and whole then. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CallReading, ToolCallFact } from '../../core/facts.ts';
import {
  addJsonCall,
  namePieceOf,
  note,
  pieceOf,
  toolCallsMax,
  unreadResponse,
  usageAbsent,
} from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { type JsonRecord, parsedRecord, textOf } from '../wire/json.ts';
import { addPartCall, isCallPart, readGatewayFinish, readGatewayUsage } from './gateway-model.ts';

/** Texts that are told apart; of more, nobody could say how they are put together. */
const textsMax = 1_000;

/** Pieces of one call's input. */
interface Pieces {
  name: string;
  input: string;
}

/** Events that say how it goes on, and show nothing. */
const marks: ReadonlySet<string> = new Set([
  ...['stream-start', 'response-metadata', 'ping'],
  ...['text-start', 'text-end', 'reasoning-start', 'reasoning-end'],
]);

const handedIn = (text: string): unknown => (text.trim() === '' ? {} : parsedRecord(text));

/** Opens a reader for one stream. */
export function createGatewayStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const texts = new Map<string, string>();
  const pieces = new Map<string, Pieces>();
  const whole: ToolCallFact[] = [];
  let model = '';
  let finishReason = '';
  let usage = usageAbsent;
  let done = false;
  let failed = false;

  function hearText(value: JsonRecord): StreamEventKind {
    const id = textOf(value.id);
    if (!texts.has(id) && texts.size >= textsMax) note(defects, `more than ${textsMax} texts`);
    const said = pieceOf(value.delta ?? value.text, 'a piece of a text', defects);
    texts.set(id, (texts.get(id) ?? '') + said);
    return said === '' ? 'other' : 'text';
  }

  function hearInput(value: JsonRecord): StreamEventKind {
    const id = textOf(value.id);
    const known = pieces.get(id);
    if (known === undefined && pieces.size >= toolCallsMax)
      note(defects, `more than ${toolCallsMax} tool calls`);
    const call = known ?? { name: '', input: '' };
    if (value.type === 'tool-input-start') {
      if (known !== undefined) note(defects, 'a tool call begins twice');
      call.name = namePieceOf(value.toolName, defects);
    } else if (value.type === 'tool-input-delta')
      call.input += pieceOf(value.delta, 'a piece of a tool call', defects);
    pieces.set(id, call);
    return 'tool';
  }

  function absorbPart(type: string, value: JsonRecord): StreamEventKind {
    if (marks.has(type)) {
      if (type === 'response-metadata') model = textOf(value.modelId) || model;
      return 'other';
    }
    if (type === 'text-delta' || type === 'text') return hearText(value);
    if (type === 'reasoning-delta') return 'text';
    if (type.startsWith('tool-input-')) return hearInput(value);
    if (type === 'finish') {
      finishReason = readGatewayFinish(value.finishReason);
      usage = readGatewayUsage(value.usage);
      done = true;
      return 'end';
    }
    if (type === 'error') {
      failed = true;
      return 'error';
    }
    // What a provider sent may have a call in it, told again in the gateway's own events.
    if (type === 'raw' || type === 'tool-approval-request') return 'tool';
    if (!isCallPart(value)) return 'text';
    addPartCall(value, whole, defects);
    return 'tool';
  }

  /** A call as its pieces alone tell it, by which what is drawn of it goes; nothing where they tell the same. */
  function toldOtherwise(call: ToolCallFact): readonly CallReading[] {
    const told = pieces.get(call.id);
    if (told === undefined) return [];
    const same =
      told.input === call.argumentsText ||
      isDeepStrictEqual(handedIn(told.input), handedIn(call.argumentsText));
    if (same && told.name === call.name) return [];
    return [{ name: told.name, arguments: parsedRecord(told.input) ?? {}, argumentsText: told.input }];
  }

  function calls(): readonly ToolCallFact[] {
    const all: ToolCallFact[] = whole.map((call) => {
      const others = toldOtherwise(call);
      return others.length === 0 ? call : { ...call, alsoAs: [...(call.alsoAs ?? []), ...others] };
    });
    const known = new Set(all.map(({ id }) => id));
    for (const [id, { name, input }] of pieces)
      if (!known.has(id)) addJsonCall(all, defects, id, name, input);
    return all;
  }

  return {
    defects,
    // Nothing to the SDK, which reads on.
    absorbText: (data) => (data.trim() === '[DONE]' ? 'other' : null),
    absorbEmpty: () => 'other',
    absorb: (_event, value) => absorbPart(textOf(value.type), value),
    reading() {
      const facts = {
        ...unreadResponse(status, '').facts,
        ...{ model, text: [...texts.values()].join(''), toolCalls: calls(), finishReason, usage },
      };
      return { facts, defects, complete: done, failed };
    },
  };
}
