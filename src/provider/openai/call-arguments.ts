/** What a call hands its tool, as a chat writes it. Must not import what reads chats, which imports this. Pure. */
import { note, pieceOf } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';

/**
 * Arguments are text by contract; servers that send the object itself are read as if they had written it. Of anything
 * else JavaScript makes a text by itself: of a list with one text in it, that text.
 */
export function argumentsTextOf(value: unknown, defects: string[]): string {
  if (typeof value === 'string') return value;
  if (isAbsent(value)) return '';
  if (!isRecord(value)) note(defects, 'the arguments of a tool call are neither a text nor an object');
  return JSON.stringify(value);
}

/** True for a function without arguments but with parameters, which LiteLLM hands on in their place. */
export function inOtherMember({ arguments: written, parameters }: JsonRecord): boolean {
  return isAbsent(written) && isRecord(parameters);
}

/** What a custom tool is given is text by contract. */
export function inputTextOf(value: unknown, defects: string[]): string {
  return isAbsent(value) ? '' : pieceOf(value, 'the input of a custom tool', defects);
}
