/**
 * Members that hold the words of one operation's request each. Where the place does not say which operation is meant,
 * as at one path for all of them and in batches, a body with two of them means one thing to one server and another to
 * the next. Pure.
 */
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';
import { note } from './reading.ts';

const wordMembers = ['messages', 'prompt', 'input', 'inputs'] as const;

/** Those that are there; a stored prompt, which is an object, stands beside what it is given. */
export function wordMembersIn(body: JsonRecord): readonly string[] {
  return wordMembers.filter((name) => !isAbsent(body[name]) && !(name === 'prompt' && isRecord(body.prompt)));
}

export function asksTwice(body: JsonRecord): boolean {
  return wordMembersIn(body).length > 1;
}

/**
 * The messages of a chat; OpenRouter and others take one text in their place
 * (https://openrouter.ai/docs/api/reference/overview), Vertex AI code and what follows it, and with both nobody can say which of
 * them counts.
 */
export function messagesOf({ messages, prompt, suffix }: JsonRecord, defects: string[]): unknown {
  if (isAbsent(prompt)) return messages;
  if (isAbsent(messages)) {
    const content = isAbsent(suffix) ? prompt : [prompt, suffix].map((text) => ({ type: 'text', text }));
    return [{ role: 'user', content }];
  }
  note(defects, 'the request asks for two things');
  return messages;
}
