/**
 * Reads JSON that others wrote (RFC 8259). JSON.parse takes the last of two equal keys where another
 * parser may take the first, so one text can mean two things; such a text is a defect here, as is one
 * nested so deep that a reader may give up on it. Pure; imports nothing but node:buffer.
 */
import { isUtf8 } from 'node:buffer';

/** Deeper values are refused, so that everything that walks a value can recurse. */
export const jsonDepthMax = 128;

export type JsonRecord = { readonly [key: string]: unknown };

export interface JsonReading {
  /** Undefined when nothing could be read. */
  readonly value: unknown;
  /** Why the text must not be trusted to mean `value` alone; '' when it does. */
  readonly defect: string;
}

const quote = 0x22;
const backslash = 0x5c;
/** Short strings are cheapest stepped through, long ones cheapest searched by the engine. */
const steppedCharsMax = 24;

/** The position after the string whose content starts at `start`; the text's end if it never closes. */
export function stringEnd(text: string, start: number): number {
  let at = start;
  const stop = start + steppedCharsMax;
  while (at < stop) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (Number.isNaN(code)) return text.length;
    at += code === backslash ? 2 : 1;
  }
  for (;;) {
    const found = text.indexOf('"', at);
    if (found === -1) return text.length;
    let backslashes = 0;
    while (found - 1 - backslashes >= at && text.charCodeAt(found - 1 - backslashes) === backslash) {
      backslashes += 1;
    }
    at = found + 1;
    if (backslashes % 2 === 0) return at;
  }
}

/** How many keys a valid JSON text writes, or -1 when it nests deeper than `jsonDepthMax`. */
function keysWritten(text: string): number {
  const length = text.length;
  let keys = 0;
  let depth = 0;
  let at = 0;
  while (at < length) {
    const code = text.charCodeAt(at);
    at += 1;
    if (code === quote) {
      at = stringEnd(text, at);
    } else if (code === 0x3a) {
      keys += 1;
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > jsonDepthMax) return -1;
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1;
    }
  }
  return keys;
}

/**
 * How many keys survived parsing; NaN where one is `__proto__`. Clients that copy members by assignment take that for the
 * object's prototype, whose members then seem its own.
 */
function keysHeld(value: unknown): number {
  let keys = 0;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) keys += keysHeld(value[i]);
    return keys;
  }
  if (!isRecord(value)) return 0;
  // Nothing is made for it, as Object.values would; a parsed value inherits no key.
  for (const key in value) keys += key === '__proto__' ? Number.NaN : 1 + keysHeld(value[key]);
  return keys;
}

/** The first key that an object of a valid JSON text writes twice; '' when none does. */
function firstRepeatedKey(text: string): string {
  const open: Set<string>[] = [];
  let lastString = '';
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') {
      const end = stringEnd(text, at + 1);
      lastString = text.slice(at, end);
      at = end;
      continue;
    }
    if (char === '{') open.push(new Set());
    else if (char === '}') open.pop();
    else if (char === ':') {
      // Escapes are resolved, so that "a" and "\u0061" are seen to be one key.
      const key = String(JSON.parse(lastString));
      const seen = open.at(-1);
      if (seen?.has(key)) return key;
      seen?.add(key);
    }
    at += 1;
  }
  return '';
}

/** Parses one JSON text. `what` opens the defect's sentence: `the body`, `the argument text of a tool call`. */
export function readJsonText(text: string, what: string): JsonReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { value: undefined, defect: `${what} is not JSON` };
  }
  if (typeof value !== 'object' || value === null) return { value, defect: '' };
  const written = keysWritten(text);
  if (written === -1) return { value: undefined, defect: `${what} is nested deeper than ${jsonDepthMax}` };
  const held = keysHeld(value);
  if (Number.isNaN(held)) return { value, defect: `${what} has the key "__proto__"` };
  // Each key written makes one key held, unless an equal one replaced it: the counts differ exactly then.
  if (written === held) return { value, defect: '' };
  const key = JSON.stringify(firstRepeatedKey(text).slice(0, 80));
  return { value, defect: `${what} has the key ${key} more than once` };
}

/** Parses a body as UTF-8 JSON. */
export function readJson(body: Buffer, what: string): JsonReading {
  if (!isUtf8(body)) return { value: undefined, defect: `${what} is not valid UTF-8` };
  return readJsonText(body.toString('utf8'), what);
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value where it is a text, '' otherwise. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The value where it is a count, 0 otherwise. */
export function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;
}

/** True for a JSON null and for a member that is not there. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** The object a JSON text holds; null where it holds anything else or does not parse. */
export function parsedRecord(text: string): JsonRecord | null {
  const { value } = readJsonText(text, 'the text');
  return isRecord(value) ? value : null;
}
