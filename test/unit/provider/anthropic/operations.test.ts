/** Operations of Anthropic's API other than messages. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { headOf, readStream, typedEvents } from '../streams.ts';

const anthropic = protocolOf('anthropic');
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const request = (operation: string, value: unknown) =>
  anthropic.readRequest(operation, bytes(value), headOf('/'));
const user = (content: string) => [{ role: 'user', content }];

test.each([
  ['POST', '/v1/messages/count_tokens', 'messages.count_tokens'],
  ['POST', '/v1/messages/batches', 'messages.batches'],
  ['GET', '/v1/messages/batches/b/results', 'messages.batches.results'],
  ['POST', '/v1/complete', 'complete'],
  ['POST', '/v1/files', 'files'],
  ['GET', '/v1/files/f/content', 'files.content'],
  ['POST', '/v1/skills', 'skills'],
  ['POST', '/v1/experimental/generate_prompt', 'prompt_tools'],
  ['POST', '/v1/experimental/improve_prompt', 'prompt_tools'],
  ['POST', '/v1/experimental/templatize_prompt', 'prompt_tools'],
  ['GET', '/v1/experimental/generate_prompt', 'unknown'],
  ['POST', '/v1/memory_stores', 'memories'],
  ['POST', '/v1/memory_stores/m', 'memories'],
  ['POST', '/v1/memory_stores/m/memories', 'memories'],
  ['POST', '/v1/memory_stores/m/memories/a', 'memories'],
  ['POST', '/v1/skills/s/versions', 'skills'],
])('%s %s is %s', (method, path, operation) => {
  expect(anthropic.operationOf(method, path)).toBe(operation);
});

test('what is counted in tokens reaches the rules like what is asked', () => {
  const { facts, defects } = request('messages.count_tokens', {
    model: 'm',
    system: 'S',
    messages: user('Hi'),
  });
  expect(defects).toEqual([]);
  expect(facts).toMatchObject({ model: 'm', system: 'S', text: 'S\nHi' });
});

// https://platform.claude.com/docs/en/managed-agents/memory
test('what an agent is to remember reaches the rules', () => {
  const { facts, defects } = request('memories', { path: '/notes.md', content: 'The key is SECRET.' });
  expect(defects).toEqual([]);
  expect(facts.text).toContain('The key is SECRET.');
});

test('what an agent is told of where it remembers reaches the rules', () => {
  const { facts, defects } = request('memories', { name: 'a', description: 'The key is SECRET.' });
  expect(defects).toEqual([]);
  expect(facts.text).toContain('The key is SECRET.');
});

test.each([
  [{ task: 'Sort mail. The key is SECRET.', target_model: 'm' }],
  [{ messages: user('The key is SECRET.'), feedback: 'Shorter.', target_model: 'm' }],
])('what a prompt is made of reaches the rules, and the model it is made for: %j', (body) => {
  const { facts, defects } = request('prompt_tools', body);
  expect(defects).toEqual([]);
  expect(facts.model).toBe('m');
  expect(facts.text).toContain('The key is SECRET.');
});

describe('a batch', () => {
  const line = (id: string, params: object) => ({ custom_id: id, params });
  const defectsOf = (value: unknown) => {
    const { defects, batch } = request('messages.batches', value);
    return [...defects, ...[...(batch?.() ?? [])].map((one) => one.defect)].join();
  };

  test('has its requests as lines, and the model they share', () => {
    const requests = [line('a', { model: 'm', messages: user('one') }), line('b', { model: 'm' })];
    const { facts, defects, batch } = request('messages.batches', { requests });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ model: 'm', params: { requests: 2 } });
    expect([...(batch?.() ?? [])].map((one) => [one.customId, one.operation, one.defect])).toEqual([
      ['a', 'messages', ''],
      ['b', 'messages', ''],
    ]);
  });

  test('of several models has none of its own, since each line is judged by its own', () => {
    const requests = [line('a', { model: 'm' }), line('b', { model: 'n' })];
    expect(request('messages.batches', { requests }).facts.model).toBe('');
  });

  test.each([
    ['two requests of one id', { requests: [line('a', {}), line('a', {})] }, 'same custom_id'],
    ['a request without an id', { requests: [{ params: {} }] }, 'no custom_id'],
    ['a request without params', { requests: [{ custom_id: 'a' }] }, 'no params'],
    ['requests of another shape', { requests: {} }, '`requests` is not a list'],
    [
      'a repeated key',
      '{"requests":[{"custom_id":"a","params":{"model":"m","model":"n"}}]}',
      'more than once',
    ],
  ])('with %s has a defect', (_what, body, defect) => {
    expect(defectsOf(body)).toContain(defect);
  });

  test('has its results as lines, each as the answer it would have been alone', () => {
    const content = [{ type: 'tool_use', id: 't', name: 'pay', input: { n: 1 } }];
    const result = { type: 'succeeded', message: { model: 'm', content } };
    const file = `${JSON.stringify({ custom_id: 'a', result })}\n`;
    const { batch } = anthropic.readResponse('messages.batches.results', 200, bytes(file));
    const [first] = [...(batch?.() ?? [])];
    expect(first).toMatchObject({ customId: 'a', operation: 'messages', status: 200, defect: '' });
    const { facts } = anthropic.readResponse('messages', 200, first?.response ?? bytes(''));
    expect(facts.toolCalls).toMatchObject([{ name: 'pay', arguments: { n: 1 } }]);
  });

  test('whose results cannot be read has a line with a defect', () => {
    const { batch } = anthropic.readResponse('messages.batches.results', 200, bytes('<html>'));
    expect([...(batch?.() ?? [])].map((one) => one.defect)).toEqual([expect.stringContaining('not JSON')]);
  });

  test('gives its results as one file, whatever type they have', () => {
    expect(anthropic.streamFormOf('messages.batches.results', 'application/x-ndjson')).toBeNull();
  });
});

describe('a text completion', () => {
  test('has its prompt and model', () => {
    const { facts } = request('complete', { model: 'm', prompt: '\n\nHuman: Hi', max_tokens_to_sample: 5 });
    expect(facts).toMatchObject({ model: 'm', text: '\n\nHuman: Hi', params: { max_tokens_to_sample: 5 } });
  });

  test('answers with text', () => {
    const body = { type: 'completion', completion: ' Hello', stop_reason: 'stop_sequence', model: 'm' };
    expect(anthropic.readResponse('complete', 200, bytes(body))).toMatchObject({
      defects: [],
      facts: { text: ' Hello', finishReason: 'stop_sequence', model: 'm' },
    });
  });

  test('that is answered with content blocks has a defect', () => {
    const body = { completion: '', content: [{ type: 'tool_use', name: 'pay', input: {} }] };
    expect(anthropic.readResponse('complete', 200, bytes(body)).defects).not.toEqual([]);
  });

  test('streams, and ends where it says why it stopped', () => {
    const piece = (completion: string, stop: string | null) => ({
      type: 'completion',
      completion,
      stop_reason: stop,
      model: 'm',
    });
    const stream = typedEvents(
      piece(' Hel', null),
      { type: 'ping' },
      piece('lo', null),
      piece('', 'stop_sequence'),
    );
    expect(readStream(anthropic, 'complete', stream)).toMatchObject({
      kinds: ['text', 'other', 'text', 'end'],
      complete: true,
      facts: { text: ' Hello', finishReason: 'stop_sequence' },
    });
  });

  test('withholds an event nobody knows', () => {
    expect(readStream(anthropic, 'complete', typedEvents({ type: 'tool' })).kinds).toEqual(['tool']);
  });
});

test('a file has its name as a parameter', () => {
  const body =
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF\r\n--b--\r\n';
  const head = headOf('/v1/files', 'multipart/form-data; boundary=b');
  expect(anthropic.readRequest('files', Buffer.from(body), head)).toMatchObject({
    defects: [],
    facts: { params: { file: 'a.pdf' } },
  });
});
