/** Why an answer ended, where all calls that were for its caller are withheld. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import type { OperationName, StreamForm } from '../../../src/provider/protocol.ts';
import { amended, readAs } from './lines.ts';
import { events, typedEvents } from './streams.ts';

const use = (type: string, id: string) => ({ type, id, name: 'pay', input: {} });
const content = [use('server_tool_use', 's'), use('tool_use', 'a'), use('tool_use', 'b')];
const message = JSON.stringify({ content, stop_reason: 'tool_use' });
const messageStream = typedEvents(
  { type: 'message_start', message: { role: 'assistant', content: [] } },
  ...content.flatMap((content_block, index) => [
    { type: 'content_block_start', index, content_block },
    { type: 'content_block_stop', index },
  ]),
  { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
  { type: 'message_stop' },
);
const fn = (id: string) => ({ id, type: 'function', function: { name: 'pay', arguments: '{}' } });
const choices = [['a', 'b'], ['c']].map((ids, index) => ({ index, ids }));
const completion = JSON.stringify({
  choices: choices.map(({ index, ids }) => ({
    index,
    finish_reason: 'tool_calls',
    message: { role: 'assistant', tool_calls: ids.map(fn) },
  })),
});
const completionStream = events(
  ...choices.flatMap(({ index, ids }) =>
    ids.map((id, i) => ({ choices: [{ index, delta: { tool_calls: [{ index: i, ...fn(id) }] } }] })),
  ),
  { choices: choices.map(({ index }) => ({ index, delta: {}, finish_reason: 'tool_calls' })) },
  'data: [DONE]\n\n',
);

const part = (id: string, more: object = {}) => ({
  ...{ type: 'tool-call', toolCallId: id, toolName: 'pay', input: '{}' },
  ...more,
});
const parts = [part('s', { providerExecuted: true }), part('a'), part('b')];
const finish = { finishReason: { unified: 'tool-calls', raw: 'tool_use' } };
const gateway = JSON.stringify({ content: parts, ...finish });
const earlierGateway = JSON.stringify({ content: parts, finishReason: 'tool-calls' });
const gatewayStream = events(...parts, { type: 'finish', ...finish });

const answers: readonly (readonly ['anthropic' | 'openai', OperationName, StreamForm | null, string])[] = [
  ['anthropic', 'messages', null, message],
  ['anthropic', 'messages', 'sse', messageStream],
  ['openai', 'chat.completions', null, completion],
  ['openai', 'chat.completions', 'sse', completionStream],
  ['openai', 'gateway.model', null, gateway],
  ['openai', 'gateway.model', null, earlierGateway],
  ['openai', 'gateway.model', 'sse', gatewayStream],
];

const words: Readonly<Partial<Record<OperationName, readonly [call: string, none: string]>>> = {
  messages: ['tool_use', 'end_turn'],
  'chat.completions': ['tool_calls', 'stop'],
  'gateway.model': ['tool-calls', 'stop'],
};

test.each(answers)('is no call any more: %s %s %s', (family, operation, form, answer) => {
  const protocol = protocolOf(family);
  const endWithout = (...withheld: string[]): string =>
    readAs(form, protocol, operation, amended(form, protocol, operation, answer, { withheld })).facts
      .finishReason;
  const [call, none] = words[operation] ?? [];
  expect(endWithout('a', 'b')).toBe(none);
  expect(endWithout('a')).toBe(call);
});

test('stays where it was another', () => {
  const cut = JSON.stringify({ content: parts, finishReason: { unified: 'length', raw: 'max_tokens' } });
  const left = amended(null, protocolOf('openai'), 'gateway.model', cut, { withheld: ['a', 'b'] });
  expect(JSON.parse(left).finishReason).toEqual({ unified: 'length', raw: 'max_tokens' });
});

test('stays where no call was for the caller, whatever its provider said', () => {
  const { finishReason } = finish;
  const served = JSON.stringify({ content: parts.slice(0, 1), finishReason });
  const left = amended(null, protocolOf('openai'), 'gateway.model', served, { withheld: ['s'] });
  expect(JSON.parse(left).finishReason).toEqual(finishReason);
});

test('has the form that a gateway gave it, without its provider’s word for a call', () => {
  const endOf = (answer: string): unknown =>
    JSON.parse(amended(null, protocolOf('openai'), 'gateway.model', answer, { withheld: ['a', 'b'] }))
      .finishReason;
  expect([endOf(gateway), endOf(earlierGateway)]).toEqual([{ unified: 'stop' }, 'stop']);
});
