import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { headOf } from '../streams.ts';

const gemini = protocolOf('gemini');
const openai = protocolOf('openai');
const none = Buffer.alloc(0);

describe('generating is recognised in every spelling a router may accept', () => {
  test.each([
    '/v1beta/models/gemini-2.5-pro:generateContent',
    '/v1/models/gemini-2.5-pro:generateContent',
    '/v1alpha/tunedModels/mine-x1:generateContent',
    '//v1beta//models/gemini-2.5-pro:generateContent/',
    '/v1beta/models/gemini-2.5-pro%3AgenerateContent',
    '/v1beta/models/gemini-2.5-pro%253agenerateContent',
    '/V1BETA/models/Gemini-2.5-Pro:GenerateContent',
    '/v1beta/models/gemini-2.5-pro:generateContent?key=k',
    '/gateway/google/v1beta/models/gemini-2.5-pro:generateContent',
    '/v1beta/dynamic/x:generateContent',
  ])('%s', (path) => {
    expect(gemini.operationOf('POST', path)).toBe('generate_content');
  });

  test('whatever the method, as Google lets a header replace it', () => {
    const path = '/v1beta/models/m:streamGenerateContent';
    for (const method of ['POST', 'GET', 'PUT']) {
      expect(gemini.operationOf(method, path)).toBe('stream_generate_content');
    }
  });
});

test.each([
  ['POST', '/v1beta/models/m:countTokens', 'count_tokens'],
  ['POST', '/v1beta/models/m:embedContent', 'embed_content'],
  ['POST', '/v1beta/models/m:batchEmbedContents', 'embed_content'],
  ['POST', '/v1beta/models/m:batchGenerateContent', 'batch_generate_content'],
  ['POST', '/v1beta/models/imagen-4.0:predict', 'predict'],
  ['POST', '/v1beta/models/veo-3.0:predictLongRunning', 'predict'],
  ['GET', '/v1beta/batches/abc', 'batches.status'],
  ['GET', '/v1beta/openai/batches/abc', openai.operationOf('GET', '/v1/batches/abc')],
  ['POST', '/v1beta/cachedContents', 'cached_contents'],
  ['POST', '/v1alpha/auth_tokens', 'live.tokens'],
  ['PATCH', '/v1beta/cachedContents/abc', 'cached_contents'],
  ['POST', '/v1beta/openai/chat/completions', 'chat.completions'],
  ['POST', '/v1beta/agents', 'agents'],
  ['POST', '/v1beta/triggers', 'agents'],
  ['PATCH', '/v1beta/triggers/t', 'agents'],
  ['POST', '/v1beta/triggers/t/executions', 'agents'],
  ['POST', '/v1beta/executions', 'unknown'],
  ['POST', '/v1beta/environments', 'agents'],
  ['GET', '/v1beta/environments/e', 'unknown'],
  ['POST', '/v1beta/decisions', 'decisions'],
])('%s %s is %s', (method, path, operation) => {
  expect(gemini.operationOf(method, path)).toBe(operation);
});

test.each([
  ['GET', '/v1beta/models'],
  ['POST', '/v1beta/batches/abc:cancel'],
  ['GET', '/v1beta/models/gemini-2.5-pro'],
  ['GET', '/v1beta/cachedContents'],
  ['POST', '/upload/v1beta/files'],
  ['OPTIONS', '/v1beta/models/m:generateContent'],
  ['POST', '/v1beta/models/m:toString'],
  ['POST', ''],
])('%s %s is unknown', (method, path) => {
  expect(gemini.operationOf(method, path)).toBe('unknown');
});

test.each([
  ['/v1beta/models/gemini-2.5-pro:generateContent', 'gemini-2.5-pro'],
  ['/v1beta/models/Gemini-2.5-Pro%3AgenerateContent', 'gemini-2.5-pro'],
  ['/v1beta/tunedModels/mine:generateContent', 'tunedmodels/mine'],
])('%s names the model %s', (path, model) => {
  const { facts } = gemini.readRequest('generate_content', none, headOf(path));
  expect(facts).toMatchObject({ model, stream: false });
});

test('only the operation says that an answer streams', () => {
  const read = (operation: string) => gemini.readRequest(operation, none, headOf('/v1beta/models/m:x'));
  expect(read('stream_generate_content').facts.stream).toBe(true);
  expect(read('generate_content').facts.stream).toBe(false);
});

test('a stream is an array unless events were asked for', () => {
  const json = 'application/json; charset=UTF-8';
  expect(gemini.streamFormOf('stream_generate_content', json)).toBe('json-array');
  expect(gemini.streamFormOf('stream_generate_content', 'text/event-stream')).toBe('sse');
  expect(gemini.streamFormOf('generate_content', json)).toBeNull();
  expect(gemini.streamFormOf('chat.completions', json)).toBeNull();
});

test('answers that hold numbers or receipts pass as they come', () => {
  for (const operation of ['count_tokens', 'embed_content', 'batch_generate_content', 'cached_contents']) {
    expect(gemini.readsAnswer(operation)).toBe(false);
  }
  for (const operation of ['generate_content', 'stream_generate_content', 'predict', 'chat.completions']) {
    expect(gemini.readsAnswer(operation)).toBe(true);
  }
});

// @google/genai: agents, triggers and decisions.
describe('what takes words in besides', () => {
  test.each([
    ['agents', { id: 'a', system_instruction: 'SECRET', tools: [{ type: 'function', name: 'pay' }] }],
    ['agents', { schedule: '0 9 * * 1', interaction: { agent: 'a', input: 'SECRET' } }],
    ['decisions', { model: 'models/m', input: 'SECRET', questions: { q: { type: 'choice' } } }],
  ])('%s', (operation, body) => {
    const { facts, defects } = gemini.readRequest(operation, Buffer.from(JSON.stringify(body)), headOf('/'));
    expect(defects).toEqual([]);
    expect(facts.text).toContain('SECRET');
  });

  // @google/genai: Source, of an environment by itself, or of one within what is kept.
  test.each([
    ['an environment', (sources: object) => ({ sources })],
    ['an agent', (sources: object) => ({ id: 'a', base_environment: { type: 'remote', sources } })],
    ['a trigger', (sources: object) => ({ interaction: { agent: 'a', environment: { sources } } })],
  ])('says the words of encoded files that are put before %s', (_what, having) => {
    const content = Buffer.from('a secret').toString('base64');
    const body = having([{ type: 'INLINE', target: 'AGENTS.md', encoding: 'base64', content }]);
    const { facts } = gemini.readRequest('agents', Buffer.from(JSON.stringify(body)), headOf('/'));
    expect(facts.text).toContain('a secret');
    expect(facts.messages.at(-1)?.text).toBe('a secret');
  });

  test('says the words of a file that is not encoded once', () => {
    const body = { sources: [{ content: 'a secret' }] };
    const { facts } = gemini.readRequest('agents', Buffer.from(JSON.stringify(body)), headOf('/'));
    expect(facts.text).toBe('a secret');
  });

  test('is named where it is run again as it is kept', () => {
    const modelAt = (path: string) => gemini.readRequest('agents', Buffer.alloc(0), headOf(path)).facts.model;
    expect(modelAt('/v1beta/triggers/t/executions')).toBe('triggers/t');
    expect(modelAt('/v1beta/triggers/t')).toBe('');
  });

  test('is refused as Google refuses', () => {
    const body = JSON.parse(gemini.errorBody('agents', 'denied_by_policy', 403, 'No.'));
    expect(body).toMatchObject({ error: { code: 403, status: 'PERMISSION_DENIED' } });
  });
});
