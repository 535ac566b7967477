/** Proves that an amended answer asks for exactly what was meant: the named calls changed, no other did. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { type ArgumentsAt, confirmAmended, indivisible, unamendable, withheld } from './amendment.ts';

/** Throws where the amended bytes, read back, say anything but the original with the amendment. */
export function confirmCalls(
  before: ResponseReading,
  after: ResponseReading,
  at: ArgumentsAt,
  amendment: Amendment,
): void {
  confirmAmended(after, amendment);
  if (amendment.text === undefined && after.facts.text !== before.facts.text) {
    throw unamendable('its text would change with it');
  }
  // Each with its new arguments, those that are withheld left out.
  const was = before.facts.toolCalls.flatMap((call, place) => {
    const value = at.has(place) ? at.get(place) : call.arguments;
    return value === withheld ? [] : [{ ...call, arguments: value }];
  });
  const is = after.facts.toolCalls;
  const isRenamed = is.length === was.length && is.some(({ id }, place) => id !== was[place]?.id);
  if (isRenamed && amendment.withheld !== undefined)
    throw indivisible('those that are left have no id of their own, and would be others by their place');
  const same = is.every(({ id, name, arguments: value }, place) => {
    const call = was[place];
    return call?.id === id && call.name === name && isMeant(value, call.arguments);
  });
  if (!same || is.length !== was.length || !after.complete || after.failed) {
    throw unamendable('its tool calls cannot be told apart');
  }
}

/** As JSON, which is how it is written. The input of a custom tool is given as its text alone, too. */
function isMeant(value: unknown, wanted: unknown): boolean {
  return isDeepStrictEqual(asJson(value), asJson(typeof wanted === 'string' ? { input: wanted } : wanted));
}

/** The value as JSON has it. */
export function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null');
}
