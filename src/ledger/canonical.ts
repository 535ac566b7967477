/**
 * RFC 8785 (JCS) for the subset leaves use: ASCII keys, strings, booleans, safe integers, arrays, objects.
 * JSON.stringify already writes strings and safe integers as JCS asks; what is left is the order of keys.
 */

export type Json = string | number | boolean | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

const asciiOnly = /^[\x20-\x7e]*$/;

/** Objects and arrays inside one another, the leaf itself included. */
export const depthMax = 32;

/**
 * The canonical text of a value; throws RangeError on what a leaf may not hold.
 * @param depth how many objects and arrays are around it, itself included
 */
export function canonicalize(value: Json, depth = 1): string {
  // Writers list their keys in order, and the engine writes a whole value in half the time.
  return isInOrder(value, depth) ? JSON.stringify(value) : write(value, depth);
}

/** True where JSON.stringify writes the value as it is canonical; false for what may not be written, too. */
function isInOrder(value: Json | undefined, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value === 'boolean') return true;
  if (value === undefined || depth > depthMax) return false;
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isInOrder(value[i], depth + 1)) return false;
    return true;
  }
  let before = '';
  for (const key of Object.keys(value)) {
    if (key <= before || !isAscii(key) || !isInOrder(value[key], depth + 1)) return false;
    before = key;
  }
  return true;
}

function write(value: Json, depth: number): string {
  switch (typeof value) {
    case 'string':
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
      return isArray(value) ? writeArray(value, depth + 1) : writeObject(value, depth + 1);
  }
}

function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}

function writeArray(values: readonly Json[], depth: number): string {
  // Not by `map`, which passes over gaps.
  const members = Array.from(values, (value: Json | undefined) => {
    if (value === undefined) throw new RangeError('A leaf holds no gaps in arrays.');
    return write(value, depth);
  });
  return `[${members.join(',')}]`;
}

function writeObject(object: JsonObject, depth: number): string {
  const members = Object.keys(object)
    .sort()
    .flatMap((key) => {
      const value = object[key];
      if (value === undefined) return [];
      if (!isAscii(key)) throw new RangeError(`A leaf's keys are ASCII, not ${JSON.stringify(key)}.`);
      return [`${JSON.stringify(key)}:${write(value, depth)}`];
    });
  return `{${members.join(',')}}`;
}

const knownKeysMax = 1024;
/** The writers' keys are few, and looking one up is cheaper than reading it. */
const knownKeys = new Set<string>();

function isAscii(key: string): boolean {
  if (knownKeys.has(key)) return true;
  if (!asciiOnly.test(key)) return false;
  if (knownKeys.size < knownKeysMax) knownKeys.add(key);
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
