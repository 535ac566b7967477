/**
 * Finds how a value was written inside a JSON text, where parsing it would lose its spelling: large
 * integers, 1.0, spacing, key order of numbers. Pure; for texts that already parsed.
 */
import { stringEnd } from './json.ts';

const quote = 0x22;
const colon = 0x3a;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * How a member of each element of a top-level list was written: for `content` and `input`, the source of
 * `$.content[i].input` by `i`. One linear scan; elements without the member are left out.
 */
export function memberSources(text: string, listKey: string, memberKey: string): ReadonlyMap<number, string> {
  const sources = new Map<number, string>();
  /** The list's nesting: the body is 1, the list 2, its elements 3. */
  let depth = 0;
  let inList = false;
  let element = 0;
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = -1;
  let at = 0;
  const keyIs = (name: string) => {
    const written = text.slice(keyStart, keyEnd);
    return written.includes('\\') ? JSON.parse(written) === name : written === `"${name}"`;
  };
  const endValue = (end: number) => {
    if (valueStart !== -1) sources.set(element, text.slice(valueStart, end).trim());
    valueStart = -1;
  };
  while (at < text.length) {
    const code = text.charCodeAt(at);
    at += 1;
    if (code === quote) {
      const end = stringEnd(text, at);
      keyStart = at - 1;
      keyEnd = end;
      at = end;
    } else if (code === colon) {
      if (inList && depth === 3 && keyIs(memberKey)) valueStart = at;
    } else if (code === comma) {
      if (depth === 3) endValue(at - 1);
      else if (depth === 2 && inList) element += 1;
    } else if (code === openBrace || code === openBracket) {
      depth += 1;
      if (depth !== 2) continue;
      inList = code === openBracket && keyIs(listKey);
      element = 0;
    } else if (code === closeBrace || code === closeBracket) {
      if (depth === 3) endValue(at - 1);
      if (depth === 2) inList = false;
      depth -= 1;
    }
  }
  return sources;
}
