/**
 * Writes a reviewer's amendment into streams of OpenAI objects: the events of an agent's session, and those of a run,
 * where a call comes in pieces before it is told whole. Only arguments are changed. Pure.
 */
import {
  confirmAmended,
  objectArguments,
  planAmendment,
  rewriteStream,
  unamendable,
  withheld,
} from '../amending/amendment.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { openEventStream, type StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { argumentsTextOf } from './call-arguments.ts';
import { amendRecords, callWith, withCalls } from './records.ts';
import { findWithin } from './records-find.ts';

const okStatus = 200;

function read(bytes: Buffer, openReader: (status: number) => StreamReader): ResponseReading {
  const stream = openEventStream(openReader(okStatus), Math.max(bytes.length, 1));
  stream.push(bytes);
  return stream.finish().reading;
}

/** New arguments by the id of their call. */
function argumentsById(reading: ResponseReading, amendment: Amendment): ReadonlyMap<string, unknown> {
  const byId = new Map<string, unknown>();
  for (const [place, value] of planAmendment(reading, amendment)) {
    // Refuses what cannot be taken out.
    if (value === withheld) objectArguments(value);
    byId.set(reading.facts.toolCalls[place]?.id ?? '', value);
  }
  return byId;
}

/** The event with every call in it that is amended; null where it has none. One that is only begun stays so. */
function withWholeCalls(event: JsonRecord, byId: ReadonlyMap<string, unknown>): JsonRecord | null {
  const replaced = new Map<unknown, JsonRecord>();
  for (const found of findWithin(event).calls) {
    const { call } = found;
    const id = textOf(call.call_id) || textOf(call.id);
    if (!byId.has(id) || call.arguments === '') continue;
    replaced.set(call, callWith(found, byId.get(id)));
  }
  return replaced.size === 0 ? null : withCalls(event, replaced);
}

/** Follows the pieces of calls: the first one of a call that is amended has all of its arguments, the others none. */
function createPieces(byId: ReadonlyMap<string, unknown>) {
  const idOfCall = new Map<string, string>();
  const written = new Set<string>();
  const amended = (step: string, entry: unknown): unknown => {
    if (!isRecord(entry) || !isRecord(entry.function)) return entry;
    const key = `${step}.${typeof entry.index === 'number' ? entry.index : 0}`;
    const id = textOf(entry.id) || (idOfCall.get(key) ?? '');
    idOfCall.set(key, id);
    if (!byId.has(id)) return entry;
    const text = written.has(id) ? '' : JSON.stringify(objectArguments(byId.get(id)));
    if (written.has(id) && argumentsTextOf(entry.function.arguments, []) === '') return entry;
    written.add(id);
    return { ...entry, function: { ...entry.function, arguments: text } };
  };
  return (event: JsonRecord): JsonRecord | null => {
    const delta = isRecord(event.delta) ? event.delta : {};
    const details = isRecord(delta.step_details) ? delta.step_details : {};
    if (!Array.isArray(details.tool_calls)) return null;
    const step = textOf(event.id);
    const calls = details.tool_calls.map((entry: unknown) => amended(step, entry));
    return { ...event, delta: { ...delta, step_details: { ...details, tool_calls: calls } } };
  };
}

/** The amendment of a whole answer, or of a stream that `openReader` reads. Throws HoldpointError `invalid_argument`. */
export function amendEvents(
  openReader: (status: number) => StreamReader,
): (original: Buffer, streaming: boolean, amendment: Amendment) => Buffer {
  return (original, streaming, amendment) => {
    if (!streaming) return amendRecords(original, false, amendment);
    if (!isAbsent(amendment.text)) throw unamendable('its text does not stand in one place');
    const byId = argumentsById(read(original, openReader), amendment);
    const inPieces = createPieces(byId);
    const amended = rewriteStream(original, (event) => {
      const rewritten = inPieces(event) ?? withWholeCalls(event, byId);
      return rewritten === null ? null : [rewritten];
    });
    confirmAmended(read(amended, openReader), amendment);
    return amended;
  };
}
