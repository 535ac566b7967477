import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended } from '../lines.ts';
import { events, headOf, readStream, typedEvents } from '../streams.ts';

const vertex = protocolOf('vertex');
const project = '/v1/projects/p/locations/europe-west4';
const google = `${project}/publishers/google/models/gemini-2.5-pro`;
const claude = `${project}/publishers/anthropic/models/claude-sonnet-4-5@20250929`;

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

test.each([
  ['POST', `${google}:generateContent`, 'generate_content'],
  ['POST', `${google}:streamGenerateContent`, 'stream_generate_content'],
  ['POST', '/v1/publishers/google/models/gemini-2.5-pro:generateContent', 'generate_content'],
  ['POST', `${project}/endpoints/123:generateContent`, 'generate_content'],
  ['POST', `${google}:countTokens`, 'count_tokens'],
  ['POST', `${google}:computeTokens`, 'count_tokens'],
  ['POST', `${project}/publishers/google/models/imagen-4.0:predict`, 'predict'],
  ['POST', `${project}/endpoints/123:predict`, 'predict'],
  ['POST', `${project}/cachedContents`, 'cached_contents'],
  ['POST', `${project}/interactions`, 'interactions'],
  ['POST', `${claude}:rawPredict`, 'messages'],
  ['POST', `${claude}:streamRawPredict`, 'messages'],
  ['POST', `${project}/publishers/anthropic/models/count-tokens:rawPredict`, 'raw_count_tokens'],
  ['POST', `${project}/publishers/mistralai/models/mistral-large:streamRawPredict`, 'chat.completions'],
  ['POST', `${project}/endpoints/openapi/chat/completions`, 'chat.completions'],
  ['POST', `${project}/endpoints/123:rawPredict`, 'raw_predict'],
  ['POST', `${project}/publishers%2Fanthropic/models/claude:rawPredict`, 'messages'],
  ['GET', `${project}/endpoints`, 'unknown'],
  // https://cloud.google.com/vertex-ai/docs/predictions/use-arbitrary-custom-routes
  ['POST', `${project}/endpoints/123/invoke/v1/chat/completions`, 'chat.completions'],
  ['POST', `${project}/endpoints/123/invoke/v1/responses`, 'responses'],
  ['GET', `${project}/endpoints/123/invoke/v1/responses/resp_1`, 'responses'],
  ['POST', `${project}/endpoints/123/invoke/v1/messages`, 'messages'],
  ['POST', `${project}/endpoints/123/invoke/generate`, 'served.generate'],
  ['POST', `${project}/endpoints/123/invoke/foo/bar`, 'raw_predict'],
  ['POST', `${project}/endpoints/123:invoke`, 'raw_predict'],
  ['GET', `${project}/endpoints/123/invoke/health`, 'unknown'],
  ['POST', `${project}/publishers/mistralai/models/mistral-ocr-2505:rawPredict`, 'ocr'],
  ['POST', `${project}/batchPredictionJobs`, 'batch_prediction_jobs'],
])('%s %s is %s', (method, path, operation) => {
  expect(vertex.operationOf(method, path)).toBe(operation);
});

test.each([
  [`${google}:generateContent`, 'gemini-2.5-pro'],
  [`${project}/endpoints/123:generateContent`, 'endpoints/123'],
])('%s names the model %s', (path, model) => {
  expect(vertex.readRequest('generate_content', json({ contents: [] }), headOf(path)).facts.model).toBe(
    model,
  );
});

describe('Claude', () => {
  const body = { anthropic_version: 'vertex-2023-10-16', messages: [{ role: 'user', content: 'Hi' }] };

  test('is asked in its own dialect, the model named by the path', () => {
    const { facts, defects } = vertex.readRequest('messages', json(body), headOf(`${claude}:rawPredict`));
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ model: 'claude-sonnet-4-5@20250929', stream: false, text: 'Hi' });
  });

  test('streams where the path or the body says so', () => {
    const streams = (path: string, more: object) =>
      vertex.readRequest('messages', json({ ...body, ...more }), headOf(path)).facts.stream;
    expect(streams(`${claude}:streamRawPredict`, {})).toBe(true);
    expect(streams(`${claude}:rawPredict`, { stream: true })).toBe(true);
  });

  test('answers in its own dialect, and is refused in it when the stream began', () => {
    const stream = typedEvents(
      { type: 'message_start', message: { model: 'claude', content: [] } },
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'tool_use', id: 't', name: 'pay', input: {} },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"n":1}' } },
      { type: 'message_stop' },
    );
    expect(readStream(vertex, 'messages', stream).facts.toolCalls).toMatchObject([{ arguments: { n: 1 } }]);
    expect(String(vertex.errorEvent('messages', 'sse', 'held', 'No.'))).toContain(
      '"type":"permission_error"',
    );
    expect(vertex.keepAliveEvent('messages', 'sse', 'm')).toContain('ping');
    expect(vertex.filler?.('messages', 'sse')).toContain('held');
  });

  test('counts tokens as nobody judges, but is asked as everybody is', () => {
    const path = `${project}/publishers/anthropic/models/count-tokens:rawPredict`;
    expect(vertex.readRequest('raw_count_tokens', json(body), headOf(path)).facts.text).toBe('Hi');
    expect(vertex.readsAnswer('raw_count_tokens')).toBe(false);
  });
});

describe('partners and open models', () => {
  const body = { model: 'mistral-large', messages: [{ role: 'user', content: 'Hi' }] };

  test('are asked as chat completions are', () => {
    const path = `${project}/publishers/mistralai/models/mistral-large:streamRawPredict`;
    const { facts } = vertex.readRequest('chat.completions', json(body), headOf(path));
    expect(facts).toMatchObject({ model: 'mistral-large', stream: true, text: 'Hi' });
  });

  test('are named by the body where the path names none', () => {
    const { facts } = vertex.readRequest(
      'chat.completions',
      json({ ...body, model: 'meta/llama-4' }),
      headOf(`${project}/endpoints/openapi/chat/completions`),
    );
    expect(facts.model).toBe('meta/llama-4');
  });
});

const chat = {
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'pay', arguments: '{"n":1}' } }],
      },
      finish_reason: 'tool_calls',
    },
  ],
};

describe('a prediction', () => {
  test('that is a chat completion has its calls', () => {
    const { facts, defects } = vertex.readResponse('predict', 200, json({ predictions: chat }));
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toMatchObject([{ name: 'pay', arguments: { n: 1 } }]);
  });

  test('of any other shape has its texts, without pictures', () => {
    const predictions = [{ content: 'a poem', bytesBase64Encoded: 'AAAA' }, 'a line'];
    expect(vertex.readResponse('predict', 200, json({ predictions })).facts.text).toBe('a poem\na line');
  });

  // https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/serverStreamingPredict
  test('of tensors has their texts, whole and piece by piece', () => {
    const outputs = [{ structVal: { content: { stringVal: ['a poem'] } } }];
    expect(vertex.readResponse('predict', 200, json({ outputs })).facts.text).toBe('a poem');
    const pieces = vertex.readResponse('predict', 200, json([{ outputs }, { outputs }]));
    expect([pieces.facts.text, pieces.defects]).toEqual(['a poem\na poem', []]);
    const twofold = vertex.readResponse('predict', 200, Buffer.from('[{"outputs":"a","outputs":"b"}]'));
    expect(twofold.defects).toEqual(['the answer has the key "outputs" more than once']);
  });

  test('asked for by a prompt has it as a message', () => {
    const instances = [{ prompt: 'a SECRET', bytesBase64Encoded: 'AAAA' }];
    const head = headOf(`${project}/endpoints/1:predict`);
    expect(vertex.readRequest('predict', json({ instances }), head).facts.messages).toEqual([
      { role: 'user', text: 'a SECRET', toolCalls: [] },
    ]);
  });

  test('asked for by tensors has their texts', () => {
    const inputs = [{ structVal: { prompt: { stringVal: ['a SECRET'] } } }];
    const head = headOf(`${project}/endpoints/1:serverStreamingPredict`);
    const { facts, defects } = vertex.readRequest('predict', json({ inputs }), head);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: 'a SECRET', messages: [{ role: 'user', text: 'a SECRET' }] });
  });

  test('that is no JSON is held', () => {
    expect(vertex.readResponse('predict', 200, Buffer.from('x')).defects).toEqual(['the answer is not JSON']);
  });

  test('asked for as a chat has its messages', () => {
    const instances = [{ '@requestFormat': 'chatCompletions', messages: [{ role: 'user', content: 'Hi' }] }];
    const { facts } = vertex.readRequest(
      'predict',
      json({ instances }),
      headOf(`${project}/endpoints/1:predict`),
    );
    expect(facts).toMatchObject({ model: 'endpoints/1', messages: [{ role: 'user', text: 'Hi' }] });
  });
});

describe('a raw prediction', () => {
  test('that is a list with a key twice means two things', () => {
    const { defects } = vertex.readResponse('raw_predict', 200, Buffer.from('[{"a":1,"a":2}]'));
    expect(defects).toEqual(['the answer has the key "a" more than once']);
  });

  const head = headOf(`${project}/endpoints/1:rawPredict`);

  test('is read as a chat where it is one', () => {
    const asked = { messages: [{ role: 'user', content: 'Hi' }] };
    expect(vertex.readRequest('raw_predict', json(asked), head).facts.messages).toHaveLength(1);
    expect(vertex.readResponse('raw_predict', 200, json(chat)).facts.toolCalls).toHaveLength(1);
    const stream = events({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'c' }] } }] });
    expect(readStream(vertex, 'raw_predict', stream).kinds).toEqual(['tool']);
  });

  test('may be anything else: its texts are seen, and what is no JSON is none of a language model’s', () => {
    expect(vertex.readRequest('raw_predict', json({ q: 'text' }), head).facts.text).toBe('text');
    expect(vertex.readResponse('raw_predict', 200, json(['label'])).facts.text).toBe('label');
    const direct = headOf(`${project}/endpoints/1:directRawPredict`);
    const input = Buffer.from('a SECRET').toString('base64');
    expect(vertex.readRequest('raw_predict', json({ input }), direct).facts.text).toContain('a SECRET');
    const bytes = Buffer.from([0, 255]);
    expect(vertex.readRequest('raw_predict', bytes, head).defects).toEqual([]);
    expect(vertex.readResponse('raw_predict', 200, bytes).defects).toEqual([]);
  });
});

test('an answer with an error status has no tool calls', () => {
  expect(vertex.readResponse('generate_content', 400, Buffer.from('[{"error":{}}]')).defects).toEqual([]);
});

describe('what partners’ models do besides chat', () => {
  test('code is completed from a prompt and what follows it', () => {
    // https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/mistral/codestral-2501
    const path = `${project}/publishers/mistralai/models/codestral-2:rawPredict`;
    const body = { model: 'codestral-2', prompt: 'def add(', suffix: 'return sum' };
    const { facts } = vertex.readRequest('chat.completions', json(body), headOf(path));
    expect(facts).toMatchObject({ model: 'codestral-2', text: 'def add(\nreturn sum' });
  });

  test('text is read out of documents', () => {
    // https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/mistral/mistral-ocr
    const { facts, defects } = vertex.readResponse('ocr', 200, json({ pages: [{ markdown: '# A bill' }] }));
    expect(defects).toEqual([]);
    expect(facts.text).toBe('# A bill');
  });
});

describe('a container that answers in no form of a chat', () => {
  const item = { type: 'function_call', call_id: 'c', name: 'pay', arguments: '{"n":1}' };

  test.each([
    ['a response', { output: [item] }],
    ['a list of them', [{ output: [item] }]],
  ])('has its calls all the same: %s', (_what, answer) => {
    const { facts, defects } = vertex.readResponse('raw_predict', 200, json(answer));
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toMatchObject([{ id: 'c', name: 'pay', arguments: { n: 1 } }]);
  });

  test('says after an amendment what the amendment says', () => {
    const amendment = { toolCalls: [{ id: 'c', arguments: { n: 2 } }] };
    const text = amended(
      null,
      vertex,
      'raw_predict',
      JSON.stringify({ output: [item], more: 1.0 }),
      amendment,
    );
    const { facts } = vertex.readResponse('raw_predict', 200, Buffer.from(text));
    expect(facts.toolCalls).toMatchObject([{ id: 'c', arguments: { n: 2 } }]);
  });

  test('has them in a stream', () => {
    const stream = typedEvents({ type: 'response.output_item.done', output_index: 0, item });
    const { facts, kinds } = readStream(vertex, 'raw_predict', stream);
    expect(kinds).toEqual(['tool']);
    expect(facts.toolCalls).toMatchObject([{ name: 'pay', arguments: { n: 1 } }]);
  });
});
