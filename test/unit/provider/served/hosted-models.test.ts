/** Models behind one path of their host's: whatever the host wraps them in, rules see what is asked, said and called. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, codeOf, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const openai = protocolOf('openai');
const hosted = 'hosted.model';

test.each([
  '/client/v4/accounts/a/ai/run/@cf/meta/llama-4-scout',
  '/v1/a/gateway/workers-ai/@cf/meta/llama-4-scout',
  '/hf-inference/models/acme/large',
  '/fal-ai/fal-ai/flux/dev',
  '/wavespeed/api/v3/wavespeed-ai/flux-dev',
  '/black-forest-labs/v1/flux-pro',
  '/novita/v3/async/txt2video',
  '/providers/blackforestlabs/v1/flux-2-pro',
  '/inference/v1/workflows/accounts/a/models/flux/text_to_image',
  '/a2a/clerk',
  '/ml/v1/text/chat',
  '/ml/v1/text/chat_stream',
  '/ml/v1/deployments/d/text/generation_stream',
  '/v1/predictions',
  '/v1/models/acme/large/predictions',
  '/api/v1/services/aigc/text-generation/generation',
  '/api/v1/apps/a/completion',
  '/20231130/actions/chat',
  '/api/v2/cortex/inference:complete',
  '/api/v2/cortex/agent:run',
  '/api/v2/databases/d/schemas/s/agents/a:run',
  '/async/chat/completions',
  '/v1/async/sonar',
])('POST %s asks a hosted model', (path) => {
  expect(openai.operationOf('POST', path)).toBe(hosted);
});

test.each([
  ['POST', '/v1/a/gateway/workers-ai/v1/chat/completions', 'chat.completions'],
  ['POST', '/v1/sonar', 'chat.completions'],
  ['POST', '/v1/text/chatcompletion_v2', 'chat.completions'],
  ['GET', '/async/chat/completions/r1', 'chat.completions.list'],
  ['GET', '/v1/async/sonar/r1', 'chat.completions.list'],
  ['GET', '/v1/predictions/p1', hosted],
  ['GET', '/client/v4/accounts/a/ai/run/x', 'unknown'],
  ['POST', '/v1/agents/a', 'agents'],
])('%s %s is %s', (method, path, operation) => {
  expect(openai.operationOf(method, path)).toBe(operation);
});

test('what an agent behind a gateway is told by the Agent2Agent protocol is seen by rules', () => {
  const message = { role: 'user', parts: [{ kind: 'text', text: 'Pay ACME' }] };
  const body = { jsonrpc: '2.0', id: '1', method: 'message/send', params: { message } };
  expect(asked(openai, hosted, body).facts.text).toContain('Pay ACME');
});

test('what is to be drawn by whom Hugging Face passes it on to is seen by rules', () => {
  const { facts, defects } = asked(openai, hosted, { prompt: 'a SECRET', image_size: { width: 512 } });
  expect([facts.text, defects]).toEqual(['a SECRET', []]);
});

const messages = [{ role: 'user', content: 'Hi' }];
const tools = [{ type: 'function', function: { name: 'pay' } }];

describe('what is asked', () => {
  test.each([
    ['of Workers AI', { messages, tools }, ''],
    ['of watsonx', { model_id: 'acme/large', project_id: 'p', messages, tools }, 'acme/large'],
    ['of Perplexity, for later', { request: { model: 'acme/large', messages, tools } }, 'acme/large'],
    [
      'of Model Studio',
      { model: 'acme/large', input: { messages }, parameters: { tools, result_format: 'message' } },
      'acme/large',
    ],
    [
      'of OCI',
      { servingMode: { modelId: 'acme/large' }, chatRequest: { apiFormat: 'GENERIC', messages, tools } },
      'acme/large',
    ],
    ['of Snowflake’s agents', { models: { orchestration: 'acme/large' }, messages, tools }, 'acme/large'],
  ])('%s is a chat', (_host, body, model) => {
    const { facts, defects } = asked(openai, hosted, body);
    expect([facts.model, facts.messages.map(({ role, text }) => [role, text]), facts.tools]).toEqual([
      model,
      [['user', 'Hi']],
      [expect.objectContaining({ name: 'pay' })],
    ]);
    expect(defects).toEqual([]);
  });

  test.each([
    ['Replicate', { version: 'acme/large:1', input: { prompt: 'Hi' } }, 'acme/large:1'],
    ['watsonx', { model_id: 'acme/large', input: 'Hi', parameters: {} }, 'acme/large'],
    ['Workers AI', { prompt: 'Hi' }, ''],
    ['Workers AI, of several', { requests: [{ prompt: 'Hi' }] }, ''],
    ['Hugging Face', { inputs: 'Hi' }, ''],
  ])('of %s is a text', (_host, body, model) => {
    const { facts, defects } = asked(openai, hosted, body);
    expect([facts.model, defects]).toEqual([model, []]);
    expect(facts.text).toContain('Hi');
  });

  test('is seen with every model that the body names', () => {
    const { facts } = asked(openai, hosted, { model: 'gpt-4o', model_id: 'acme/large', messages });
    expect([facts.model, facts.insteads]).toEqual(['gpt-4o', [{ model: 'acme/large' }]]);
  });

  test('has what stands beside a chat, too', () => {
    const { facts } = asked(openai, hosted, { input: { messages }, instructions: 'Once' });
    expect(facts.text).toContain('Once');
  });

  test('offers the tools of its own member', () => {
    const chatRequest = { apiFormat: 'COHERE', message: 'Hi', tools: [{ name: 'pay' }] };
    const { facts } = asked(openai, hosted, { servingMode: { endpointId: 'acme/large' }, chatRequest });
    expect([facts.model, facts.tools.map(({ name }) => name)]).toEqual(['acme/large', ['pay']]);
  });

  test('cannot be read where token ids stand for its words', () => {
    expect(asked(openai, hosted, { input: { prompt: [1, 2, 3] } }).facts.tokenIds).toBe(3);
    expect(asked(openai, hosted, { prompt: 'Hi', image: [1, 2, 3] }).facts.tokenIds).toBeUndefined();
  });

  test.each([
    { messages, prompt: 'Once' },
    { messages, input: 'Once' },
    { messages, input: { messages } },
    { messages, inputs: 'Once' },
  ])('is not two things at once', (body) => {
    expect(asked(openai, hosted, body).defects).toEqual(['the request asks for two things']);
  });

  test('is doubtful where a member is written twice', () => {
    const body = '{"input":{"messages":[]},"model":"a","model":"b"}';
    expect(asked(openai, hosted, body).defects.join()).toContain('"model" more than once');
  });
});

const args = '{"n":1}';
const call = { id: 'c', type: 'function', function: { name: 'pay', arguments: args } };
const calling = { role: 'assistant', content: 'Paying.', tool_calls: [call] };
const used = { tool_use_id: 'c', name: 'pay', input: { n: 1 } };
const listed = [
  { type: 'text', text: 'Paying.' },
  { type: 'tool_use', tool_use: used },
];
const plain = { name: 'pay', arguments: { n: 1 } };

const answers: readonly (readonly [host: string, answer: object])[] = [
  ['Workers AI', { result: { response: 'Paying.', tool_calls: [plain] }, success: true, errors: [] }],
  ['Workers AI, as OpenAI’s', { result: { choices: [{ index: 0, message: calling }] }, success: true }],
  ['watsonx', { model_id: 'm', choices: [{ index: 0, message: calling, finish_reason: 'tool_calls' }] }],
  ['Model Studio', { output: { choices: [{ message: calling, finish_reason: 'tool_calls' }] }, usage: {} }],
  [
    'OCI',
    {
      modelId: 'm',
      chatResponse: {
        choices: [
          {
            message: {
              content: [{ type: 'TEXT', text: 'Paying.' }],
              toolCalls: [{ id: 'c', type: 'FUNCTION', name: 'pay', arguments: args }],
            },
          },
        ],
      },
    },
  ],
  [
    'OCI, of Cohere’s',
    { chatResponse: { text: 'Paying.', toolCalls: [{ name: 'pay', parameters: { n: 1 } }] } },
  ],
  ['Snowflake', { choices: [{ message: { content: 'Paying.', content_list: listed } }], usage: {} }],
  ['an agent of Snowflake’s', { role: 'assistant', content: listed }],
];

describe('what is answered', () => {
  test.each(answers)('by %s has its text and its call', (_host, answer) => {
    const { facts, defects, complete } = readAs(null, openai, hosted, JSON.stringify(answer));
    expect(facts.toolCalls.map(({ name, arguments: value }) => [name, value])).toEqual([['pay', { n: 1 }]]);
    expect([facts.text, defects, complete]).toEqual([expect.stringContaining('Paying.'), [], true]);
  });

  test.each(answers)('by %s takes a reviewer’s arguments', (_host, answer) => {
    const text = JSON.stringify(answer);
    const [first] = readAs(null, openai, hosted, text).facts.toolCalls;
    const toolCalls = [{ id: first?.id ?? '', arguments: { n: 2 } }];
    const changed = amended(null, openai, hosted, text, { toolCalls });
    expect(readAs(null, openai, hosted, changed).facts.toolCalls[0]?.arguments).toEqual({ n: 2 });
  });

  test.each([
    ['Replicate', { id: 'p', status: 'succeeded', output: ['Hel', 'lo'], error: null }, 'Hel\nlo'],
    ['watsonx', { model_id: 'm', results: [{ generated_text: 'Hello' }] }, 'Hello'],
    ['Hugging Face', [{ generated_text: 'Hello' }], 'Hello'],
  ])('by %s is text', (_host, answer, text) => {
    const { facts, defects } = readAs(null, openai, hosted, JSON.stringify(answer));
    expect([facts.text, defects]).toEqual([expect.stringContaining(text), []]);
  });

  test('is not judged where a call is handed two things', () => {
    const answer = { result: { tool_calls: [{ ...plain, parameters: {} }] } };
    const { defects } = readAs(null, openai, hosted, JSON.stringify(answer));
    expect(defects).toEqual(['a tool call is handed two things']);
  });

  test('may be a picture, which nobody reads', () => {
    const tells = openai.readsAnswerBy?.(hosted);
    expect(tells?.(Buffer.from('89504e470d0a1a0a', 'hex'))).toBe(false);
    expect(tells?.(Buffer.from('{"result":'))).toBe(true);
  });
});

const done = 'data: [DONE]\n\n';
const delta = (piece: object, finish: string | null = null) => ({
  choices: [{ index: 0, delta: piece, finish_reason: finish }],
});
const begun = { index: 0, id: 'c', type: 'function', function: { name: 'pay', arguments: '' } };

describe('what is streamed', () => {
  test.each([
    [
      'Workers AI',
      events(
        { response: 'Pay', p: 'abcd' },
        { response: 'ing.', p: 'ab' },
        { response: '', tool_calls: [plain] },
        { response: '', usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
        done,
      ),
      3,
    ],
    [
      'watsonx',
      events(
        delta({ role: 'assistant', content: 'Paying.' }),
        delta({ tool_calls: [begun] }),
        delta({ tool_calls: [{ index: 0, function: { name: '', arguments: args } }] }, 'tool_calls'),
        { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
      ),
      3,
    ],
    [
      'an agent of Snowflake’s',
      'event: response.text.delta\ndata: {"content_index":0,"text":"Pay"}\n\n' +
        'event: response.text.delta\ndata: {"content_index":0,"text":"ing."}\n\n' +
        `event: response.tool_use\ndata: ${JSON.stringify({ ...used, type: 'generic', client_side_execute: true })}\n\n` +
        'event: done\ndata: [DONE]\n\n',
      0,
    ],
  ])('by %s has its text and its call', (_host, text, tokens) => {
    const { facts, defects, complete, kinds } = readAs('sse', openai, hosted, text);
    expect(facts.toolCalls.map(({ name, arguments: value }) => [name, value])).toEqual([['pay', { n: 1 }]]);
    expect([facts.text, facts.usage.totalTokens, defects, complete]).toEqual(['Paying.', tokens, [], true]);
    expect(kinds.indexOf('tool')).toBeGreaterThan(0);
  });

  // https://developers.cloudflare.com/workers-ai/models/gpt-oss-120b/
  test('as items of OpenAI’s shows no piece of a call before it is whole', () => {
    const item = { type: 'function_call', id: 'i', call_id: 'c', name: 'pay', arguments: args };
    const text = events(
      { type: 'response.output_text.delta', item_id: 'm', delta: 'Paying.' },
      { type: 'response.function_call_arguments.delta', item_id: 'i', delta: '{"n"' },
      { type: 'response.output_item.done', item },
    );
    const { facts, defects, kinds } = readAs('sse', openai, hosted, text);
    expect([facts.text, facts.toolCalls.map(({ name }) => name)]).toEqual(['Paying.', ['pay']]);
    expect([kinds, defects]).toEqual([['text', 'tool', 'tool'], []]);
  });

  test('by an agent has a call once, however often it is told', () => {
    const told = JSON.stringify({ ...used, type: 'generic' });
    const text =
      `event: response.tool_use\ndata: ${told}\n\n` +
      `event: response\ndata: ${JSON.stringify({ role: 'assistant', content: listed })}\n\n`;
    const { facts, defects } = readAs('sse', openai, hosted, text);
    expect([facts.toolCalls.length, defects]).toEqual([1, []]);
  });

  test('in pieces that nothing puts together is not judged', () => {
    const text = events(
      delta({ type: 'text', content: 'Hi', content_list: [{ type: 'text', text: 'Hi' }], text: 'Hi' }),
      delta({ type: 'tool_use', tool_use_id: 'c', name: 'pay' }),
      delta({ type: 'tool_use', input: args }),
    );
    const { facts, defects, kinds } = readAs('sse', openai, hosted, text);
    expect([facts.text, kinds]).toEqual(['Hi', ['text', 'tool', 'tool']]);
    expect(defects).toEqual(['a tool call in pieces of content cannot be put together']);
  });

  test('in the forms of two operations is not judged', () => {
    const text = events(delta({ content: 'Hi' }), { response: '', tool_calls: [plain] });
    const { defects, kinds } = readAs('sse', openai, hosted, text);
    expect([defects, kinds]).toEqual([['the stream has the forms of two operations'], ['text', 'tool']]);
  });

  test('is not amended but in OpenAI’s form', () => {
    const text = events({ response: '', tool_calls: [plain] }, done);
    const toolCalls = [{ id: '#1', arguments: { n: 2 } }];
    expect(codeOf(() => amended('sse', openai, hosted, text, { toolCalls }))).toBe('invalid_argument');
  });
});
