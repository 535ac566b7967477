/** An answer that is judged, in a form that it does not have: nobody knows what is in it, so all of it waits. */
import { expect, test } from 'vitest';
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { readStream } from './streams.ts';

const event = `data: ${JSON.stringify({ functionCall: { name: 'pay', args: {} } })}\n\n`;

// Google gives any answer as events where the address says so: https://ai.google.dev/api (`alt=sse`).
const judged: readonly (readonly [ProtocolName, string])[] = [
  ['gemini', 'batches.status'],
  ['gemini', 'predict'],
  ['gemini', 'knowledge.query'],
  ['vertex', 'evaluations'],
  ['anthropic', 'sessions.events'],
  ['mistral', 'batch.jobs'],
  ['mistral', 'ocr'],
  ['cohere', 'parse'],
  ['cohere', 'transcriptions'],
];

test.each(judged)('at %s, %s as events is held', (name, operation) => {
  const { kinds, defects } = readStream(protocolOf(name), operation, event);
  expect(kinds).toEqual(['tool']);
  expect(defects).toEqual(['the answer comes in a form that this operation does not have']);
});

test.each([
  ['gemini', 'embed_content'],
  ['anthropic', 'messages.batches'],
  ['mistral', 'embeddings'],
  ['cohere', 'embed'],
] as const)('at %s, %s as events passes, as its answers are not judged', (name, operation) => {
  const { kinds, defects } = readStream(protocolOf(name), operation, event);
  expect([kinds, defects]).toEqual([['other'], []]);
});

test.each(judged)('at %s, %s as events with an error status passes', (name, operation) => {
  const stream = protocolOf(name).openStream(operation, 500, 'sse');
  expect(stream.push(Buffer.from(event)).map(({ kind }) => kind)).toEqual(['other']);
});
