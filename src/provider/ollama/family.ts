/**
 * The Ollama family: its own API behind one `Protocol`, and under `/v1` the APIs of OpenAI and Anthropic that
 * the same server speaks (https://docs.ollama.com/api). Pure.
 */
import { anthropic } from '../anthropic/family.ts';
import { anthropicOperations, openai } from '../openai/family.ts';
import type { OperationName, Protocol } from '../protocol.ts';
import { speakingAlso } from '../speaking-also.ts';
import { ollamaOwn } from './own.ts';

const openaiOperations: ReadonlySet<OperationName> = new Set([
  'chat.completions',
  'completions',
  'responses',
  'embeddings',
  'images.generations',
  'audio.transcriptions',
]);

export const ollama: Protocol = speakingAlso(ollamaOwn, [
  { protocol: openai, operations: openaiOperations },
  { protocol: anthropic, operations: anthropicOperations },
]);
