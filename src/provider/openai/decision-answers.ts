/**
 * What OpenAI's and Gemini's decisions APIs answer: questions that were put to a model, each decided by a choice, a
 * probability or a score (`decisions.create` of both SDKs; https://ai.google.dev/api). No prose comes with it, so rules see
 * one line of text for each question, its name and what was decided. Pure; hostile bytes in, facts and defects out.
 */
import { readInteractionUsage } from '../gemini/interactions.ts';
import type { ResponseReading } from '../protocol.ts';
import { joined, note, openAnswer } from '../reading/reading.ts';
import { isAbsent, isRecord, textOf } from '../wire/json.ts';
import { recordsOf } from './records.ts';

const answersMax = 1_000;
/** The members of which an answer has one: OpenAI's, Gemini's, and those that both know. */
const decided = ['probability', 'noul', 'choice', 'score'] as const;

/** In one line, whatever stands in it. */
function lineOf(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
}

function namedAnswers(
  answers: unknown,
  defects: string[],
): readonly (readonly [name: string, answer: unknown])[] {
  if (isAbsent(answers)) return [];
  const named = Array.isArray(answers)
    ? answers.map((answer: unknown) => [isRecord(answer) ? textOf(answer.name) : '', answer] as const)
    : isRecord(answers)
      ? Object.entries(answers)
      : null;
  if (named === null) note(defects, '`answers` is neither a list nor an object');
  if (named !== null && named.length > answersMax) note(defects, `more than ${answersMax} answers`);
  return (named ?? []).slice(0, answersMax);
}

/** Reads a whole answer of status below 400. */
export function readDecisions(status: number, bytes: Buffer): ResponseReading {
  const { body, defects: unclear, unread } = openAnswer(status, bytes);
  if (body === null) return unread;
  const reading = recordsOf(status, body, unclear);
  const defects = [...reading.defects];
  const { block_reason: reason, block_reason_message: why } = isRecord(body.prompt_feedback)
    ? body.prompt_feedback
    : {};
  let text = '';
  let refusal = textOf(why) || textOf(reason);
  for (const [name, answer] of namedAnswers(body.answers, defects)) {
    // Of an answer that has several, nobody can say which one counts to whom.
    const values = isRecord(answer) ? decided.map((one) => answer[one]).filter((one) => !isAbsent(one)) : [];
    for (const value of values) text = joined(text, `${lineOf(name)} = ${lineOf(value)}`);
    if (isRecord(answer) && answer.type === 'refusal') refusal = joined(refusal, lineOf(name));
    else if (values.length === 0) note(defects, 'an answer decides nothing that is known');
  }
  const usage =
    isRecord(body.usage) && 'total_input_tokens' in body.usage
      ? readInteractionUsage(body.usage)
      : reading.facts.usage;
  const facts = { ...reading.facts, text, refusal, finishReason: textOf(reason), usage };
  return { ...reading, facts, defects };
}
