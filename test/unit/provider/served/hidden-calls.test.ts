/** Calls and words of hosted models that an answer says something else of, or that stand beside a call. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const openai = protocolOf('openai');
const hosted = 'hosted.model';
const args = '{"n":1}';
const call = { id: 'c', type: 'function', function: { name: 'pay', arguments: args } };

test('calls what it calls, whatever it says came of that', () => {
  const done = { ...call, function: { ...call.function, output: '' } };
  const item = { type: 'function_call', call_id: 'c', name: 'pay', arguments: args };
  const given = { type: 'function_call_output', call_id: 'c', output: '' };
  const hiding = [{ output: { message: { tool_calls: [done] } } }, { output: [item, given] }];
  const namesOf = ({ facts }: ReturnType<typeof readAs>) => facts.toolCalls.map(({ name }) => name);
  for (const answer of hiding) {
    expect(namesOf(readAs(null, openai, hosted, JSON.stringify(answer)))).toEqual(['pay']);
    expect(namesOf(readAs('sse', openai, hosted, events(answer)))).toEqual(['pay']);
  }
  const chat = { choices: [{ message: { tool_calls: [done] } }] };
  expect(namesOf(readAs(null, openai, 'chat.completions.list', JSON.stringify(chat)))).toEqual(['pay']);
});

test('has what stands beside a call, whatever type an object gives itself', () => {
  const chosen = { choices: [{ message: { content: 'Paying.', tool_calls: [call] } }] };
  for (const answer of [
    { type: 'web_search_call', output: chosen },
    { output: { type: 'web_search_call', ...chosen } },
    { output: { function: { name: 'look', arguments: '{}' }, ...chosen } },
  ])
    for (const form of [null, 'sse'] as const) {
      const { facts } = readAs(form, openai, hosted, form === null ? JSON.stringify(answer) : events(answer));
      expect(facts.toolCalls.map(({ name }) => name)).toEqual([expect.not.stringMatching('pay'), 'pay']);
      if (form === null) expect(facts.text).toBe('Paying.');
    }
  const run = { type: 'web_search_call', required_action: { submit_tool_outputs: { tool_calls: [call] } } };
  const { facts } = readAs(null, openai, 'threads.runs', JSON.stringify(run));
  expect(facts.toolCalls.map(({ name }) => name)).toEqual(['web_search_call', 'pay']);
});

test('what came of a call is nobody’s word', () => {
  const search = { type: 'file_search_call', id: 'f', queries: [], results: [{ text: 'found' }] };
  const { facts } = readAs(null, openai, 'conversations.items', JSON.stringify({ data: [search] }));
  expect([facts.text, facts.toolCalls.length]).toEqual(['', 1]);
});

test('words beside a call are said, once, in a stream too', () => {
  const answer = { output: { choices: [{ message: { content: 'Paying.', tool_calls: [call] } }] } };
  const item = { type: 'function_call', call_id: 'c', name: 'pay', arguments: args };
  const done = { response: { output: [{ type: 'message', content: [{ text: 'Paying.' }] }, item] } };
  for (const told of [answer, done])
    for (const operation of [hosted, 'agents.sessions']) {
      const { facts, kinds } = readAs('sse', openai, operation, events(told, told));
      expect([facts.text, facts.toolCalls.length, kinds]).toEqual(['Paying.', 1, ['tool', 'tool']]);
    }
});

// https://github.com/cloudflare/ai/tree/main/packages/workers-ai-provider reads both forms, and joins calls of one place.
test.each([
  ['a call', { tool_calls: [{ name: 'pay', arguments: { n: 1 } }] }],
  ['a text', { response: 'SECRET' }],
  ['a text in a list', { response: ['SECRET'] }],
])('%s of the host’s own beside choices is a defect', (_what, own) => {
  const whole = { ...own, choices: [{ index: 0, message: { content: 'Hi' } }] };
  const piece = { ...own, choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] };
  const said = (what: string) => [`the ${what} has the forms of two operations`];
  expect(readAs(null, openai, hosted, JSON.stringify(whole)).defects).toContain(said('answer')[0]);
  const streamed = readAs('sse', openai, hosted, events(piece));
  expect([streamed.kinds, streamed.defects]).toEqual([['tool'], said('stream')]);
});

test('words of an event that nobody knows, or of one that fails, are said', () => {
  for (const event of [
    { delta: 'SECRET' },
    { type: 'chunk', delta: 'SECRET' },
    { error: 'x', text: 'SECRET' },
  ])
    for (const operation of [hosted, 'agents.sessions']) {
      const { facts, kinds } = readAs('sse', openai, operation, events(event));
      expect(facts.text).toBe('SECRET');
      if ('type' in event) expect(kinds).toEqual(['tool']);
    }
  const pieces = events({ type: 'response.function_call_arguments.delta', delta: '{}' });
  expect(readAs('sse', openai, hosted, pieces).facts.text).toBe('');
});

test('a text in a list is said', () => {
  expect(readAs('sse', openai, hosted, events({ response: ['Hel', 'lo'] })).facts.text).toBe('Hello');
});

test.each([
  [
    'in one event',
    [
      [
        { name: 'pay', arguments: '' },
        { name: 'look', arguments: '{"n":1}' },
      ],
    ],
  ],
  ['one after the other', [[{ name: 'pay' }], [{ name: 'look', arguments: { n: 1 } }]]],
  ['the empty one last', [[{ name: 'look', arguments: ' ' }], [{ name: 'pay' }]]],
])('calls of one place, of which one hands nothing, are a defect: %s', (_how, lists) => {
  const stream = events(...lists.map((list) => ({ response: '', tool_calls: list })));
  const { defects } = readAs('sse', openai, hosted, stream);
  expect(defects).toContain('pieces of one tool call may belong to another');
});

test('calls of one place that are whole, of places of their own, or told again are none', () => {
  const whole = [
    { name: 'pay', arguments: { n: 1 } },
    { name: 'look', arguments: {} },
  ];
  const apart = [
    { index: 0, name: 'pay' },
    { index: 1, name: 'look' },
  ];
  const again = { id: 'c', name: 'pay' };
  const more = { id: 'd', name: 'look', arguments: {} };
  for (const lists of [[whole], [apart], [[again], [{ ...again, arguments: { n: 1 } }], [more]]])
    expect(
      readAs('sse', openai, hosted, events(...lists.map((list) => ({ tool_calls: list })))).defects,
    ).toEqual([]);
});

// https://docs.sglang.ai/basic_usage/native_api.html
test('calls that a server makes of a text for its caller are calls', () => {
  const calls = [{ tool_index: 0, name: 'pay', parameters: '{"amount":25000}' }];
  const body = JSON.stringify({ normal_text: 'One moment.', calls });
  const { facts, defects } = readAs(null, openai, 'served.calls', body);
  expect(defects).toEqual([]);
  expect(facts).toMatchObject({
    text: 'One moment.',
    toolCalls: [{ name: 'pay', arguments: { amount: 25_000 } }],
  });
  const toolCalls = [{ id: '#1', arguments: { amount: 5 } }];
  const changed = amended(null, openai, 'served.calls', body, { toolCalls });
  expect(JSON.parse(changed).calls[0].parameters).toBe('{"amount":5}');
});

test('what a server is given in KServe’s form, and says in it, has its words for rules', () => {
  const words = { name: 'text_input', datatype: 'BYTES', shape: [1], data: ['SECRET'] };
  const { facts } = asked(openai, 'served.generate', { inputs: [words] });
  expect(facts.text).toContain('SECRET');
  const answer = JSON.stringify({ model_name: 'm', outputs: [words] });
  expect(readAs(null, openai, 'served.generate', answer).facts.text).toContain('SECRET');
});

// https://docs.litellm.ai/docs/pass_through/cohere
test('Cohere’s chat behind a gateway has its calls for rules, and none in pieces goes on unseen', () => {
  const call = { id: 'c', type: 'function', function: { name: 'pay', arguments: '{"amount":25000}' } };
  const body = JSON.stringify({ message: { role: 'assistant', tool_plan: 'Hm.', tool_calls: [call] } });
  expect(readAs(null, openai, 'served.any', body).facts.toolCalls).toMatchObject([
    { name: 'pay', arguments: { amount: 25_000 } },
  ]);
  const said = (type: string, fn: object) => ({
    type,
    index: 0,
    delta: { message: { tool_calls: { function: fn } } },
  });
  const stream = events(
    said('tool-call-start', { name: 'pay', arguments: '' }),
    said('tool-call-delta', { arguments: '{"amount":25000}' }),
  );
  expect(readAs('sse', openai, 'served.any', stream).defects).not.toEqual([]);
});

// https://learn.microsoft.com/azure/machine-learning/how-to-deploy-models-llama
test.each([
  { input_data: { input_string: [{ role: 'user', content: 'SECRET' }], parameters: {} } },
  { question: 'SECRET', chat_history: [] },
  { chat_input: 'Hi', chat_history: [{ inputs: { question: 'SECRET' } }] },
  { text_1: 'Hi', text_2: 'SECRET' },
  // https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/pooling/scoring/protocol.py
  { data_1: 'Hi', data_2: ['SECRET'] },
  { queries: 'SECRET', documents: ['Hi'] },
  { queries: ['Hi'], items: { content: [{ type: 'text', text: 'SECRET' }] } },
])('what is asked of an endpoint that scores, and what it answers, has its words for rules: %j', (body) => {
  expect(asked(openai, 'served.any', body).facts.text).toContain('SECRET');
  expect(readAs(null, openai, 'served.any', '{"output":"SECRET"}').facts.text).toBe('SECRET');
});
