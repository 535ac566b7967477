/**
 * Streams of OpenAI objects that tell what an agent does, event by event, without a shape of their own that
 * calls could hide in: whatever asks for a tool is found wherever it stands. Pure.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import { namesOf } from '../reading/call-readings.ts';
import { addCall, joined, note, openSaidBefore, unreadResponse, usageAbsent } from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { addFoundCall, readEitherUsage } from './records.ts';
import { type Find, findWithin } from './records-find.ts';

/** The calls a stream told whole so far. */
export interface ToldCalls {
  readonly calls: readonly ToolCallFact[];
  /** Takes the calls of one event in; true when there were any. */
  absorb(value: JsonRecord): boolean;
}

/** Keeps calls apart by id: the same call may be told by its item, its step and its run, more than once. */
export function createToldCalls(defects: string[], find: Find = findWithin): ToldCalls {
  const calls: ToolCallFact[] = [];
  return {
    calls,
    absorb(value) {
      const found = find(value);
      for (const one of found.calls) {
        const id = textOf(one.call.call_id) || textOf(one.call.id) || textOf(one.call.tool_use_id);
        const place = id === '' ? -1 : calls.findIndex((call) => call.id === id);
        const known = calls[place];
        const told: ToolCallFact[] = [];
        addFoundCall(one, told, defects);
        const [fact] = told;
        if (fact === undefined) continue;
        const sameName = known !== undefined && namesOf(known) === namesOf(fact);
        if (sameName && known.argumentsText === fact.argumentsText) continue;
        // What the provider runs itself is written while it is reported.
        if (sameName && (known.argumentsText === '' || one.shape === 'run-tool')) {
          calls[place] = fact;
          continue;
        }
        if (known !== undefined) note(defects, 'a tool call is told in two ways');
        addCall(calls, defects, id, fact.name, fact.arguments, fact.argumentsText, fact.alsoAs);
      }
      return found.calls.length > 0;
    },
  };
}

/** True for events whose pieces are known to be a text. */
export function saysText(type: string): boolean {
  return /text|transcript|reasoning/.test(type);
}

/** True for pieces of arguments, or of what runs, by the event's type: the call itself comes whole later. */
export function isPieceOfCall(type: string): boolean {
  return !saysText(type) && /call|argument|input|code|command/.test(type);
}

/** Opens a reader for one stream. It has no last event of its own. */
export function createRecordsStreamReader(status: number, find: Find = findWithin): StreamReader {
  const defects: string[] = [];
  const told = createToldCalls(defects, find);
  const isSaid = openSaidBefore();
  let text = '';
  let usage = usageAbsent;
  let failed = false;
  const fail = (): 'error' => {
    failed = true;
    return 'error';
  };
  return {
    defects,
    absorbText: (data) => (data.trim() === '[DONE]' ? 'end' : null),
    absorbEmpty: (event) => (event === 'error' ? fail() : 'other'),
    absorb(event, value) {
      const type = textOf(value.type) || event;
      if (isRecord(value.usage)) usage = readEitherUsage(value.usage);
      if (told.absorb(value)) {
        const beside = find(value).text;
        if (!isSaid(text, beside)) text = joined(text, beside);
        return 'tool';
      }
      if (type === 'error') return fail();
      const piece = typeof value.delta === 'string' ? value.delta : '';
      if (piece !== '' && isPieceOfCall(type)) return 'tool';
      const said = findWithin(value).text;
      text = piece === '' ? joined(text, said) : text + piece;
      if (piece !== '' && !saysText(type)) return 'tool';
      return piece === '' && said === '' ? 'other' : 'text';
    },
    reading() {
      const facts = { ...unreadResponse(status, '').facts, text, toolCalls: told.calls, usage };
      return { facts, defects, complete: true, failed };
    },
  };
}
