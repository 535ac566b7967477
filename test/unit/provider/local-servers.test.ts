/** The native APIs of llama.cpp and LM Studio, in the shapes that their documentation shows. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { amended, asked, codeOf, readAs } from './lines.ts';
import { events, typedEvents } from './streams.ts';

const openai = protocolOf('openai');

describe('the operation of a path', () => {
  test.each([
    ['/completion', 'llamacpp.completion'],
    ['/gateway/infill', 'llamacpp.completion'],
    ['/completions', 'completions'],
    ['/embedding', 'embeddings'],
    ['/api/v1/chat', 'lmstudio.chat'],
    ['/api/chat', 'chat'],
    ['/api/v0/chat/completions', 'chat.completions'],
    ['/api/v0/completions', 'completions'],
    ['/api/v0/embeddings', 'embeddings'],
  ])('POST %s is %s', (path, operation) => {
    expect(openai.operationOf('POST', path)).toBe(operation);
  });
});

describe('a completion asked of llama.cpp', () => {
  const request = (body: unknown) => asked(openai, 'llamacpp.completion', body);

  test.each([
    ['a text', { prompt: 'Once' }, 'Once', undefined],
    ['several texts', { prompt: ['Once', 'Twice'] }, 'Once\nTwice', undefined],
    ['token ids', { prompt: [12, 34] }, '', 2],
    ['token ids and texts', { prompt: [[12, 'mid', 34], 'end'] }, 'mid\nend', 2],
    [
      'a text beside pictures',
      { prompt: { prompt_string: 'See <__media__>', multimodal_data: ['iVBORw0KGgo'] } },
      'See <__media__>',
      undefined,
    ],
    [
      'code to fill in',
      {
        input_extra: [{ filename: 'a.c', text: 'int x;' }],
        input_prefix: 'int ',
        input_suffix: ';',
        prompt: 'y',
      },
      'a.c\nint x;\nint \ny\n;',
      undefined,
    ],
  ])('has the words of %s', (_name, body, text, tokenIds) => {
    const { facts, defects } = request(body);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text });
    expect(facts.tokenIds).toBe(tokenIds);
  });

  test('has its model, its streaming and its parameters', () => {
    expect(request({ model: 'm', prompt: 'x', stream: true, n_predict: 8 }).facts).toMatchObject({
      model: 'm',
      stream: true,
      params: { n_predict: 8 },
    });
  });

  test('is a defect where it is no object', () => {
    expect(request('[1]').defects).toEqual(['the request body is not a JSON object']);
  });
});

const whole = {
  index: 0,
  content: ' upon a time',
  tokens: [],
  id_slot: 0,
  stop: true,
  model: 'gemma',
  tokens_predicted: 3,
  tokens_evaluated: 7,
  generation_settings: { n_predict: 3 },
  prompt: 'Once',
  truncated: false,
  stop_type: 'limit',
  stopping_word: '',
  tokens_cached: 9,
  timings: { prompt_n: 7, predicted_n: 3 },
};
const piece = (content: string, index = 0) => ({ index, content, tokens: [5], stop: false, id_slot: 0 });
const last = { ...whole, content: '', stop_type: 'eos' };
const usage = { source: 'provider', inputTokens: 7, outputTokens: 3, totalTokens: 10 };

describe.each(['llamacpp.completion', 'completions'])('an answer of llama.cpp to %s', (operation) => {
  test('has its text, model, reason to stop and usage', () => {
    const { facts, defects } = readAs(null, openai, operation, JSON.stringify(whole));
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: ' upon a time', model: 'gemma', finishReason: 'limit', usage });
  });

  test('to several prompts is a list, and has all their texts', () => {
    const answer = JSON.stringify([whole, { ...whole, index: 1, content: ' again' }]);
    const { facts, defects } = readAs(null, openai, operation, answer);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: ' upon a time\n again', usage: { inputTokens: 14 } });
  });

  test('streams, and is whole when its last event says that it stopped', () => {
    const stream = events(piece(' upon'), piece(' a time'), last);
    const reading = readAs('sse', openai, operation, stream);
    expect(reading).toMatchObject({ kinds: ['text', 'text', 'other'], complete: true, defects: [] });
    expect(reading.facts).toMatchObject({ text: ' upon a time', finishReason: 'eos', usage });
  });

  test('to several prompts streams them side by side', () => {
    const stream = events(piece('a', 0), piece('x', 1), piece('b', 0), last);
    expect(readAs('sse', openai, operation, stream)).toMatchObject({
      facts: { text: 'ab\nx' },
      complete: false,
    });
  });

  test('that breaks off is not whole', () => {
    expect(readAs('sse', openai, operation, events(piece('a'))).complete).toBe(false);
  });

  test('that fails in its stream is no success', () => {
    const error = { error: { code: 500, message: 'x', type: 'server_error' } };
    expect(readAs('sse', openai, operation, events(piece('a'), error))).toMatchObject({
      failed: true,
      kinds: ['text', 'error'],
    });
  });

  test('that calls tools after all is no completion', () => {
    const chat = { ...whole, tool_calls: [{ function: { name: 'pay', arguments: '{}' } }] };
    expect(readAs(null, openai, operation, JSON.stringify(chat)).defects).not.toEqual([]);
    const { kinds, defects } = readAs('sse', openai, operation, events(piece('a'), chat));
    expect(kinds).toEqual(['text', 'tool']);
    expect(defects).not.toEqual([]);
  });

  test('whose words were left out is a defect', () => {
    expect(readAs(null, openai, operation, '{"tokens":[1,2],"stop":true}').defects).not.toEqual([]);
  });

  test('is amended whole and streamed, its token ids with it', () => {
    const body = amended(null, openai, operation, JSON.stringify({ ...whole, tokens: [9] }), {
      text: 'Never',
    });
    expect(JSON.parse(body)).toMatchObject({ content: 'Never', tokens: [], tokens_predicted: 3 });
    const stream = amended('sse', openai, operation, events(piece('a'), piece('b'), last), { text: 'Never' });
    expect(readAs('sse', openai, operation, stream).facts).toMatchObject({ text: 'Never', usage });
    expect(stream).not.toContain('[5]');
  });

  test('to several prompts is not amended', () => {
    const amend = () =>
      amended(null, openai, operation, JSON.stringify([whole, whole]), {
        text: ' upon a time\n upon a time',
      });
    expect(codeOf(amend)).toBe('invalid_argument');
  });
});

test('a stream of completions in the forms of two servers is held', () => {
  const chunk = { choices: [{ index: 0, text: 'x', finish_reason: null }] };
  const { kinds, defects } = readAs('sse', openai, 'completions', events(piece('a'), chunk));
  expect(kinds).toEqual(['text', 'tool']);
  expect(defects).toEqual(['the stream has the forms of two servers']);
});

describe('a chat asked of LM Studio', () => {
  test('has its words, its model and the tools it offers', () => {
    const { facts, defects } = asked(openai, 'lmstudio.chat', {
      model: 'qwen3',
      system_prompt: 'Be brief.',
      input: 'Look it up.',
      stream: true,
      temperature: 0,
      integrations: [
        'mcp/files',
        { type: 'plugin', id: 'mcp/playwright', allowed_tools: ['browser_navigate'] },
        { type: 'ephemeral_mcp', server_label: 'hub', server_url: 'https://hub.example/mcp' },
      ],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'qwen3',
      system: 'Be brief.',
      text: 'Be brief.\nLook it up.',
      stream: true,
      params: { temperature: 0 },
    });
    expect(facts.tools).toEqual([
      { name: 'mcp/files', description: '' },
      { name: 'browser_navigate', description: 'mcp/playwright' },
      { name: 'hub', description: 'hub\nhttps://hub.example/mcp' },
    ]);
  });

  test('has the words of a list, and none of a picture', () => {
    const input = [
      { type: 'message', content: 'What is this?' },
      { type: 'image', data_url: 'data:image/png;base64,iVBORw0KGgo' },
    ];
    expect(asked(openai, 'lmstudio.chat', { model: 'm', input }).facts.text).toBe('What is this?');
  });
});

const info = { type: 'ephemeral_mcp', server_label: 'hub' };
const search = { tool: 'model_search', arguments: { limit: 1 }, provider_info: info };
const result = {
  model_instance_id: 'qwen3',
  output: [
    { type: 'reasoning', content: 'Hm.' },
    { type: 'tool_call', ...search, output: '[]' },
    { type: 'message', content: 'Found it.' },
  ],
  stats: { input_tokens: 359, total_output_tokens: 218, tokens_per_second: 41.09 },
  response_id: 'resp_1',
};
const stream = typedEvents(
  { type: 'chat.start', model_instance_id: 'qwen3' },
  { type: 'prompt_processing.progress', progress: 0.5 },
  { type: 'reasoning.delta', content: 'Hm.' },
  { type: 'tool_call.start', tool: 'model_search', provider_info: info },
  { type: 'tool_call.arguments', ...search },
  { type: 'tool_call.result', ...search, output: '[]' },
  { type: 'message.delta', content: 'Found ' },
  { type: 'message.delta', content: 'it.' },
  { type: 'chat.end', result },
);
const said = {
  text: 'Found it.',
  model: 'qwen3',
  toolCalls: [{ id: '#1', name: 'model_search', arguments: { limit: 1 }, argumentsText: '{"limit":1}' }],
  usage: { source: 'provider', inputTokens: 359, outputTokens: 218, totalTokens: 577 },
};

describe('an answer of LM Studio', () => {
  test('has its text, its tool calls and its usage', () => {
    const { facts, defects } = readAs(null, openai, 'lmstudio.chat', JSON.stringify(result));
    expect(defects).toEqual([]);
    expect(facts).toMatchObject(said);
  });

  test('streams, its calls kept apart from its text', () => {
    const { facts, defects, kinds, complete } = readAs('sse', openai, 'lmstudio.chat', stream);
    expect(defects).toEqual([]);
    expect(complete).toBe(true);
    expect(facts).toMatchObject(said);
    expect(kinds).toEqual(['other', 'other', 'text', 'tool', 'tool', 'tool', 'text', 'text', 'tool']);
  });

  test('whose stream says something else than its end says both', () => {
    const delta = { type: 'message.delta', content: 'SECRET' };
    const read = readAs('sse', openai, 'lmstudio.chat', typedEvents(delta, { type: 'chat.end', result }));
    expect(read.facts.text).toBe('Found it.\nSECRET');
  });

  test('whose stream tells other calls than its end is held', () => {
    const told = { type: 'tool_call.arguments', ...search, tool: 'delete_model' };
    const { defects } = readAs(
      'sse',
      openai,
      'lmstudio.chat',
      typedEvents(told, { type: 'chat.end', result }),
    );
    expect(defects).toEqual(['the stream told other calls than its end']);
  });

  test('with an event or an item that is not known is held', () => {
    const event = readAs('sse', openai, 'lmstudio.chat', typedEvents({ type: 'agent.step' }));
    expect(event).toMatchObject({ kinds: ['tool'], defects: ['an event of the stream has an unknown type'] });
    const item = { ...result, output: [{ type: 'act' }] };
    expect(readAs(null, openai, 'lmstudio.chat', JSON.stringify(item)).defects).not.toEqual([]);
  });

  test('that fails, or breaks off, is no success', () => {
    const failure = typedEvents({ type: 'error', error: { type: 'unknown', message: 'x' } });
    expect(readAs('sse', openai, 'lmstudio.chat', failure)).toMatchObject({ failed: true, kinds: ['error'] });
    const start = typedEvents({ type: 'message.delta', content: 'Fo' });
    expect(readAs('sse', openai, 'lmstudio.chat', start)).toMatchObject({
      complete: false,
      facts: { text: 'Fo' },
    });
  });

  test('gets other words, but no other calls: its tools ran already', () => {
    const original = JSON.stringify(result);
    const body = amended(null, openai, 'lmstudio.chat', original, { text: 'No.' });
    expect(JSON.parse(body).output[2]).toEqual({ type: 'message', content: 'No.' });
    const amend = () =>
      amended(null, openai, 'lmstudio.chat', original, { toolCalls: [{ id: '#1', arguments: {} }] });
    expect(codeOf(amend)).toBe('invalid_argument');
  });
});
