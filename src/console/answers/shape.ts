/**
 * Reads what the sidecar answered into known shapes, or says which field is not as expected. The console trusts
 * nothing it fetched until it went through here. Imports nothing.
 */

export type Shape = Readonly<Record<string, unknown>>;

/** The answer is not in a form this console knows; it may be of another version. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  constructor(field: string, expected: string) {
    super(`The sidecar answered in a form this console does not know: ${field} is not ${expected}.`);
  }
}

export function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function shapeOf(value: unknown, field: string): Shape {
  if (!isShape(value)) throw new ShapeError(field, 'an object');
  return value;
}

export function textIn(from: Shape, field: string): string {
  const value = from[field];
  if (typeof value !== 'string') throw new ShapeError(field, 'a text');
  return value;
}

export function numberIn(from: Shape, field: string): number {
  const value = from[field];
  if (typeof value !== 'number') throw new ShapeError(field, 'a number');
  return value;
}

export function flagIn(from: Shape, field: string): boolean {
  const value = from[field];
  if (typeof value !== 'boolean') throw new ShapeError(field, 'true or false');
  return value;
}

export function listIn<T>(from: Shape, field: string, read: (item: unknown) => T): readonly T[] {
  const value = from[field];
  if (!Array.isArray(value)) throw new ShapeError(field, 'a list');
  return value.map(read);
}

export function textsIn(from: Shape, field: string): readonly string[] {
  return listIn(from, field, (item) => {
    if (typeof item !== 'string') throw new ShapeError(field, 'a list of texts');
    return item;
  });
}

export function numbersIn(from: Shape, field: string): readonly number[] {
  return listIn(from, field, (item) => {
    if (typeof item !== 'number') throw new ShapeError(field, 'a list of numbers');
    return item;
  });
}

/** One of the words that are known, or the fallback: a newer sidecar may know more words than this page. */
export function wordIn<T extends string>(from: Shape, field: string, known: readonly T[], fallback: T): T {
  const value = textIn(from, field);
  return known.find((word) => word === value) ?? fallback;
}

/** An instant in milliseconds since 1970. */
export function instantIn(from: Shape, field: string): number {
  const ms = Date.parse(textIn(from, field));
  if (Number.isNaN(ms)) throw new ShapeError(field, 'an instant');
  return ms;
}
