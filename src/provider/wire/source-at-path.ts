/**
 * Finds how values were written deep inside a JSON text, where parsing would lose their spelling: large
 * integers, 1.0, spacing. Pure; for texts that already parsed.
 */
import { stringEnd } from './json.ts';

/** Steps over every element of a list; its place becomes part of the key. */
export const eachElement = Symbol('each element');

/** From the outside in: the names of members, and `eachElement` for lists. */
export type SourcePath = readonly (string | typeof eachElement)[];

const blanks: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const quote = 0x22;
const openers: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const closers: ReadonlySet<number> = new Set([0x7d, 0x5d]);
const comma = 0x2c;

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (blanks.has(text.charCodeAt(at))) at += 1;
  return at;
}

/** The position after the value that starts at `from`. */
function valueEnd(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = stringEnd(text, at + 1);
      if (depth === 0) return at;
      continue;
    }
    if (depth === 0 && (code === comma || closers.has(code) || blanks.has(code))) return at;
    if (openers.has(code)) depth += 1;
    else if (closers.has(code)) depth -= 1;
    at += 1;
    if (depth === 0 && closers.has(code)) return at;
  }
  return at;
}

/** The starts of the values inside the object or list at `from`, each with its name or place. */
function* children(text: string, from: number): Generator<{ key: string | number; start: number }> {
  const isObject = text[from] === '{';
  let at = skipBlanks(text, from + 1);
  for (let place = 0; at < text.length && !closers.has(text.charCodeAt(at)); place += 1) {
    let key: string | number = place;
    if (isObject) {
      const end = stringEnd(text, at + 1);
      key = String(JSON.parse(text.slice(at, end)));
      at = skipBlanks(text, skipBlanks(text, end) + 1);
    }
    yield { key, start: at };
    at = skipBlanks(text, valueEnd(text, at));
    if (text.charCodeAt(at) === comma) at = skipBlanks(text, at + 1);
  }
}

/**
 * The source of every value that the path leads to, by the places of the lists on the way joined by dots:
 * for `['calls', eachElement, 'input']` the source of `$.calls[i].input` by `i`.
 */
export function sourcesAt(text: string, path: SourcePath): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  const walk = (start: number, depth: number, places: string): void => {
    const step = path[depth];
    if (step === undefined) {
      sources.set(places, text.slice(start, valueEnd(text, start)));
      return;
    }
    if (text[start] !== (step === eachElement ? '[' : '{')) return;
    for (const { key, start: child } of children(text, start)) {
      if (step === eachElement) walk(child, depth + 1, places === '' ? String(key) : `${places}.${key}`);
      else if (key === step) walk(child, depth + 1, places);
    }
  };
  walk(skipBlanks(text, 0), 0, '');
  return sources;
}
