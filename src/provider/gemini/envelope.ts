/**
 * How Gemini Code Assist, which the Gemini CLI asks for whoever signed in, wraps a request and each partial answer:
 * `{ model, request: { contents, … } }` and `{ response: { candidates, … }, traceId }`
 * (https://github.com/google-gemini/gemini-cli, packages/core/src/code_assist). Pure.
 */

import { note } from '../reading/reading.ts';
import { isRecord, type JsonRecord } from '../wire/json.ts';

/** One of these tells an answer of Gemini's, even one that says nothing. */
const answerMembers = [
  'candidates',
  'promptFeedback',
  'usageMetadata',
  'modelVersion',
  'responseId',
  'error',
];

export function isAnswer(value: JsonRecord): boolean {
  return answerMembers.some((name) => name in value);
}

/** Where an answer stands in what was sent. */
export interface Unwrapped {
  readonly answer: JsonRecord;
  /** The members that lead to it. */
  readonly path: readonly string[];
}

/** The answer in what was sent, wrapped or not. What is both could be read either way: a defect. */
export function unwrapped(value: JsonRecord, defects: string[]): Unwrapped {
  const { response } = value;
  if (!isRecord(response) || !isAnswer(response)) return { answer: value, path: [] };
  if (!isAnswer(value)) return { answer: response, path: ['response'] };
  note(defects, 'a partial answer has another within it');
  return { answer: value, path: [] };
}

/** What was sent with its answer rewritten, wrapped or not. */
export function rewrapped(value: JsonRecord, rewrite: (answer: JsonRecord) => JsonRecord): JsonRecord {
  const { answer, path } = unwrapped(value, []);
  return path.length === 0 ? rewrite(value) : { ...value, response: rewrite(answer) };
}
