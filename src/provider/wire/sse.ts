/**
 * Splits a server-sent-event body into events, incrementally (WHATWG HTML, "9.2.6 Interpreting an event
 * stream"). Keeps every byte: the raw bytes of all events and the rest concatenate to the input. Pure; no
 * sockets, no JSON.
 *
 * Every byte is looked at a constant number of times, however the input is cut, and the outcome does not
 * depend on the cuts: a CR at the end of a chunk waits for the byte after it.
 */
import { hiddenDataIn, splitEventIn } from './sse-line.ts';

/** The largest event that is parsed; a larger one is handed out in unparsed fragments, marked as a defect. */
export const eventBytesMaxDefault = 16 * 1024 * 1024;

export interface SseEvent {
  /** The bytes as received, blank line included; a view of the pushed chunk where it lay in one. */
  readonly raw: Buffer;
  /** The last `event` field, `error` for a field of that name; '' when there was none. */
  readonly event: string;
  /** All `data` fields joined by newlines. */
  readonly data: string;
  /** False for comments, lone blank lines, and events of other fields only. */
  readonly hasData: boolean;
  /** Why clients may read this event differently than it is read here; '' when all agree. */
  readonly defect: string;
}

export interface SseSplitter {
  /** The events that became whole. The chunk's memory must not be reused afterwards. */
  push(chunk: Buffer): SseEvent[];
  /** Bytes after the last whole event, and how clients that flush at the end of a body read them. */
  finish(): { readonly rest: Buffer; readonly event: SseEvent | null };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;
const space = 0x20;
const none = Buffer.alloc(0);

/** Finds line ends from growing positions; remembers what lies ahead so that no byte is searched twice. */
function lineEndFinder(bytes: Buffer): (from: number) => number {
  let nextLf = -2;
  let nextCr = -2;
  return (from) => {
    if (nextLf !== -1 && nextLf < from) nextLf = bytes.indexOf(lineFeed, from);
    if (nextCr !== -1 && nextCr < from) nextCr = bytes.indexOf(carriageReturn, from);
    if (nextLf === -1) return nextCr;
    return nextCr === -1 || nextLf < nextCr ? nextLf : nextCr;
  };
}

function startsWithBom(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf;
}

function isField(bytes: Buffer, at: number, end: number, name: string): boolean {
  const after = at + name.length;
  if (after > end || (after < end && bytes[after] !== colon)) return false;
  for (let i = 0; i < name.length; i += 1) {
    if (bytes[at + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}

const otherFields = ['event', 'id', 'retry', 'error'];

/** The name of a field that is no data, '' for a comment; null for a line that the standard has clients pass over. */
function fieldNameOf(bytes: Buffer, at: number, end: number): string | null {
  if (bytes[at] === colon) return '';
  return otherFields.find((name) => isField(bytes, at, end, name)) ?? null;
}

function fieldValue(bytes: Buffer, nameEnd: number, end: number): string {
  if (nameEnd >= end) return '';
  const from = bytes[nameEnd + 1] === space && nameEnd + 1 < end ? nameEnd + 2 : nameEnd + 1;
  return bytes.toString('utf8', from, end);
}

/** Reads the fields of one event block. `first`: the block opens the stream, where a BOM is allowed. */
function parseEvent(raw: Buffer, first: boolean): SseEvent {
  const lineEnd = lineEndFinder(raw);
  let event = '';
  const lines: string[] = [];
  let defect = '';
  let at = first && startsWithBom(raw, 0) ? 3 : 0;
  while (at < raw.length) {
    if (startsWithBom(raw, at)) {
      // The standard makes this an unknown field; the openai and anthropic SDKs decode line by line and
      // drop the mark, so for them the line counts.
      defect = 'a byte order mark stands inside the event stream';
      at += 3;
    }
    const found = lineEnd(at);
    const end = found === -1 ? raw.length : found;
    if (isField(raw, at, end, 'data')) {
      lines.push(fieldValue(raw, at + 4, end));
    } else {
      const name = end === at ? '' : fieldNameOf(raw, at, end);
      if (name === null) defect ||= 'a line of the stream is no field of an event';
      else if (name === 'event') event = fieldValue(raw, at + 5, end);
      // No field of the standard: llama.cpp told failures that way until 2025, and clients pass over it.
      else if (name === 'error') event = name;
      defect ||= hiddenDataIn(raw, at, end);
    }
    at = raw[end] === carriageReturn && raw[end + 1] === lineFeed ? end + 2 : end + 1;
  }
  if (lines.length > 1) defect ||= splitEventIn(lines);
  return { raw, event, data: lines.join('\n'), hasData: lines.length > 0, defect };
}

/** Opens a splitter. `eventBytesMax` bounds what is kept for one event. */
export function createSseSplitter(eventBytesMax: number = eventBytesMaxDefault): SseSplitter {
  let parts: Buffer[] = [];
  let partsBytes = 0;
  let first = true;
  let lineIsEmpty = true;
  // A CR ended the last chunk: the line it ends is known, whether an LF belongs to it is not.
  let crPending = false;
  let crEndsEvent = false;
  // Part of the event in progress was handed out unparsed because it exceeded the bound.
  let oversize = false;

  function take(piece: Buffer): Buffer {
    if (partsBytes === 0) return piece;
    if (piece.length > 0) parts.push(piece);
    const whole = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    parts = [];
    partsBytes = 0;
    return whole;
  }

  function unparsed(raw: Buffer): SseEvent {
    const defect = `an event of the stream is larger than ${eventBytesMax} bytes`;
    return { raw, event: '', data: '', hasData: false, defect };
  }

  function complete(piece: Buffer, out: SseEvent[]): void {
    const tooLarge = oversize || partsBytes + piece.length > eventBytesMax;
    const raw = take(piece);
    out.push(tooLarge ? unparsed(raw) : parseEvent(raw, first));
    first = false;
    oversize = false;
  }

  function keep(piece: Buffer, out: SseEvent[]): void {
    if (piece.length === 0) return;
    parts.push(piece);
    partsBytes += piece.length;
    if (partsBytes <= eventBytesMax) return;
    oversize = true;
    out.push(unparsed(take(none)));
  }

  function push(chunk: Buffer): SseEvent[] {
    const out: SseEvent[] = [];
    if (chunk.length === 0) return out;
    const lineEnd = lineEndFinder(chunk);
    let eventStart = 0;
    let at = 0;
    if (crPending) {
      crPending = false;
      if (chunk[0] === lineFeed) at = 1;
      if (crEndsEvent) {
        complete(chunk.subarray(0, at), out);
        eventStart = at;
      }
    }
    while (at < chunk.length) {
      const end = lineEnd(at);
      if (end === -1) {
        lineIsEmpty = false;
        break;
      }
      const blank = lineIsEmpty && end === at;
      lineIsEmpty = true;
      at = end + 1;
      if (chunk[end] === carriageReturn) {
        if (at === chunk.length) {
          crPending = true;
          crEndsEvent = blank;
          break;
        }
        if (chunk[at] === lineFeed) at += 1;
      }
      if (blank) {
        complete(chunk.subarray(eventStart, at), out);
        eventStart = at;
      }
    }
    keep(chunk.subarray(eventStart), out);
    return out;
  }

  function finish(): { rest: Buffer; event: SseEvent | null } {
    const rest = take(none);
    if (rest.length === 0) return { rest, event: null };
    return { rest, event: oversize ? unparsed(rest) : parseEvent(rest, first) };
  }

  return { push, finish };
}
