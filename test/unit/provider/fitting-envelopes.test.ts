/** A server that speaks another family's API refuses in that family's envelope, and in its own where it is asked for its own. */
import { expect, test } from 'vitest';
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import { protocolOf } from '../../../src/provider/index.ts';

const refusalAt = (server: ProtocolName, operation: string): unknown =>
  JSON.parse(protocolOf(server).errorBody(operation, 'denied_by_policy', 403, 'No.'));

const error = { message: 'No.', type: 'permission_error', code: 'denied_by_policy' };
const openaiEnvelope = { error: { ...error, param: null } };
const anthropicEnvelope = { type: 'error', error };

test.each<[ProtocolName, string]>([
  ['ollama', 'chat.completions'],
  ['ollama', 'responses'],
  ['ollama', 'embeddings'],
  ['cohere', 'chat.completions'],
  ['bedrock', 'chat.completions'],
  ['bedrock', 'responses'],
  ['gemini', 'chat.completions'],
  ['vertex', 'chat.completions'],
])('%s refuses %s as OpenAI does', (server, operation) => {
  expect(refusalAt(server, operation)).toEqual(openaiEnvelope);
});

test.each<[ProtocolName, string]>([
  ['openai', 'messages'],
  ['openai', 'messages.count_tokens'],
  ['ollama', 'messages'],
  ['azure', 'messages'],
  ['bedrock', 'messages'],
  ['vertex', 'messages'],
  ['vertex', 'raw_count_tokens'],
])('%s refuses %s as Anthropic does', (server, operation) => {
  expect(refusalAt(server, operation)).toEqual(anthropicEnvelope);
});

test('openai refuses a chat of Ollama’s own as Ollama does', () => {
  expect(refusalAt('openai', 'chat')).toEqual({ error: 'No.', code: 'denied_by_policy' });
});

test.each<[ProtocolName, string, object]>([
  ['ollama', 'chat', { error: 'No.', code: 'denied_by_policy' }],
  ['ollama', 'unknown', { error: 'No.', code: 'denied_by_policy' }],
  ['cohere', 'chat', { message: 'No.', code: 'denied_by_policy' }],
  ['cohere', 'unknown', { message: 'No.', code: 'denied_by_policy' }],
  ['bedrock', 'converse', { message: 'No.', code: 'denied_by_policy' }],
  ['azure', 'chat.completions', { error: { ...error, status: 403 } }],
  ['gemini', 'generate_content', { error: { status: 'PERMISSION_DENIED' } }],
  ['gemini', 'interactions', { error: { status: 'PERMISSION_DENIED' } }],
  ['gemini', 'unknown', { error: { status: 'PERMISSION_DENIED' } }],
  ['vertex', 'raw_predict', { error: { status: 'PERMISSION_DENIED' } }],
  ['vertex', 'unknown', { error: { status: 'PERMISSION_DENIED' } }],
])('%s refuses %s in its own envelope', (server, operation, expected) => {
  expect(refusalAt(server, operation)).toMatchObject(expected);
});
