/**
 * RFC 8785 (JCS) for the subset leaves use: ASCII keys, strings, booleans, safe integers, arrays, objects.
 * JSON.stringify already writes strings and safe integers as JCS asks; what is left is the order of keys.
 */

export type Json = string | number | boolean | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

const asciiOnly = /^[\x20-\x7e]*$/;
/** Printable ASCII without quote and backslash: what nearly every value is, and JSON writes as it stands. */
const needsNoEscape = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Objects and arrays inside one another, the leaf itself included. */
export const depthMax = 32;

/**
 * The canonical text of a value; throws RangeError on what a leaf may not hold.
 * @param depth how many objects and arrays are around it, itself included
 */
export function canonicalize(value: Json, depth = 1): string {
  switch (typeof value) {
    case 'string':
      if (needsNoEscape.test(value)) return `"${value}"`;
      // A lone surrogate has no UTF-8; whoever sent it must not be able to seal what no reader accepts.
      return JSON.stringify(value.isWellFormed() ? value : value.toWellFormed());
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isSafeInteger(value))
        throw new RangeError(`A leaf holds safe integers only, not ${value}.`);
      return String(value === 0 ? 0 : value);
    default:
      if (depth > depthMax) throw new RangeError(`A leaf is nested at most ${depthMax} deep.`);
      return isArray(value) ? canonicalizeArray(value, depth + 1) : canonicalizeObject(value, depth + 1);
  }
}

function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}

function canonicalizeArray(values: readonly Json[], depth: number): string {
  let text = '[';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === undefined) throw new RangeError('A leaf holds no gaps in arrays.');
    text += i === 0 ? canonicalize(value, depth) : `,${canonicalize(value, depth)}`;
  }
  return `${text}]`;
}

function canonicalizeObject(object: JsonObject, depth: number): string {
  const keys = Object.keys(object);
  // Writers list their keys in order, so the sort is the exception.
  if (!isSorted(keys)) keys.sort();
  let text = '{';
  for (const key of keys) {
    const value = object[key];
    if (value === undefined) continue;
    text += `${text.length === 1 ? '' : ','}${canonicalKey(key)}:${canonicalize(value, depth)}`;
  }
  return `${text}}`;
}

function canonicalKey(key: string): string {
  if (needsNoEscape.test(key)) return `"${key}"`;
  if (!asciiOnly.test(key)) throw new RangeError(`A leaf's keys are ASCII, not ${JSON.stringify(key)}.`);
  return JSON.stringify(key);
}

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) {
    const before = keys[i - 1];
    const key = keys[i];
    if (before !== undefined && key !== undefined && before > key) return false;
  }
  return true;
}

/** True when a parsed JSON value lies within the subset. */
export function isLeafJson(value: unknown): value is Json {
  if (typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (Array.isArray(value)) return value.every(isLeafJson);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(([key, member]) => asciiOnly.test(key) && isLeafJson(member));
}
