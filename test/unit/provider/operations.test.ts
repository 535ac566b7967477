import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';

const openai = protocolOf('openai');
const anthropic = protocolOf('anthropic');

describe('chat completions are recognised in every spelling a router may accept', () => {
  test.each([
    '/v1/chat/completions',
    '/chat/completions',
    '/v1/chat/completions/',
    '//v1//chat///completions',
    '/V1/Chat/COMPLETIONS',
    '/v1/chat%2Fcompletions',
    '/v1/chat%252fcompletions',
    '/v1/%63hat/completions',
    '/v1/./chat/x/../completions',
    '/v1/chat/completions;a=b',
    '/v1\\chat\\completions',
    '/v1/chat/completions%20',
    '/v1/chat/completions%00',
    '/v1/chat/completions?x=1',
    '/openai/deployments/gpt/chat/completions',
    'v1/chat/completions',
  ])('%s', (path) => {
    expect(openai.operationOf('POST', path)).toBe('chat.completions');
  });
});

test.each(['/v1/responses', '/responses', '/v1/Responses//', '/v1/%72esponses'])(
  '%s is responses',
  (path) => {
    expect(openai.operationOf('POST', path)).toBe('responses');
  },
);

test('reading a background answer back is judged like the answer', () => {
  expect(openai.operationOf('GET', '/v1/responses/resp_1')).toBe('responses');
  expect(openai.operationOf('GET', '/v1/chat/completions/chatcmpl-1')).toBe('chat.completions');
  expect(openai.operationOf('POST', '/v1/responses/resp_1/cancel')).toBe('responses');
});

test.each([
  ['GET', '/v1/models'],
  ['GET', '/v1/files'],
  ['GET', '/v1/embeddings'],
  ['POST', '/v1/chats'],
  ['POST', '/v1/batches/batch_1/cancel'],
  ['DELETE', '/v1/responses/resp_1'],
  ['OPTIONS', '/v1/chat/completions'],
  ['GET', '/'],
  ['GET', ''],
])('%s %s is unknown to openai', (method, path) => {
  expect(openai.operationOf(method, path)).toBe('unknown');
});

test.each(['/v1/messages', '//v1/messages/', '/V1/%6Dessages', '/gateway/v1/messages'])(
  '%s is messages',
  (path) => {
    expect(anthropic.operationOf('POST', path)).toBe('messages');
  },
);

test.each([
  ['GET', '/v1/models'],
  ['GET', '/v1/messages'],
  ['GET', '/v1/messages/batches/b'],
  ['POST', '/v1/messages/batches/b/cancel'],
  ['DELETE', '/v1/files/f'],
])('%s %s is unknown to anthropic', (method, path) => {
  expect(anthropic.operationOf(method, path)).toBe('unknown');
});

test('a path that only looks encoded is no error', () => {
  expect(openai.operationOf('POST', '/v1/%zz/%')).toBe('unknown');
});
