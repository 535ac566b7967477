/**
 * Finds how a value deep inside a JSON text was written, where parsing it would lose its spelling: 1.0, large
 * integers, spacing. For texts that already parsed; one linear scan. Pure.
 */
import { stringEnd } from '../wire/json.ts';

const separators = /[\s,:]/;
const opening = /[{[]/;

/**
 * The source of every value that stands at `path`, by the positions taken in the lists on the way, joined by
 * commas. A `null` step is any element of a list: for ['content', null, 'input'] that is `$.content[i].input` by
 * `i`.
 */
export function valueSources(text: string, path: readonly (string | null)[]): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  let at = 0;

  function skip(): void {
    while (at < text.length && separators.test(text.charAt(at))) at += 1;
  }

  /** Steps over one value. `matched`: how much of the path led here, -1 when it did not. */
  function value(matched: number, positions: string): void {
    skip();
    const start = at;
    const first = text.charAt(at);
    if (first === '"') at = stringEnd(text, at + 1);
    else if (opening.test(first)) members(first === '{', matched, positions);
    else while (at < text.length && !/[\s,\]}]/.test(text.charAt(at))) at += 1;
    if (matched === path.length) sources.set(positions, text.slice(start, at));
  }

  function members(isObject: boolean, matched: number, positions: string): void {
    at += 1;
    const step = matched >= 0 && matched < path.length ? path[matched] : undefined;
    for (let place = 0; ; place += 1) {
      skip();
      const char = text.charAt(at);
      if (char === '}' || char === ']' || char === '') {
        at += 1;
        return;
      }
      if (!isObject) {
        const below = positions === '' ? String(place) : `${positions},${place}`;
        value(step === null ? matched + 1 : -1, below);
        continue;
      }
      const keyStart = at;
      at = stringEnd(text, at + 1);
      const key: unknown = step === undefined || step === null ? null : JSON.parse(text.slice(keyStart, at));
      value(key !== null && key === step ? matched + 1 : -1, positions);
    }
  }

  value(0, '');
  return sources;
}
