/**
 * Calls that LiteLLM hands on otherwise than an answer has them
 * (https://github.com/BerriAI/litellm/tree/main/litellm/litellm_core_utils/llm_response_utils).
 */
import { describe, expect, test } from 'vitest';
import type { ResponseFacts } from '../../../src/core/facts.ts';
import type { ProtocolName } from '../../../src/core/protocol-name.ts';
import { expressionCompiler } from '../../../src/policy/expression.ts';
import { Variables } from '../../../src/policy/views.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { requestFacts } from '../policy/support.ts';
import { amended, asked, lines, readAs } from './lines.ts';
import { events } from './streams.ts';

const openai = protocolOf('openai');
const ollama = protocolOf('ollama');
const chat = 'chat.completions';
const done = 'data: [DONE]\n\n';

const compile = expressionCompiler();
const rule = compile(
  'response',
  'response.toolCalls.exists(c, c.name == "pay" && has(c.arguments.amount) && num(c.arguments.amount) > 10000.0)',
);
const paysMuch = (response: ResponseFacts): boolean =>
  rule.matches(new Variables({ request: requestFacts(), response }));

const call = (name: string, handed: object, more: object = {}) => ({
  id: 'a',
  type: 'function',
  function: { name, ...handed },
  ...more,
});
const completion = (...calls: readonly object[]) =>
  JSON.stringify({
    choices: [
      { index: 0, message: { role: 'assistant', content: null, tool_calls: calls }, finish_reason: 'stop' },
    ],
  });
const chunk = (...calls: readonly object[]) => ({
  choices: [{ index: 0, delta: { tool_calls: calls }, finish_reason: null }],
});

describe('calls that a model wrote into one, which LiteLLM takes apart,', () => {
  const parallel = 'multi_tool_use.parallel';
  const uses = (amount: number) => ({
    tool_uses: [
      { recipient_name: 'functions.look', parameters: {} },
      { recipient_name: 'functions.pay', parameters: { amount } },
    ],
  });
  const written = (amount: number) => ({ arguments: JSON.stringify(uses(amount)) });
  const whole = completion(call(parallel, written(25_000)));

  test('are seen by rules as the calls that they become, whole and streamed', () => {
    const streamed = events(chunk(call(parallel, written(25_000), { index: 0 })), done);
    for (const [form, bytes] of [[null, whole] as const, ['sse', streamed] as const]) {
      const { facts, defects } = readAs(form, openai, chat, bytes);
      expect([facts.toolCalls.map(({ name }) => name), defects]).toEqual([[parallel], []]);
      expect(paysMuch(facts)).toBe(true);
    }
    expect(paysMuch(readAs(null, openai, chat, completion(call(parallel, written(5)))).facts)).toBe(false);
  });

  test.each<[ProtocolName, string, object]>([
    [
      'anthropic',
      'messages',
      { content: [{ type: 'tool_use', id: 'a', name: parallel, input: uses(25_000) }], usage: {} },
    ],
    [
      'ollama',
      'chat',
      { message: { tool_calls: [call(parallel, { arguments: uses(25_000) })] }, done: true },
    ],
  ])('are so in answers of %s, which a gateway makes one of OpenAI’s', (family, operation, body) => {
    expect(paysMuch(readAs(null, protocolOf(family), operation, JSON.stringify(body)).facts)).toBe(true);
  });

  test('are those of an amended one once it is amended', () => {
    const toolCalls = [{ id: 'a', arguments: uses(5) }];
    const { facts } = readAs(null, openai, chat, amended(null, openai, chat, whole, { toolCalls }));
    expect(facts.toolCalls[0]?.alsoAs).toEqual([
      { name: 'look', arguments: {}, argumentsText: '{}' },
      { name: 'pay', arguments: { amount: 5 }, argumentsText: '{"amount":5}' },
    ]);
  });

  test('hand nothing over where they have no parameters, and are none without a name', () => {
    const odd = {
      tool_uses: [{ recipient_name: 'look' }, { recipient_name: '' }, { parameters: {} }, 'pay'],
    };
    const bytes = completion(call(parallel, { arguments: JSON.stringify(odd) }));
    expect(readAs(null, openai, chat, bytes).facts.toolCalls[0]?.alsoAs).toEqual([
      { name: 'look', arguments: {}, argumentsText: '{}' },
    ]);
  });

  test('are seen in what some client alone hands over', () => {
    const bytes = completion(call(parallel, { parameters: uses(25_000) }));
    expect(paysMuch(readAs(null, openai, chat, bytes).facts)).toBe(true);
  });

  test('are a defect where there are more than rules judge', () => {
    const many = { tool_uses: Array.from({ length: 1_001 }, () => ({ recipient_name: 'look' })) };
    const bytes = completion(call(parallel, { arguments: JSON.stringify(many) }));
    expect(readAs(null, openai, chat, bytes).defects).toEqual(['more than 1000 tool calls']);
  });
});

describe('what a call has as `parameters`, which LiteLLM hands on where it has no arguments,', () => {
  const handed = { parameters: { amount: 25_000 } };

  test('is seen by rules beside the call that hands nothing over', () => {
    const { facts, defects } = readAs(null, openai, chat, completion(call('pay', handed)));
    expect(defects).toEqual([]);
    expect(facts.toolCalls[0]).toMatchObject({ arguments: {}, argumentsText: '' });
    expect(paysMuch(facts)).toBe(true);
    const answer = JSON.stringify({ message: { tool_calls: [call('pay', handed)] }, done: true });
    expect(paysMuch(readAs(null, ollama, 'chat', answer).facts)).toBe(true);
  });

  test('is nothing beside arguments', () => {
    const both = completion(call('pay', { ...handed, arguments: '{"amount":5}' }));
    expect(paysMuch(readAs(null, openai, chat, both).facts)).toBe(false);
  });

  test('is a defect of a stream, in whose pieces nobody could tell what is whole', () => {
    const stream = events(chunk(call('pay', handed, { index: 0 })), done);
    expect(readAs('sse', openai, chat, stream).defects).toEqual([
      'the arguments of a tool call stand in another member',
    ]);
  });

  test('may be said of a call of an earlier turn', () => {
    const messages = [{ role: 'assistant', content: null, tool_calls: [call('pay', handed)] }];
    const { facts, defects } = asked(openai, chat, { model: 'm', messages });
    expect(defects).toEqual([]);
    expect(facts.messages[0]?.toolCalls[0]?.alsoAs?.[0]?.arguments).toEqual({ amount: 25_000 });
  });
});

describe('calls that say no place, all of which LiteLLM puts at the first,', () => {
  const look = call('look', { arguments: '{"amount":25000}' });
  const pay = (written: string) => call('pay', { arguments: written }, { id: 'b' });

  test('are a defect where one without arguments gets those of another', () => {
    const stream = events(chunk(look, pay('')), done);
    expect(readAs('sse', openai, chat, stream).defects).toEqual([
      'pieces of one tool call may belong to another',
    ]);
    const beside = events(chunk({ ...look, index: 0 }, pay('')), done);
    expect(readAs('sse', openai, chat, beside).defects).not.toEqual([]);
  });

  test('are read each for itself where all are whole, as those that say their place are', () => {
    const placed = events(chunk({ ...look, index: 0 }, { ...pay(''), index: 1 }), done);
    for (const stream of [events(chunk(look, pay('{}')), done), placed]) {
      const { facts, defects } = readAs('sse', openai, chat, stream);
      expect([facts.toolCalls.map(({ name }) => name), defects]).toEqual([['look', 'pay'], []]);
    }
  });

  test('are so in a stream of Ollama, but not in a whole answer', () => {
    const first = { message: { tool_calls: [call('look', { arguments: { amount: 25_000 } })] } };
    const second = { message: { tool_calls: [call('pay', {})] }, done: true };
    const streamed = lines(first, second);
    expect(readAs('ndjson', ollama, 'chat', streamed).defects).toEqual([
      'pieces of one tool call may belong to another',
    ]);
    const both = { message: { tool_calls: [...first.message.tool_calls, ...second.message.tool_calls] } };
    expect(readAs(null, ollama, 'chat', JSON.stringify(both)).defects).toEqual([]);
    expect(readAs('ndjson', ollama, 'chat', lines(second)).defects).toEqual([]);
  });
});

test('a call of the old form in a message of Ollama, which LiteLLM takes for one of OpenAI’s, is a call', () => {
  const legacy = { function_call: { name: 'pay', arguments: '{"amount":25000}' } };
  const body = JSON.stringify({ message: { role: 'assistant', content: '', ...legacy }, done: true });
  const { facts, defects } = readAs(null, ollama, 'chat', body);
  expect([paysMuch(facts), defects]).toEqual([true, []]);
  const both = { message: { tool_calls: [call('look', { arguments: {} })], ...legacy }, done: true };
  expect(paysMuch(readAs(null, ollama, 'chat', JSON.stringify(both)).facts)).toBe(true);
});

test('a line within a line of Ollama’s, which Python’s readers find at a carriage return, is a defect', () => {
  const within = JSON.stringify({ model: 'm', done: false, message: { tool_calls: [call('pay', {})] } });
  const stream = `{"model":"m","x":\r${within}\r,"message":{"content":"Hi"}}\n${lines({ done: true })}`;
  const { kinds, defects } = readAs('ndjson', ollama, 'chat', stream);
  expect([kinds[0], defects]).toEqual(['tool', ['a line of the stream may be read as several']]);
  const said = readAs('ndjson', ollama, 'chat', '{"message":\r{"content":"Hi"}}\n');
  expect(said.kinds).toEqual(['tool']);
  const ended = `\r${JSON.stringify({ message: { content: 'Hi' }, done: true })}\r\r\n`;
  expect(readAs('ndjson', ollama, 'chat', ended).defects).toEqual([]);
});
