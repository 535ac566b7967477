/**
 * What all families share when a reviewer's amendment is written into an answer: which calls it means,
 * how JSON and streams are rewritten without touching the rest, and the proof that the result reads back
 * as intended. Must not know any family.
 */
import { HoldpointError } from '../../core/errors.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { isRecord, type JsonRecord, stringEnd } from '../wire/json.ts';
import { createSseSplitter, type SseEvent } from '../wire/sse.ts';

/** The error for an amendment that does not fit its answer. */
export function unamendable(why: string): HoldpointError {
  return new HoldpointError(
    'invalid_argument',
    `The answer cannot be amended: ${why}.`,
    'Release or deny it.',
  );
}

/** A repaired call may replace arguments that do not parse; any other defect leaves the answer's meaning open. */
const repairable = 'the argument text of a tool call';

/** Stands where a call's new arguments would: the call is taken out. */
export const withheld = Symbol('withheld');

/** New arguments by the call's place in `facts.toolCalls`, or `withheld`. */
export type ArgumentsAt = ReadonlyMap<number, unknown>;

/** Checks that an amendment fits the answer as read, and finds the calls it means. */
export function planAmendment(reading: ResponseReading, amendment: Amendment): ArgumentsAt {
  const open = reading.defects.find((defect) => !defect.startsWith(repairable));
  if (open !== undefined) throw unamendable(open);
  if (!reading.complete || reading.failed) throw unamendable('it is not complete');
  if (amendment.text !== undefined && amendment.text !== '' && reading.facts.text === '') {
    throw unamendable('it has no text to replace');
  }
  const argumentsAt = new Map<number, unknown>();
  for (const call of amendment.toolCalls ?? []) {
    const place = reading.facts.toolCalls.findIndex((known) => known.id === call.id);
    if (place === -1) throw unamendable(`it has no tool call ${JSON.stringify(call.id)}`);
    if (argumentsAt.has(place)) {
      throw unamendable(`the tool call ${JSON.stringify(call.id)} is amended twice`);
    }
    argumentsAt.set(place, call.arguments);
  }
  for (const id of amendment.withheld ?? []) withholdCall(reading, id, argumentsAt);
  return argumentsAt;
}

function withholdCall({ facts: { toolCalls } }: ResponseReading, id: string, at: Map<number, unknown>): void {
  const places = toolCalls.flatMap((call, place) => (call.id === id ? [place] : []));
  const [place] = places;
  if (place === undefined || places.length > 1)
    throw indivisible(`the id ${JSON.stringify(id)} does not name one of its calls`);
  if (at.has(place)) throw unamendable(`the tool call ${JSON.stringify(id)} is amended twice`);
  at.set(place, withheld);
}

/** The error where calls of an answer cannot be ruled on one by one. */
export function indivisible(why: string): HoldpointError {
  return new HoldpointError(
    'not_divisible',
    `The calls of this answer cannot be ruled on one by one: ${why}.`,
    'Release or deny all of it.',
  );
}

function refuseWithheld(value: unknown): void {
  if (value === withheld) throw indivisible('Holdpoint cannot take one out of an answer of this API');
}

/** New arguments where the wire wants a JSON object. */
export function objectArguments(value: unknown): JsonRecord {
  refuseWithheld(value);
  if (isRecord(value)) return value;
  throw unamendable('arguments must be a JSON object');
}

/** New input of a custom tool, given as text or as the facts show it. */
export function customInput(value: unknown): string {
  refuseWithheld(value);
  const input = isRecord(value) ? value['input'] : value;
  if (typeof input === 'string') return input;
  throw unamendable('the input of a custom tool must be a text');
}

/** Checks that the amended bytes read back whole, with the text that was asked for. */
export function confirmAmended(reading: ResponseReading, amendment: Amendment): void {
  const [defect] = reading.defects;
  if (defect !== undefined) throw unamendable(defect);
  if (amendment.text !== undefined && reading.facts.text !== amendment.text) {
    throw unamendable('its text does not stand in one place');
  }
}

/** Wraps a number's source so that JSON.stringify writes it back as it was; null where the engine cannot. */
function rawNumber(source: string): unknown {
  const rawJson: unknown = Reflect.get(JSON, 'rawJSON');
  return typeof rawJson === 'function' ? Reflect.apply(rawJson, JSON, [source]) : null;
}

/**
 * Parses text that will be written back: numbers that JavaScript would round or respell, such as 1.0 or
 * 12345678901234567890, keep their spelling.
 */
export function parseForRewrite(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
    return rawNumber(source) ?? value;
  });
}

const quote = 0x22;
/** A number in JSON, where one may begin. */
const numberHere = /-?\d[\d.eE+-]*/y;

/** True where no number of a valid JSON text would be respelled by parsing it and writing it back. */
export function isSpeltAsUsual(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === quote) at = stringEnd(text, at + 1);
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      numberHere.lastIndex = at;
      const source = numberHere.exec(text)?.[0] ?? '';
      if (source === '' || String(Number(source)) !== source) return false;
      at += source.length;
    } else at += 1;
  }
  return true;
}

/** Rewrites a JSON answer. */
export function rewriteJson(original: Buffer, rewrite: (body: JsonRecord) => JsonRecord): Buffer {
  const body = parseForRewrite(original.toString('utf8'));
  if (!isRecord(body)) throw unamendable('it is not a JSON object');
  return Buffer.from(JSON.stringify(rewrite(body)));
}

/** Splits a whole stream, an unfinished last event included. */
export function eventsOf(original: Buffer): readonly SseEvent[] {
  const splitter = createSseSplitter(Math.max(original.length, 1));
  const events = splitter.push(original);
  const last = splitter.finish().event;
  return last === null ? events : [...events, last];
}

/** JSON in one line to every client: Python's end one at three more characters that JSON.stringify leaves as they are. */
export function lineOfJson(data: JsonRecord): string {
  return JSON.stringify(data).replace(
    /[\x85\u2028\u2029]/g,
    (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** One event on the wire. */
export function sseBytes(event: string, data: JsonRecord): Buffer {
  return Buffer.from(`${event === '' ? '' : `event: ${event}\n`}data: ${lineOfJson(data)}\n\n`);
}

/** Rewrites a stream event by event: `null` keeps the event's bytes, a list replaces it, [] drops it. */
export function rewriteStream(
  original: Buffer,
  rewrite: (value: JsonRecord) => readonly JsonRecord[] | null,
): Buffer {
  const out: Buffer[] = [];
  for (const sse of eventsOf(original)) {
    const value = sse.hasData && sse.data.trim() !== '[DONE]' ? parseForRewrite(sse.data) : null;
    const rewritten = isRecord(value) ? rewrite(value) : null;
    // An event named after its data's type stays so, whatever is put in its place.
    const named = isRecord(value) && sse.event !== '' && sse.event === value['type'];
    if (rewritten === null) out.push(sse.raw);
    else for (const data of rewritten) out.push(sseBytes(named ? String(data['type']) : sse.event, data));
  }
  return Buffer.concat(out);
}
