/**
 * What a model thought, where a request has it again. Who looks at no signature puts it before the model as it stands there,
 * so that it may say anything (https://openrouter.ai/docs/guides/best-practices/reasoning-tokens,
 * https://docs.litellm.ai/docs/reasoning_content, https://docs.vllm.ai/en/latest/features/reasoning_outputs). Pure.
 */
import { joined, textWithin } from '../reading/reading.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** Members of an entry of such a list that are words; the others are ids, signatures and what is sealed. */
const thoughtMembers = ['text', 'summary', 'thinking'] as const;

function listedThoughts(list: unknown): readonly string[] {
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  return entries.filter(isRecord).flatMap((entry) => thoughtMembers.map((name) => textWithin(entry[name])));
}

/** What a message of a chat says was thought. What is there whole and in pieces is taken once, looked for all at once. */
export function thoughtOfMessage(message: JsonRecord): string {
  const whole = [message.reasoning, message.reasoning_content].map(textWithin).reduce(joined, '');
  return [message.reasoning_details, message.thinking_blocks]
    .map(listedThoughts)
    .filter((pieces) => !whole.includes(pieces.join('')))
    .flat()
    .reduce(joined, whole);
}

/** Base64, which no model reads as words. */
const sealed = /^[\w+/=-]*$/;

/** What an item of a response says was thought. Ollama seals nothing, and has the words where others have them sealed. */
export function thoughtOfItem({ summary, content, encrypted_content: kept }: JsonRecord): string {
  const open = sealed.test(textOf(kept)) ? '' : textOf(kept);
  return [summary, content].map(textWithin).reduce(joined, open);
}
