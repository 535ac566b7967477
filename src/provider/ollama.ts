/**
 * The Ollama family: its own API behind one `Protocol`, and under `/v1` the APIs of OpenAI and Anthropic that
 * the same server speaks (https://docs.ollama.com/api). Pure.
 */
import { anthropic } from './anthropic.ts';
import { isRecord, readJson } from './json.ts';
import { noteRespelled } from './member-spelling.ts';
import { ollamaOwn, withRespelled } from './ollama-own.ts';
import { anthropicOperations, openai } from './openai.ts';
import type { OperationName, Protocol } from './protocol.ts';
import { speakingAlso } from './speaking-also.ts';

const compatibleMembers: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'input',
  'instructions',
  'prompt',
  'system',
  'stream',
  'tools',
]);

const entryMembers: ReadonlySet<string> = new Set(['role', 'content', 'tool_calls']);

/** Another family whose API this server speaks, with the same indifference to the case of names. */
function asReadHere(family: Protocol): Protocol {
  return {
    ...family,
    readRequest(operation, body, head) {
      const { value } = readJson(body, 'the request body');
      const reading = withRespelled(family.readRequest(operation, body, head), body, compatibleMembers);
      if (!isRecord(value)) return reading;
      const defects = [...reading.defects];
      const entries = [value.messages, value.input].flatMap((list) => (Array.isArray(list) ? list : []));
      for (const entry of entries) noteRespelled(entry, entryMembers, defects);
      return { ...reading, defects };
    },
  };
}

const openaiOperations: ReadonlySet<OperationName> = new Set([
  'chat.completions',
  'completions',
  'responses',
  'embeddings',
  'images.generations',
  'audio.transcriptions',
]);

export const ollama: Protocol = speakingAlso(ollamaOwn, [
  { protocol: asReadHere(openai), operations: openaiOperations },
  { protocol: asReadHere(anthropic), operations: anthropicOperations },
]);
