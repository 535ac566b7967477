/** InvokeModel: the forms of the models on Bedrock, told from the body alone, and what is not read as harmless. */
import { InvokeModelWithResponseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { afterEach, describe, expect, test } from 'vitest';
import { bedrock } from '../../../../src/provider/bedrock/family.ts';
import { endAll } from '../../../support/endings.ts';
import { chunkFrame, exception, frame, type Json, readAll, serveBedrock } from './written.ts';

afterEach(endAll);

const metrics = { 'amazon-bedrock-invocationMetrics': { inputTokenCount: 3, outputTokenCount: 4 } };

function request(body: Json, path = '/model/some.model/invoke') {
  const head = { path, contentType: 'application/json' };
  return bedrock.readRequest('invoke', Buffer.from(JSON.stringify(body)), head);
}

function answer(body: Json) {
  return bedrock.readResponse('invoke', 200, Buffer.from(JSON.stringify(body)));
}

function chunks(...events: readonly unknown[]): Buffer {
  return Buffer.concat(events.map(chunkFrame));
}

/** Anthropic's stream of "Sure." and a transfer, as it stands in chunks. */
const anthropicEvents: readonly Json[] = [
  { type: 'message_start', message: { id: 'm', role: 'assistant', model: 'claude', content: [], usage: {} } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Sure.' } },
  { type: 'content_block_stop', index: 0 },
  {
    type: 'content_block_start',
    index: 1,
    content_block: { type: 'tool_use', id: 't1', name: 'transfer', input: {} },
  },
  {
    type: 'content_block_delta',
    index: 1,
    delta: { type: 'input_json_delta', partial_json: '{"amount":9}' },
  },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 4 } },
  { type: 'message_stop', ...metrics },
];

describe('a request', () => {
  test('in Anthropic’s form is read as Anthropic’s', () => {
    const { facts, defects } = request(
      {
        anthropic_version: 'bedrock-2023-05-31',
        system: 'Be brief.',
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Pay.' }] }],
        tools: [{ name: 'transfer' }],
        max_tokens: 5,
      },
      '/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Aapplication-inference-profile%2FAbC/invoke-with-response-stream',
    );
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      model: 'arn:aws:bedrock:eu-central-1:1:application-inference-profile/AbC',
      stream: true,
      system: 'Be brief.',
      tools: [{ name: 'transfer' }],
      params: { max_tokens: 5, anthropic_version: 'bedrock-2023-05-31' },
    });
    expect(facts.text).toContain('Pay.');
  });

  test('in Nova’s form is read as Converse', () => {
    const { facts } = request({
      schemaVersion: 'messages-v1',
      messages: [{ role: 'user', content: [{ text: 'Pay.' }] }],
      inferenceConfig: { maxTokens: 7 },
      toolConfig: { tools: [{ toolSpec: { name: 'transfer', description: 'Pays.' } }] },
    });
    expect(facts).toMatchObject({ text: 'Pay.', params: { maxTokens: 7 }, tools: [{ name: 'transfer' }] });
  });

  test('in the form of chat completions is read as such', () => {
    const { facts } = request({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Pay.' },
      ],
      tools: [{ type: 'function', function: { name: 'transfer', description: 'Pays.' } }],
    });
    expect(facts).toMatchObject({ system: 'Be brief.', tools: [{ name: 'transfer' }] });
    expect(facts.text).toContain('Pay.');
  });

  test.each([
    ['Llama', { prompt: 'Pay ACME.', max_gen_len: 9 }, { max_gen_len: 9 }],
    ['Titan', { inputText: 'Pay ACME.', textGenerationConfig: { maxTokenCount: 9 } }, { maxTokenCount: 9 }],
    ['Cohere', { message: 'Pay ACME.', temperature: 0.1, tools: [] }, { temperature: 0.1 }],
    ['a model nobody knows', { question: { words: ['Pay ACME.'] }, limit: 9 }, { limit: 9 }],
  ])('of %s shows its text and parameters', (_model, body, params) => {
    const { facts, defects } = request(body);
    expect([facts.text, facts.params, defects]).toEqual(['Pay ACME.', params, []]);
  });

  test('of two forms is a defect', () => {
    const { defects } = request({ messages: [], anthropic_version: 'x', prompt: 'The other prompt.' });
    expect(defects).toEqual(['the request has the forms of two models']);
  });

  test('that is not JSON is a defect', () => {
    const head = { path: '/model/m/invoke', contentType: 'text/plain' };
    expect(bedrock.readRequest('invoke', Buffer.from('Hi'), head).defects).toEqual([
      'the request body is not JSON',
    ]);
  });
});

describe('a whole answer', () => {
  test.each([
    [
      'Anthropic’s',
      {
        type: 'message',
        content: [
          { type: 'text', text: 'Sure.' },
          { type: 'tool_use', id: 't', name: 'transfer', input: { amount: 9 } },
        ],
        stop_reason: 'tool_use',
      },
    ],
    [
      'Nova’s',
      {
        output: {
          message: {
            content: [
              { text: 'Sure.' },
              { toolUse: { toolUseId: 't', name: 'transfer', input: { amount: 9 } } },
            ],
          },
        },
        stopReason: 'tool_use',
      },
    ],
    [
      'chat completions’',
      {
        choices: [
          {
            message: {
              content: 'Sure.',
              tool_calls: [{ id: 't', function: { name: 'transfer', arguments: '{"amount":9}' } }],
            },
            stop_reason: 'tool_use',
          },
        ],
      },
    ],
    [
      'Cohere’s',
      {
        text: 'Sure.',
        generation_id: 'g',
        chat_history: [{ role: 'USER', message: 'Pay.' }],
        finish_reason: 'tool_use',
        tool_calls: [{ name: 'transfer', parameters: { amount: 9 } }],
      },
    ],
  ])('in %s form gives text and calls', (_model, body) => {
    const { facts, defects } = answer(body);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: 'Sure.', finishReason: 'tool_use' });
    expect(facts.toolCalls).toMatchObject([{ name: 'transfer', arguments: { amount: 9 } }]);
  });

  test.each([
    [
      'Llama',
      { generation: 'Hello.', prompt_token_count: 3, generation_token_count: 4, stop_reason: 'stop' },
    ],
    ['Mistral', { outputs: [{ text: 'Hello.', stop_reason: 'stop' }] }],
    [
      'Titan',
      {
        inputTextTokenCount: 3,
        results: [{ tokenCount: 4, outputText: 'Hello.', completionReason: 'FINISH' }],
      },
    ],
    [
      'Cohere Command',
      { id: 'i', prompt: 'p', generations: [{ id: 'j', text: 'Hello.', finish_reason: 'COMPLETE' }] },
    ],
    ['DeepSeek R1', { choices: [{ text: 'Hello.', stop_reason: 'stop' }] }],
    [
      'Jurassic',
      { id: 1, completions: [{ data: { text: 'Hello.' }, finishReason: { reason: 'endoftext' } }] },
    ],
    ['Claude 2', { type: 'completion', completion: 'Hello.', stop_reason: 'stop_sequence', stop: '\n' }],
  ])('of %s gives text', (_model, body) => {
    expect(answer(body)).toMatchObject({ defects: [], facts: { text: 'Hello.', toolCalls: [] } });
  });

  test.each([
    ['embeddings', { embedding: [0.1, 0.2], inputTextTokenCount: 3 }],
    ['images', { images: ['aGVsbG8='], seeds: [1], finish_reasons: [null] }],
    ['a ranking', { results: [{ index: 0, relevance_score: 0.9 }] }],
  ])('of %s holds nothing to judge', (_what, body) => {
    expect(answer(body)).toMatchObject({ defects: [], facts: { text: '', toolCalls: [] } });
  });

  test('with a member that nobody knows is a defect, as it may hold a call', () => {
    expect(answer({ generation: 'Hello.', next_step: { tool: 'transfer' } }).defects).toEqual([
      'the member "next_step" of the answer is not known, and may hold a tool call',
    ]);
  });

  test('with flags, numbers and nothing under unknown names is none', () => {
    expect(answer({ generation: 'Hello.', cached: true, score: 0.5, note: '', extra: null }).defects).toEqual(
      [],
    );
  });

  test('in the forms of two models is a defect', () => {
    expect(answer({ content: [], output: { message: { content: [] } } }).defects).toHaveLength(1);
  });

  test.each([
    ['<|python_tag|>{"name": "transfer", "parameters": {"amount": 9}}'],
    ['{"name": "transfer", "parameters": {"amount": 9}}'],
    ['[transfer(amount=9)]'],
    ['[TOOL_CALLS] [{"name": "transfer"}]'],
    ['I will.\n<tool_call>\n{"name": "transfer"}\n</tool_call>'],
    ['<function=transfer>{"amount": 9}</function>'],
    ['<｜tool▁calls▁begin｜>'],
  ])('whose text is a call in the model’s own notation is a defect: %s', (generation) => {
    expect(answer({ generation }).defects).toHaveLength(1);
  });

  test('whose text has brackets but no call is none', () => {
    expect(answer({ generation: '[1] says {x | x < 3} and <b>so</b>.' }).defects).toEqual([]);
  });

  test.each([
    ['a call without parameters', { text: 'a', tool_calls: [{ name: 'transfer' }] }],
    ['calls that are no list', { text: 'a', tool_calls: { name: 'transfer' } }],
    ['a list of anything', { outputs: ['a'] }],
  ])('with %s is a defect', (_what, body) => {
    expect(answer(body).defects).toHaveLength(1);
  });
});

describe('a stream of chunks', () => {
  test('in Anthropic’s form gives what it says, and withholds from the call on', () => {
    const { facts, defects, complete, kinds } = readAll('invoke', chunks(...anthropicEvents));
    expect([defects, complete]).toEqual([[], true]);
    expect(facts).toMatchObject({ text: 'Sure.', model: 'claude', finishReason: 'tool_use' });
    expect(facts.toolCalls).toMatchObject([{ id: 't1', name: 'transfer', arguments: { amount: 9 } }]);
    expect(kinds.join(' ')).toBe('other other text other tool tool other other end');
  });

  test('is read as Amazon’s SDK reads it', async () => {
    const served = await serveBedrock();
    served.answerWith(
      200,
      { 'content-type': 'application/vnd.amazon.eventstream' },
      chunks(...anthropicEvents),
    );
    const sent = { modelId: 'model', contentType: 'application/json', body: '{}' };
    const { body } = await served.client.send(new InvokeModelWithResponseStreamCommand(sent));
    const events: unknown[] = [];
    for await (const { chunk } of body ?? [])
      events.push(JSON.parse(Buffer.from(chunk?.bytes ?? []).toString()));
    expect(events).toEqual(anthropicEvents);
  });

  test('in Nova’s form gives what it says', () => {
    const bytes = chunks(
      { messageStart: { role: 'assistant' } },
      { contentBlockDelta: { delta: { text: 'Sure.' }, contentBlockIndex: 0 } },
      { contentBlockStop: { contentBlockIndex: 0 } },
      {
        contentBlockStart: { start: { toolUse: { toolUseId: 't', name: 'transfer' } }, contentBlockIndex: 1 },
      },
      { contentBlockDelta: { delta: { toolUse: { input: '{"amount":9}' } }, contentBlockIndex: 1 } },
      { messageStop: { stopReason: 'tool_use' } },
      { metadata: { usage: { inputTokens: 3, outputTokens: 4 } }, ...metrics },
    );
    const { facts, kinds, defects } = readAll('invoke', bytes);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: 'Sure.', usage: { totalTokens: 7 } });
    expect(facts.toolCalls).toMatchObject([{ name: 'transfer', arguments: { amount: 9 } }]);
    expect(kinds.join(' ')).toBe('other text other tool tool end end');
  });

  test.each(['delta', 'message'])('in the form of chat completions, with a %s, gives what it says', (key) => {
    const call = { index: 0, id: 't', function: { name: 'transfer', arguments: '{"amount":9}' } };
    const bytes = chunks(
      { choices: [{ index: 0, [key]: { role: 'assistant', content: 'Sure.' }, stop_reason: null }] },
      { choices: [{ index: 0, [key]: { content: '', tool_calls: [call] }, stop_reason: null }] },
      { choices: [{ index: 0, [key]: { content: '' }, stop_reason: 'tool_calls' }], ...metrics },
    );
    const { facts, kinds, defects, complete } = readAll('invoke', bytes);
    expect([defects, complete, facts.text, facts.finishReason]).toEqual([[], true, 'Sure.', 'tool_calls']);
    expect(facts.toolCalls).toMatchObject([{ name: 'transfer', arguments: { amount: 9 } }]);
    expect(kinds).toEqual(['text', 'tool', 'end']);
  });

  test.each([
    ['Llama', { generation: 'Hel' }, { generation: 'lo.', stop_reason: 'stop', ...metrics }],
    ['Titan', { outputText: 'Hel', index: 0 }, { outputText: 'lo.', completionReason: 'FINISH', ...metrics }],
    [
      'Mistral',
      { outputs: [{ text: 'Hel' }] },
      { outputs: [{ text: 'lo.', stop_reason: 'stop' }], ...metrics },
    ],
    [
      'Cohere',
      { event_type: 'text-generation', text: 'Hel' },
      { text: 'lo.', is_finished: true, ...metrics },
    ],
  ])('of %s gives its text', (_model, first, last) => {
    const { facts, kinds, defects, complete } = readAll('invoke', chunks(first, last));
    expect([facts.text, kinds, defects, complete]).toEqual(['Hello.', ['text', 'end'], [], true]);
  });

  test('of text withholds from the first sign on that may begin a call', () => {
    const bytes = chunks(
      { generation: 'Sure. ' },
      { generation: '[trans' },
      { generation: 'fer()]' },
      metrics,
    );
    expect(readAll('invoke', bytes).kinds).toEqual(['text', 'tool', 'tool', 'end']);
  });

  test('of text with a member that nobody knows withholds from there on', () => {
    const bytes = chunks({ generation: 'a', act: { go: 1 } }, { generation: 'b', act: { go: 1 } }, metrics);
    const { kinds, defects } = readAll('invoke', bytes);
    expect([kinds, defects.length]).toEqual([['tool', 'tool', 'end'], 1]);
  });

  test('without its last chunk is not complete', () => {
    expect(readAll('invoke', chunks(...anthropicEvents.slice(0, 3)))).toMatchObject({ complete: false });
    expect(readAll('invoke', chunks({ generation: 'a' }))).toMatchObject({ complete: false });
    expect(readAll('invoke', Buffer.alloc(0))).toMatchObject({ complete: false });
  });

  test('with an exception has failed', () => {
    const bytes = Buffer.concat([chunks({ generation: 'a' }), exception('modelTimeoutException', 'Late.')]);
    expect(readAll('invoke', bytes)).toMatchObject({ failed: true, kinds: ['text', 'error'] });
  });

  test.each([
    ['bytes that are not base64', frame('chunk', { bytes: '{"generation":"a"}' })],
    ['bytes in a spelling that decoders differ on', frame('chunk', { bytes: 'eyJhIjoxfQ' })],
    ['bytes that are no JSON', chunkFrame('{')],
    ['a chunk without bytes', frame('chunk', {})],
    ['a frame that is no chunk', frame('messageStart', { role: 'assistant' })],
    ['a chunk of two forms', chunkFrame({ type: 'message_start', messageStart: {} })],
    ['a change of form', chunkFrame({ generation: 'a' })],
  ])('with %s is a defect and does not pass unjudged', (_what, bytes) => {
    const all = Buffer.concat([chunks({ type: 'ping' }), bytes]);
    const { defects, kinds } = readAll('invoke', all);
    expect([defects.length, kinds.at(-1)]).toEqual([1, 'tool']);
  });
});
