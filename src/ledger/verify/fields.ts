/** Forms that a field of an entry can have; type guards over parsed JSON. Portable; imports only its own folder. */
import type { Json, JsonObject } from './canonical.ts';
import { fromBase64 } from './encoding.ts';

export interface Part {
  readonly c: string;
  readonly e: string;
  readonly name: string;
  readonly size: number;
}

/** Members of `data` that a reader asks for. */
export type Fields<K extends string> = { readonly [name in K]?: Json };

/** Of one entry: a part's index is one byte in the bodies record. */
export const partsMax = 256;

/**
 * A day that there is: what one engine reads as the second of March and another as no date would be judged by neither
 * in the same way.
 */
const everyMonth = '(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)';
const everyYear = `(?!0000)[0-9]{4}-(?:${everyMonth}|02-(?:0[1-9]|1[0-9]|2[0-8]))`;
const leapYear = '[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?!0000)(?:[02468][048]|[13579][26])00';
export const utcForm = new RegExp(
  `^(?:${everyYear}|(?:${leapYear})-02-29)T(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}\\.[0-9]{3}Z$`,
);
export const hex64 = /^[0-9a-f]{64}$/;

export function isMatching(value: Json | undefined, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value);
}

/** A non-negative integer; the parser lets no fractions through. */
export function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && !isList(value);
}

export function isTexts(value: Json | undefined): value is readonly string[] {
  return isList(value) && value.every((item) => typeof item === 'string');
}

export function isOneOf<const T extends string>(value: Json | undefined, allowed: readonly T[]): value is T {
  return typeof value === 'string' && allowed.some((one) => one === value);
}

/** An entry before the one at `seq`. */
export function isEarlier(value: Json | undefined, seq: number): value is number {
  return isCount(value) && value < seq;
}

/** The text; '' where it is none. */
export function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The bytes of strict base64; undefined where it is none. */
export function bytesIn(value: Json | undefined): Uint8Array | undefined {
  return typeof value === 'string' ? fromBase64(value) : undefined;
}

/** `c` of a part; '' where there is none of that name. */
export function digestOf(parts: readonly Part[], name: string): string {
  return parts.find((part) => part.name === name)?.c ?? '';
}
