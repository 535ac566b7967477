/** What servers of models offer beside OpenAI's API: one path for every operation, and completions of a text. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, codeOf, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const openai = protocolOf('openai');

test.each([
  ['/invocations', 'served.any'],
  ['/serving-endpoints/e/invocations', 'served.any'],
  ['/generate', 'served.generate'],
  ['/generate_stream', 'served.generate'],
  ['/api/generate', 'generate'],
  ['/v1/rerank', 'served.words'],
  ['/generative_scoring', 'served.words'],
  ['/v1/text-to-dialogue', 'served.words'],
  ['/v1/text-to-dialogue/stream', 'served.words'],
  ['/v1/sound-generation', 'audio.speech'],
  ['/v1/t2a_v2', 'audio.speech'],
  ['/v1/image_generation', 'images.generations'],
  ['/v1/video_generation', 'videos'],
  ['/v1/complete', 'complete'],
  ['/anthropic/v1/complete', 'complete'],
  ['/v1/uploads/u/complete', 'uploads'],
  ['/v2/uploads/u/parts/complete', 'unknown'],
  ['/classify', 'served.words'],
  ['/vertex_generate', 'served.generate'],
  ['/encode', 'served.words'],
  ['/embed', 'served.words'],
  ['/api/embed', 'embed'],
  ['/similarity', 'served.words'],
  ['/v1/multimodalembeddings', 'served.words'],
  ['/v1/load_lora_adapter', 'served.load'],
  ['/models/load', 'served.load'],
  ['/api/v1/models/download', 'served.load'],
  ['/v1/text-to-speech/voice/stream', 'audio.speech'],
])('POST %s is %s', (path, operation) => {
  expect(openai.operationOf('POST', path)).toBe(operation);
});

const call = { id: 'call_1', type: 'function', function: { name: 'pay', arguments: '{"n":1}' } };
const chat = {
  choices: [{ index: 0, message: { content: null, tool_calls: [call] }, finish_reason: 'tool_calls' }],
};
const piece = (delta: object, finish: string | null = null) => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const item = { type: 'function_call', id: 'i', call_id: 'call_1', name: 'pay', arguments: '{"n":1}' };

describe('one path for every operation', () => {
  test.each([
    ['a chat', { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }, 'Hi'],
    ['a completion', { model: 'm', prompt: 'Once' }, 'Once'],
    ['items', { model: 'm', input: [{ role: 'user', content: 'Hi' }] }, 'Hi'],
    ['texts to embed', { model: 'm', input: ['a', 'b'] }, 'a\nb'],
  ])('is asked for %s', (_what, body, text) => {
    const { facts, defects } = asked(openai, 'served.any', body);
    expect([facts.model, facts.text, defects]).toEqual(['m', text, []]);
  });

  test.each([
    { messages: [], prompt: 'x' },
    { messages: [], inputs: 'x' },
    { input: [{ role: 'user', content: 'Hi' }], inputs: 'x' },
    { input: [{ role: 'user', content: 'Hi' }], prompt: 'x' },
  ])('and not for two at once', (body) => {
    expect(asked(openai, 'served.any', body).defects).toEqual(['the request asks for two things']);
  });

  test('where a stored prompt beside items is one thing', () => {
    const body = { input: [{ role: 'user', content: 'Hi' }], prompt: { id: 'p', variables: { a: 'b' } } };
    const { facts, defects } = asked(openai, 'served.any', body);
    expect([facts.text, defects]).toEqual(['Hi\nb', []]);
  });

  test.each([
    ['of a chat', null, JSON.stringify(chat)],
    ['of items', null, JSON.stringify({ output: [item] })],
    [
      'of a streamed chat',
      'sse',
      events(piece({ tool_calls: [{ index: 0, ...call }] }), piece({}, 'tool_calls'), 'data: [DONE]\n\n'),
    ],
    ['of streamed items', 'sse', events({ type: 'response.output_item.done', item })],
  ] as const)('has the calls %s', (_what, form, text) => {
    const { facts, defects } = readAs(form, openai, 'served.any', text);
    expect([facts.toolCalls.map(({ name, arguments: value }) => [name, value]), defects]).toEqual([
      [['pay', { n: 1 }]],
      [],
    ]);
  });

  // https://docs.databricks.com/api/workspace/servingendpoints/query
  test.each([
    { dataframe_records: [{ question: 'Hi' }] },
    { dataframe_split: { columns: ['question'], data: [['Hi']] } },
    { instances: [{ question: 'Hi' }] },
  ])('and for whatever a model of one’s own takes: %j', (body) => {
    const { facts, defects } = asked(openai, 'served.any', body);
    expect([facts.text, defects]).toEqual([expect.stringContaining('Hi'), []]);
  });

  test.each([{ predictions: ['Hello'] }, [{ generated_text: 'Hello' }], { answer: 'Hello' }])(
    'and is answered with text in any member: %j',
    (answer) => {
      const { facts, defects } = readAs(null, openai, 'served.any', JSON.stringify(answer));
      expect([facts.text, defects]).toEqual([expect.stringContaining('Hello'), []]);
    },
  );

  test.each([
    ['/v1/embeddings', 'embeddings'],
    ['/pooling', 'served.words'],
  ] as const)('or has vectors of messages at %s, as vLLM makes them', (_path, operation) => {
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }];
    expect(asked(openai, operation, { messages }).facts.text).toContain('Hi');
  });

  test('cannot be judged where a stream has the forms of two of them', () => {
    const { kinds, defects } = readAs(
      'sse',
      openai,
      'served.any',
      events({ choices: [{ index: 0, text: 'Once' }] }, piece({ tool_calls: [{ index: 0, ...call }] })),
    );
    expect([kinds, defects]).toEqual([['text', 'tool'], ['the stream has the forms of two operations']]);
  });

  test.each([
    ['a chat', null, JSON.stringify(chat)],
    ['items', null, JSON.stringify({ output: [item] })],
  ] as const)('takes a reviewer’s arguments in %s', (_what, form, text) => {
    const toolCalls = [{ id: 'call_1', arguments: { n: 2 } }];
    expect(amended(form, openai, 'served.any', text, { toolCalls })).toContain('{\\"n\\":2}');
  });
});

describe('a completion of a text', () => {
  test('has its words, or how many token ids stand in their place', () => {
    expect(asked(openai, 'served.generate', { inputs: 'Once' }).facts.text).toBe('Once');
    expect(asked(openai, 'served.generate', { input_ids: [1, 2, 3] }).facts.tokenIds).toBe(3);
  });

  test.each([
    ['whole', null, '{"generated_text":"Once more"}'],
    ['a list', null, '[{"generated_text":"Once more"}]'],
    ['streamed', 'sse', events({ text: 'Once more', meta_info: {} }, 'data: [DONE]\n\n')],
  ] as const)('is answered with text that rules read: %s', (_how, form, text) => {
    const { facts, defects, complete } = readAs(form, openai, 'served.generate', text);
    expect([facts.text, facts.toolCalls, defects, complete]).toEqual(['Once more', [], [], true]);
  });

  test('is not amended', () => {
    expect(codeOf(() => amended(null, openai, 'served.generate', '{"text":"a"}', { text: 'b' }))).toBe(
      'invalid_argument',
    );
  });
});

test.each([
  ['served.generate', { instances: [{ text: 'Hi' }], parameters: {} }],
  ['served.words', { inputs: { source_sentence: 'Hi', sentences: ['Ho'] } }],
  ['served.words', { inputs: [['Hi', 'Ho']], model: 'voyage-context-3' }],
  ['served.words', { inputs: [{ content: [{ type: 'text', text: 'Hi' }] }], model: 'voyage-multimodal-3' }],
  ['audio.speech', { text: 'Hi', model_id: 'eleven_v3' }],
] as const)('%s has its words, wherever they stand', (operation, body) => {
  const { facts, defects } = asked(openai, operation, body);
  expect([facts.text, defects]).toEqual([expect.stringContaining('Hi'), []]);
});

test.each([
  ['served.load', { lora_name: 'gpt-4o', lora_path: 'acme/adapter' }],
  ['served.load', { model: 'acme/adapter' }],
  ['audio.speech', { model: 'gpt-4o', model_id: 'acme/adapter', text: 'Hi' }],
] as const)('%s counts by the model that it brings in: %j', (operation, body) => {
  const { facts } = asked(openai, operation, body);
  expect([facts.model, ...(facts.insteads ?? []).map(({ model }) => model)]).toContain('acme/adapter');
});

// https://docs.x.ai/developers/rest-api-reference/inference/legacy
test('a completion in Anthropic’s old form says what is asked and what is answered', () => {
  const { facts } = asked(openai, 'complete', { model: 'm', prompt: 'a SECRET', stream: true });
  expect(facts).toMatchObject({ model: 'm', text: 'a SECRET', stream: true });
  const whole = JSON.stringify({ type: 'completion', completion: 'a SECRET', stop_reason: 'stop_sequence' });
  expect(readAs(null, openai, 'complete', whole)).toMatchObject({ facts: { text: 'a SECRET' }, defects: [] });
  const event = { type: 'completion', completion: 'a SECRET', stop_reason: 'stop_sequence' };
  const stream = readAs(
    'sse',
    openai,
    'complete',
    events(`event: completion\ndata: ${JSON.stringify(event)}\n\n`),
  );
  expect(stream).toMatchObject({ facts: { text: 'a SECRET' }, complete: true });
});

test.each([
  ['a dialogue', 'served.words', { inputs: [{ text: 'SECRET', voice_id: 'v' }] }],
  ['what is scored', 'served.words', { query: 'Is it', items: ['SECRET'], label_token_ids: [1] }],
])('the words of %s are seen by rules', (_what, operation, body) => {
  expect(asked(openai, operation, body).facts.text).toContain('SECRET');
});
