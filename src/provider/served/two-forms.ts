/**
 * What stands beside the choices of an answer in OpenAI's form: clients of hosts that answer in a form of their own too read
 * both (https://github.com/cloudflare/ai/tree/main/packages/workers-ai-provider). Pure.
 */
import { findWithin } from '../openai/records-find.ts';
import { textWithin } from '../reading/reading.ts';
import { isRecord, type JsonRecord } from '../wire/json.ts';

/** Where hosts have the words of their own form. */
const wordMembers = ['response', 'result', 'output', 'output_text', 'generated_text', 'text', 'content'];

/** True where an answer with choices, or a piece of one, calls or says something beside them. */
export function saysBesideChoices({ choices: _choices, usage: _usage, ...rest }: JsonRecord): boolean {
  const hasWords = wordMembers.some((name) => textWithin(rest[name]) !== '');
  return (
    hasWords ||
    (isRecord(rest.message) && textWithin(rest.message) !== '') ||
    findWithin(rest).calls.length > 0
  );
}
