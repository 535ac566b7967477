/** What is amended in a response stands in no other member of it. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import type { Amendment, StreamForm } from '../../../../src/provider/protocol.ts';
import { amended } from '../lines.ts';
import { typedEvents } from '../streams.ts';

const toFive: Amendment = { toolCalls: [{ id: 'a', arguments: { n: 5 } }] };
const call = (n: number) => ({
  type: 'function_call',
  id: 'i',
  call_id: 'a',
  name: 'pay',
  arguments: JSON.stringify({ n }),
  token_ids: [25_000],
});
const spokenAgain = {
  output_messages: [{ message: '25000', tokens: [1] }],
  debug_output: { chunks: ['25000'] },
};
const responseOf = (item: object) => ({ id: 'r', status: 'completed', output: [item], ...spokenAgain });
const message = { type: 'message', content: [{ type: 'output_text', text: '25000', annotations: [] }] };
const about = { item_id: 'i', output_index: 0 };
const piece = { ...about, logprobs: ['25000'], token_ids: [25_000], obfuscation: '25000' };
const responseStream = typedEvents(
  { type: 'response.created', response: { id: 'r', status: 'in_progress', output: [] } },
  { type: 'response.output_item.added', ...about, item: { ...call(0), arguments: '', token_ids: null } },
  { type: 'response.function_call_arguments.delta', ...piece, delta: '{"n":25000}' },
  { type: 'response.function_call_arguments.done', ...piece, arguments: '{"n":25000}' },
  { type: 'response.output_item.done', ...about, item: call(25_000) },
  { type: 'response.completed', response: responseOf(call(25_000)) },
);

test.each<[string, StreamForm | null, string, Amendment]>([
  ['a call', null, JSON.stringify(responseOf(call(25_000))), toFive],
  ['a text', null, JSON.stringify(responseOf(message)), { text: 'fine' }],
  ['a streamed call', 'sse', responseStream, toFive],
])('what is amended is not said again of %s', (_name, form, answer, amendment) => {
  expect(amended(form, protocolOf('openai'), 'responses', answer, amendment)).not.toContain('25000');
});
