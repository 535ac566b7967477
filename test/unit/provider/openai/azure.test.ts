import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { events, headOf, readStream } from '../streams.ts';

const azure = protocolOf('azure');
const deployment = '/openai/deployments/Prod-Chat/chat/completions';
const messages = [{ role: 'user', content: 'Hi' }];
const request = (path: string, body: object) =>
  azure.readRequest(azure.operationOf('POST', path), Buffer.from(JSON.stringify(body)), headOf(path)).facts;

test.each([
  [deployment, 'chat.completions'],
  ['/openai/deployments/d/extensions/chat/completions', 'chat.completions'],
  ['/openai/deployments/d/completions', 'completions'],
  ['/openai/deployments/d/embeddings', 'embeddings'],
  ['/openai/deployments/d/images/generations', 'images.generations'],
  ['/openai/deployments/d/audio/transcriptions', 'audio.transcriptions'],
  ['/openai/responses', 'responses'],
  ['/openai/v1/chat/completions', 'chat.completions'],
  ['/openai/v1/responses', 'responses'],
  ['/openai/threads/t/runs', 'threads.runs'],
  ['/api/projects/p/threads/t/runs', 'threads.runs'],
  ['/openai/v1/video/generations/jobs', 'videos'],
  ['/models/chat/completions', 'chat.completions'],
  ['/api/projects/p/memory_stores', 'memories'],
  ['/api/projects/p/memory_stores/m', 'memories'],
  ['/api/projects/p/memory_stores/m:update_memories', 'memories'],
  ['/api/projects/p/memory_stores/m/items', 'memories'],
  ['/api/projects/p/memory_stores/m/items/i', 'memories'],
])('%s is %s', (path, operation) => {
  expect(azure.operationOf('POST', path)).toBe(operation);
});

// https://learn.microsoft.com/azure/foundry/agents/how-to/memory-usage
test('what an agent is to remember reaches the rules', () => {
  const items = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'SECRET' }] }];
  const { text } = request('/api/projects/p/memory_stores/m:update_memories', { scope: 'u', items });
  expect(text).toContain('SECRET');
});

describe('the model', () => {
  test('is what an agent is made of', () => {
    const definition = { kind: 'prompt', model: 'my-gpt', instructions: 'Be brief.' };
    expect(request('/api/projects/p/agents', { name: 'a', definition }).model).toBe('my-gpt');
  });

  test('is the deployment that the path names, as it is spelt there', () => {
    expect(request(deployment, { messages })).toMatchObject({
      model: 'Prod-Chat',
      params: { deployment: 'Prod-Chat' },
      text: 'Hi',
    });
  });

  test('is the deployment even where the body names another, which Azure does not look at', () => {
    expect(request(deployment, { model: 'gpt-4.1', messages })).toMatchObject({
      model: 'Prod-Chat',
      params: { deployment: 'Prod-Chat', model: 'gpt-4.1' },
    });
  });

  test.each([
    '/openai/deployments%2Fsecret/chat/completions',
    '/openai/x/../deployments//secret/chat/completions',
  ])('is found in %s', (path) => {
    expect(request(path, { model: 'gpt-4.1', messages }).model).toBe('secret');
  });

  test.each(['/openai/v1/chat/completions', '/openai/responses'])('is the body’s at %s', (path) => {
    const facts = request(path, { model: 'my-gpt', messages, input: 'Hi' });
    expect(facts.model).toBe('my-gpt');
    expect(facts.params).not.toHaveProperty('deployment');
  });

  test('is the deployment in a form too', () => {
    const path = '/openai/deployments/whisper/audio/transcriptions';
    const body = '--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nNames\r\n--b--\r\n';
    const head = headOf(path, 'multipart/form-data; boundary=b');
    const reading = azure.readRequest('audio.transcriptions', Buffer.from(body), head);
    expect(reading).toMatchObject({ defects: [], facts: { model: 'whisper', text: 'Names' } });
  });
});

test('what Azure is told about the customer’s documents is part of the instructions', () => {
  const data_sources = [{ type: 'azure_search', parameters: { role_information: 'Answer as HR.' } }];
  expect(request(deployment, { messages, data_sources }).system).toBe('Answer as HR.');
});

describe('a stream', () => {
  const filtered = { hate: { filtered: false, severity: 'safe' } };
  const chunk = (choices: readonly unknown[], members: object = {}) => ({
    model: 'gpt-4.1',
    choices,
    ...members,
  });
  const done = 'data: [DONE]\n\n';

  test('may begin without a choice and carry filter results and citations', () => {
    const context = { citations: [{ content: 'page 1' }], intent: '["hr"]' };
    const read = readStream(
      azure,
      'chat.completions',
      events(
        chunk([], {
          prompt_filter_results: [{ prompt_index: 0, content_filter_results: filtered }],
          model: '',
        }),
        chunk([{ index: 0, delta: { role: 'assistant', context }, finish_reason: null }]),
        chunk([{ index: 0, delta: { content: 'Hi' }, content_filter_results: filtered }]),
        chunk([{ index: 0, content_filter_offsets: { check_offset: 2 }, content_filter_results: filtered }]),
        chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
        done,
      ),
    );
    expect(read.kinds).toEqual(['other', 'text', 'text', 'other', 'other', 'end']);
    expect(read).toMatchObject({
      defects: [],
      facts: { text: 'Hi', model: 'gpt-4.1', finishReason: 'stop' },
    });
  });

  test('that the filter cuts says so', () => {
    const cut = chunk([
      { index: 0, delta: {}, finish_reason: 'content_filter', content_filter_results: filtered },
    ]);
    expect(readStream(azure, 'chat.completions', events(cut, done)).facts.finishReason).toBe(
      'content_filter',
    );
  });
});

describe('an error', () => {
  const filteredPrompt = {
    error: {
      message: 'The prompt was filtered.',
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: {} },
    },
  };

  test('of the content filter is told as a filtered answer is', () => {
    const { facts, defects } = azure.readResponse(
      'chat.completions',
      400,
      Buffer.from(JSON.stringify(filteredPrompt)),
    );
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      status: 400,
      finishReason: 'content_filter',
      refusal: 'The prompt was filtered.',
    });
  });

  test.each(['{"error":{"code":"429","message":"x"}}', '<html>', ''])(
    'of another kind is no defect: %s',
    (body) => {
      const reading = azure.readResponse('chat.completions', 429, Buffer.from(body));
      expect(reading).toMatchObject({ defects: [], facts: { finishReason: '' } });
    },
  );

  test('of ours has Azure’s members', () => {
    expect(JSON.parse(azure.errorBody('chat.completions', 'denied_by_policy', 403, 'No.'))).toEqual({
      error: { code: 'denied_by_policy', message: 'No.', type: 'permission_error', param: null, status: 403 },
    });
  });
});
