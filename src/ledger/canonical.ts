/**
 * RFC 8785 (JCS) for the subset leaves use: ASCII keys, strings, booleans, safe integers, arrays, objects.
 * JSON.stringify already writes strings and safe integers as JCS asks; what is left is the order of keys.
 */

export type Json = string | number | boolean | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

const asciiOnly = /^[\x20-\x7e]*$/;

/** The canonical text of a value; throws RangeError on what a leaf may not hold. */
export function canonicalize(value: Json): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isSafeInteger(value))
        throw new RangeError(`A leaf holds safe integers only, not ${value}.`);
      return String(value === 0 ? 0 : value);
    default:
      return isArray(value) ? canonicalizeArray(value) : canonicalizeObject(value);
  }
}

function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}

function canonicalizeArray(values: readonly Json[]): string {
  let text = '[';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === undefined) throw new RangeError('A leaf holds no gaps in arrays.');
    text += i === 0 ? canonicalize(value) : `,${canonicalize(value)}`;
  }
  return `${text}]`;
}

function canonicalizeObject(object: JsonObject): string {
  const keys = Object.keys(object);
  // Writers list their keys in order, so the sort is the exception.
  if (!isSorted(keys)) keys.sort();
  let text = '{';
  for (const key of keys) {
    if (!asciiOnly.test(key)) throw new RangeError(`A leaf's keys are ASCII, not ${JSON.stringify(key)}.`);
    const value = object[key];
    if (value === undefined) continue;
    text += `${text.length === 1 ? '' : ','}${JSON.stringify(key)}:${canonicalize(value)}`;
  }
  return `${text}}`;
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
