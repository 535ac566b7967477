/** An answer as one text, to be compared with another. Pure. */
import { laidOut } from './json-tree.ts';

interface Answer {
  readonly toolCalls: readonly { readonly name: string; readonly argumentsText: string }[];
  readonly text: string;
  readonly refusal: string;
}

/** What an answer has its caller do and read: each call by its name, with its arguments laid out, then the texts. */
export function answerText({ toolCalls, text, refusal }: Answer): string {
  const calls = toolCalls.map(({ name, argumentsText }) => `${name} ${laidOut(argumentsText)}`);
  return [...calls, text, refusal].filter((part) => part !== '').join('\n');
}
