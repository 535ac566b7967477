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

const answers: readonly (readonly ['anthropic' | 'openai', OperationName, StreamForm | null, string])[] = [
  ['anthropic', 'messages', null, message],
  ['anthropic', 'messages', 'sse', messageStream],
  ['openai', 'chat.completions', null, completion],
  ['openai', 'chat.completions', 'sse', completionStream],
];

test.each(answers)('is no call any more: %s %s %s', (family, operation, form, answer) => {
  const protocol = protocolOf(family);
  const endWithout = (...withheld: string[]): string =>
    readAs(form, protocol, operation, amended(form, protocol, operation, answer, { withheld })).facts
      .finishReason;
  const [call, none] = family === 'anthropic' ? ['tool_use', 'end_turn'] : ['tool_calls', 'stop'];
  expect(endWithout('a', 'b')).toBe(none);
  expect(endWithout('a')).toBe(call);
});
