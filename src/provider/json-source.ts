/**
 * Finds how a value was written inside a JSON text, where parsing it would lose its spelling: large
 * integers, 1.0, spacing, key order of numbers. Pure; for texts that already parsed.
 */
import { stringEnd } from './json.ts';

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
  let key = '';
  let valueStart = -1;
  let at = 0;
  const endValue = (end: number) => {
    if (valueStart !== -1) sources.set(element, text.slice(valueStart, end).trim());
    valueStart = -1;
  };
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') {
      const end = stringEnd(text, at + 1);
      const isShallow = depth === 1 || depth === 3;
      if (isShallow && valueStart === -1) key = String(JSON.parse(text.slice(at, end)));
      at = end;
      continue;
    }
    if (char === ':' && inList && depth === 3 && valueStart === -1 && key === memberKey) valueStart = at + 1;
    else if (char === ',' && depth === 3) endValue(at);
    else if (char === ',' && depth === 2 && inList) element += 1;
    else if (char === '{' || char === '[') {
      depth += 1;
      if (depth === 2) {
        inList = char === '[' && key === listKey;
        element = 0;
      }
    } else if (char === '}' || char === ']') {
      if (depth === 3) endValue(at);
      if (depth === 2) inList = false;
      depth -= 1;
    }
    at += 1;
  }
  return sources;
}
