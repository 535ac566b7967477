/**
 * Tool inputs as older SDKs of Anthropic's read them. Those for JavaScript put streamed input through a reader of their own,
 * which in a number lost the exponent's letter and the character behind it: 1e5 was 1, 2e-5 was 25. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CallReading } from '../../core/facts.ts';
import { readJsonText, stringEnd } from '../wire/json.ts';

/** Letter, sign or first digit, and the digits that are left. */
const exponent = /([0-9])[eE][-+0-9]([0-9]*)/g;
const exponentBegins = /[0-9][eE]/;

/** The text with its numbers as that reader had them; strings stand as they are. */
function withoutExponents(text: string): string {
  let without = '';
  let at = 0;
  for (;;) {
    const opens = text.indexOf('"', at);
    without += text.slice(at, opens === -1 ? text.length : opens).replace(exponent, '$1$2');
    if (opens === -1) return without;
    at = stringEnd(text, opens + 1);
    without += text.slice(opens, at);
  }
}

/** The same call where that reader had other input than was written; nothing where it had the same, or failed. */
export function olderReading({ name, arguments: value, argumentsText }: CallReading): readonly CallReading[] {
  if (!exponentBegins.test(argumentsText)) return [];
  const text = withoutExponents(argumentsText);
  if (text === argumentsText) return [];
  // What is wrong with the text is wrong with the call as it is written, and noted there.
  const { value: read } = readJsonText(text, 'the arguments');
  return read === undefined || isDeepStrictEqual(read, value)
    ? []
    : [{ name, arguments: read, argumentsText: text }];
}
