/** Llama Stack's own chat, as its clients ask it and read its answers (https://github.com/llamastack/llama-stack-client-python). */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { amended, asked, codeOf, readAs } from '../lines.ts';
import { events } from '../streams.ts';

const openai = protocolOf('openai');
const operation = 'llamastack.chat';
const text = (said: string) => ({ type: 'text', text: said });
const newer = { call_id: 'c', tool_name: 'pay', arguments: '{"amount":25000}' };
const older = { ...newer, arguments: { amount: 25_000 }, arguments_json: '{"amount":25000}' };
const paid = { id: 'c', name: 'pay', arguments: { amount: 25_000 }, argumentsText: '{"amount":25000}' };
const answer = (message: object, more: object = {}) =>
  JSON.stringify({ completion_message: { role: 'assistant', ...message }, logprobs: null, ...more });
const event = (delta: object, type = 'progress', reason: string | null = null) => ({
  metrics: null,
  event: { event_type: type, delta, logprobs: null, stop_reason: reason },
});
const end = event(text(''), 'complete', 'end_of_turn');

test.each([
  ['/v1/inference/chat-completion', operation],
  ['/v1/inference/completion', 'hosted.model'],
  ['/v1/inference/embeddings', 'hosted.model'],
])('POST %s is %s', (path, known) => {
  expect(openai.operationOf('POST', path)).toBe(known);
});

test.each([
  ['completion', { model_id: 'm', content: 'SECRET' }],
  ['embeddings', { model_id: 'm', contents: ['SECRET'] }],
])('the words of a request to inference/%s are read, and its model', (path, body) => {
  const { facts, defects } = asked(openai, 'hosted.model', body, `/v1/inference/${path}`);
  expect([facts.model, facts.text.includes('SECRET'), defects]).toEqual(['m', true, []]);
});

describe('a request', () => {
  test('has its model, words, calls and tools', () => {
    const { facts, defects } = asked(openai, operation, {
      model_id: 'm',
      stream: true,
      sampling_params: { max_tokens: 5 },
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: text('One'), context: 'Two' },
        { role: 'user', content: [text('Three'), { type: 'image', image: { data: 'AAAA' } }, 'Four'] },
        { role: 'assistant', content: '', stop_reason: 'end_of_turn', tool_calls: [older] },
        { role: 'tool', call_id: 'c', content: 'Five' },
      ],
      tools: [{ tool_name: 'pay', description: 'Pays.', parameters: {} }],
    });
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({
      ...{ model: 'm', stream: true, system: 'Be brief.', tools: [{ name: 'pay', description: 'Pays.' }] },
      text: 'Be brief.\nOne\nTwo\nThree\nFour\nFive',
    });
    expect(facts.messages.flatMap(({ toolCalls }) => toolCalls)).toEqual([paid]);
  });

  test('may name its model as other chats do', () => {
    expect(asked(openai, operation, { model: 'm', messages: [] }).facts.model).toBe('m');
  });

  test('with a member twice, or that is no object, has a defect', () => {
    for (const body of ['{"model_id":"a","model_id":"b"}', '[]', '{'])
      expect(asked(openai, operation, body).defects).not.toEqual([]);
  });
});

describe('a whole answer', () => {
  test.each([
    ['newer', newer],
    ['older', older],
  ])('has its words and the calls of %s servers', (_which, call) => {
    const bytes = answer({ content: text('Hi'), stop_reason: 'end_of_turn', tool_calls: [call] });
    const { facts, defects } = readAs(null, openai, operation, bytes);
    expect(defects).toEqual([]);
    expect(facts).toMatchObject({ text: 'Hi', finishReason: 'end_of_turn', toolCalls: [paid] });
  });

  test.each([
    ['arguments that differ', answer({ content: '', tool_calls: [{ ...older, arguments: { amount: 5 } }] })],
    ['a call beside its message', answer({ content: 'Hi' }, { more: { tool_calls: [newer] } })],
    ['choices too', answer({ content: 'Hi' }, { choices: [{ message: { content: 'SECRET' } }] })],
    ['no message', '{}'],
  ])('with %s cannot be read', (_what, bytes) => {
    expect(readAs(null, openai, operation, bytes).defects).toHaveLength(1);
  });

  test('is not rewritten', () => {
    const rewritten = () => amended(null, openai, operation, answer({ content: 'Hi' }), { text: 'No.' });
    expect(codeOf(rewritten)).toBe('invalid_argument');
  });
});

describe('a stream', () => {
  test('has its words as they come, and its calls withheld', () => {
    const pieces = ['{"amo', 'unt":'].map((tool_call) =>
      event({ type: 'tool_call', tool_call, parse_status: 'in_progress' }),
    );
    const whole = event({ type: 'tool_call', tool_call: newer, parse_status: 'succeeded' });
    const begun = event(text(''), 'start');
    const bytes = events(begun, event(text('One ')), event(text('moment.')), ...pieces, whole, end);
    const { facts, defects, kinds, complete } = readAs('sse', openai, operation, bytes);
    expect(kinds).toEqual(['other', 'text', 'text', 'tool', 'tool', 'tool', 'other']);
    expect([defects, complete]).toEqual([[], true]);
    expect(facts).toMatchObject({ text: 'One moment.', finishReason: 'end_of_turn', toolCalls: [paid] });
  });

  test.each([
    ['with ids of their own', { call_id: 'd' }],
    ['without', { call_id: undefined }],
  ])('has each of several calls, %s', (_what, other) => {
    const told = [newer, { ...newer, ...other }].map((tool_call) =>
      event({ type: 'tool_call', tool_call, parse_status: 'succeeded' }),
    );
    const { facts, defects } = readAs('sse', openai, operation, events(...told, end));
    expect([facts.toolCalls.map(({ name }) => name), defects]).toEqual([['pay', 'pay'], []]);
  });

  test('has the text of a call that never came whole', () => {
    const failed = event({ type: 'tool_call', tool_call: 'SECRET', parse_status: 'failed' });
    expect(readAs('sse', openai, operation, events(failed, end)).facts.text).toBe('SECRET');
  });

  test('ends with the event that says so, whether or not it says why', () => {
    const { complete } = readAs('sse', openai, operation, events(event(text('Hi'), 'complete')));
    expect(complete).toBe(true);
  });

  test('is not complete without its end, and has failed with an error', () => {
    expect(readAs('sse', openai, operation, events(event(text('Hi')))).complete).toBe(false);
    const error = { error: { message: 'x' } };
    expect(readAs('sse', openai, operation, events(error))).toMatchObject({ failed: true, kinds: ['error'] });
  });

  test.each([
    ['a call beside its delta', { ...event(text('Hi')), more: { tool_calls: [newer] } }],
    ['a call beside what it tells', { event: { ...event(text('Hi')).event, tool_calls: [newer] } }],
    ['choices too', { ...event(text('Hi')), choices: [{ delta: { content: 'SECRET' } }] }],
  ])('with %s cannot be read', (_what, one) => {
    const { kinds, defects } = readAs('sse', openai, operation, events(one, end));
    expect([kinds[0], defects.length]).toEqual(['tool', 1]);
  });
});

describe('an agent', () => {
  const turns = 'agents.sessions';

  test.each([
    ['POST', '/v1/agents/a/session/s/turn'],
    ['POST', '/v1/agents/a/session/s/turn/t/resume'],
    ['GET', '/v1/agents/a/session/s/turn/t'],
    ['GET', '/v1/agents/a/session/s'],
    ['GET', '/v1/agents/a/sessions'],
  ])('%s %s tells or asks what it does', (method, path) => {
    expect(openai.operationOf(method, path)).toBe(turns);
  });

  test('has the words that it is told, and the calls that it makes, for rules', () => {
    const body = { messages: [{ role: 'user', content: text('SECRET') }], stream: true };
    expect(asked(openai, turns, body).facts.text).toContain('SECRET');
    const step = (delta: object) => ({ event: { payload: { event_type: 'step_progress', delta } } });
    const made = step({ type: 'tool_call', tool_call: older, parse_status: 'succeeded' });
    const turn = { output_message: { role: 'assistant', content: 'One moment.', tool_calls: [older] } };
    const waits = { event: { payload: { event_type: 'turn_awaiting_input', turn } } };
    const bytes = events(step(text('One ')), step(text('moment.')), made, waits);
    const { facts, kinds, defects } = readAs('sse', openai, turns, bytes);
    expect([kinds, defects]).toEqual([['text', 'text', 'tool', 'tool'], []]);
    expect(facts.text).toContain('One moment.');
    expect(facts.toolCalls.flatMap(({ alsoAs = [] }) => alsoAs)).toMatchObject([
      { name: 'pay', arguments: { amount: 25_000 } },
    ]);
  });
});
