/** Vertex AI's reasoning engines: whatever an agent returns, its words and its calls are found. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { generatedAnswer } from '../../../property/provider/answers.ts';
import { asked, codeOf, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const vertex = protocolOf('vertex');
const at = '/v1/projects/p/locations/l/reasoningEngines/7';
const operation = 'reasoning_engines.query';
const read = (body: string) => readAs(null, vertex, operation, body);
const pay = { name: 'pay', args: { amount: 9 } };

test.each(['query', 'streamQuery', 'asyncQuery'])('POST :%s asks a reasoning engine', (verb) => {
  expect(vertex.operationOf('POST', `${at}:${verb}`)).toBe(operation);
});

test.each([
  ['POST', at],
  ['GET', '/v1/projects/p/locations/l/featureStores/7:query'],
])('%s %s asks none', (method, path) => {
  expect(vertex.operationOf(method, path)).toBe('unknown');
});

test.each(['classMethod', 'class_method'])('a request has its words, its engine and its %s', (name) => {
  const body = { [name]: 'stream_query', input: { user_id: 'u', message: 'Pay.' } };
  const { facts, defects } = asked(vertex, operation, body, `${at}:streamQuery`);
  expect(defects).toEqual([]);
  expect(facts).toMatchObject({
    text: 'u\nPay.',
    stream: true,
    params: { classMethod: 'stream_query', engine: '7' },
  });
});

describe('an answer', () => {
  test.each([
    ['Google’s agent kit', { output: { content: { parts: [{ function_call: { id: 'a', ...pay } }] } } }],
    [
      'the same in its other spelling',
      { output: [{ content: { parts: [{ functionCall: { id: 'a', ...pay } }] } }] },
    ],
    ['LangChain', { output: { messages: [{ tool_calls: [{ id: 'a', type: 'tool_call', ...pay }] }] } }],
    [
      'LangChain over OpenAI',
      {
        output: {
          additional_kwargs: {
            tool_calls: [{ id: 'a', function: { name: 'pay', arguments: '{"amount":9}' } }],
          },
        },
      },
    ],
    [
      'LangChain’s steps',
      { output: { actions: [{ tool: 'pay', tool_input: { amount: 9 }, tool_call_id: 'a', log: '' }] } },
    ],
  ])('has its calls in the form of %s', (_form, body) => {
    const { facts, defects } = read(JSON.stringify(body));
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toEqual([
      { id: 'a', name: 'pay', arguments: { amount: 9 }, argumentsText: '{"amount":9}' },
    ]);
  });

  test.each([
    ['a step of an older agent', { tool: 'look', tool_input: { functionCall: {} } }],
    ['a block of a message', { type: 'tool_use', name: 'look', input: { functionCall: {} } }],
    ['a part of a message', { data: { name: 'look', args: {} }, metadata: { adk_type: 'function_call' } }],
  ])('has the call that stands beside %s', (_what, first) => {
    const { facts } = read(JSON.stringify({ ...first, content: { parts: [{ function_call: pay }] } }));
    expect(facts.toolCalls.map(({ name }) => name)).toEqual(['look', 'pay']);
  });

  test('has a call once that a step and its message tell', () => {
    const step = { tool: 'pay', tool_input: pay.args, message_log: [{ tool_calls: [pay] }] };
    expect(read(JSON.stringify(step)).facts.toolCalls.map(({ name }) => name)).toEqual(['pay']);
  });

  test('has the words beside its output', () => {
    const { facts } = read(JSON.stringify({ output: '', content: { parts: [{ text: 'Paid.' }] } }));
    expect(facts.text).toBe('Paid.');
  });

  test('has its words, whether one text or one a line', () => {
    expect(read('{"output":"Hello"}').facts.text).toBe('Hello');
    const { facts, defects } = read('{"content":{"parts":[{"text":"Hel"}]}}\n"lo"\n\n{"n":1}\n');
    expect({ defects, text: facts.text }).toEqual({ defects: [], text: 'Hel\nlo' });
  });

  test.each(['<html>', '{"a":1}\n{"b', '{"a":1,"a":2}', '{"output":{"tool_calls":["x"]}}'])(
    'that cannot be read is a defect: %s',
    (body) => {
      expect(read(body).defects).not.toEqual([]);
    },
  );

  test('streams as events, its calls apart from its text', () => {
    const stream = events({ content: { parts: [{ text: 'Hm.' }] } }, { parts: [{ function_call: pay }] });
    const { kinds, facts, defects } = readAs('sse', vertex, operation, stream);
    expect({ kinds, defects }).toEqual({ kinds: ['text', 'tool'], defects: [] });
    expect(facts.toolCalls).toMatchObject([pay.args].map((value) => ({ name: 'pay', arguments: value })));
  });

  test('is not amended: its calls were made', () => {
    expect(codeOf(() => vertex.amendResponse(operation, Buffer.from('{}'), null, {}))).toBe(
      'invalid_argument',
    );
  });

  test('says the same whole and line by line, whatever calls it has', () => {
    fc.assert(
      fc.property(generatedAnswer, ({ calls }) => {
        const told = calls.map((call) => ({ function_call: { name: call.name, args: call.arguments } }));
        const whole = read(JSON.stringify({ output: told })).facts.toolCalls;
        const lines = read(told.map((one) => JSON.stringify({ output: one })).join('\n')).facts.toolCalls;
        expect(lines).toEqual(whole);
        expect(whole.map(({ name }) => name)).toEqual(calls.map(({ name }) => name));
      }),
      { numRuns: 100 },
    );
  });
});

describe('an agent that is asked by the Agent2Agent protocol', () => {
  // https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1beta1/projects.locations.reasoningEngines.a2a.v1.message/send
  test.each([
    ['POST', `${at}/a2a/v1/message:send`],
    ['POST', `${at}/a2a/v1/message:stream`],
    ['GET', `${at}/a2a/v1/tasks/t`],
  ])('%s %s', (method, path) => {
    expect(vertex.operationOf(method, path)).toBe(operation);
  });

  test('is told the words of the message', () => {
    const body = { request: { role: 'ROLE_USER', content: [{ text: 'Pay.' }] } };
    const { facts } = asked(vertex, operation, body, `${at}/a2a/v1/message:send`);
    expect(facts.text).toContain('Pay.');
    expect(facts.params).toMatchObject({ engine: '7' });
  });

  // https://google.github.io/adk-docs/a2a/: a call is a part of data, marked as one.
  test.each([
    ['data', { id: 'a', ...pay }],
    ['data within data', { data: { id: 'a', ...pay } }],
  ])('tells its calls as %s', (_how, data) => {
    const part = { data, metadata: { adk_type: 'function_call' } };
    const { facts } = read(JSON.stringify({ task: { status: { message: { content: [part] } } } }));
    expect(facts.toolCalls).toMatchObject([{ id: 'a', name: 'pay', arguments: { amount: 9 } }]);
  });
});

// https://docs.langchain.com/oss/python/langchain/messages, https://strandsagents.com and
// https://openai.github.io/openai-agents-python: what agents of other kits hand on as they had it from the model.
describe('a call as a block of a message is found', () => {
  test.each([
    ['Anthropic’s', { type: 'tool_use', id: 'a', name: 'pay', input: { amount: 9 } }],
    ['LangChain’s', { type: 'tool_call', id: 'a', name: 'pay', args: { amount: 9 } }],
    ['OpenAI’s', { type: 'function_call', call_id: 'a', name: 'pay', arguments: '{"amount":9}' }],
    ['Bedrock’s', { toolUse: { toolUseId: 'a', name: 'pay', input: { amount: 9 } } }],
  ])('%s', (_whose, block) => {
    const { facts, defects } = read(JSON.stringify({ output: { messages: [{ content: [block] }] } }));
    expect(defects).toEqual([]);
    expect(facts.toolCalls).toMatchObject([{ id: 'a', name: 'pay', arguments: { amount: 9 } }]);
  });
});
