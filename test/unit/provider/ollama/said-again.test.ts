/** What is amended in an answer of Ollama stands in no other member of it, token by token. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import type { Amendment, OperationName, StreamForm } from '../../../../src/provider/protocol.ts';
import { amended, lines } from '../lines.ts';

const protocol = protocolOf('ollama');
const toFive: Amendment = { toolCalls: [{ id: 'a', arguments: { n: 5 } }] };
const ollama = {
  message: { role: 'assistant', content: '', tool_calls: [{ id: 'a', ...functionOf(25_000) }] },
  done: true,
  logprobs: [{ token: '25000' }],
};
function functionOf(n: number) {
  return { function: { name: 'pay', arguments: { n } } };
}

const ollamaSaying = { ...ollama, message: { ...ollama.message, content: 'Paying.' } };
const silent = { message: { role: 'assistant', content: '' }, done: false, logprobs: [{ token: '25000' }] };
const ollamaAhead = lines(silent, { ...ollama, logprobs: undefined });

test.each<[string, StreamForm | null, string]>([
  ['a call', null, JSON.stringify(ollama)],
  ['a streamed call', 'ndjson', lines(ollama)],
  ['a call with a text', 'ndjson', lines(ollamaSaying)],
  ['tokens ahead of a call', 'ndjson', ollamaAhead],
])('what is amended is not said again of %s', (_name, form, answer) => {
  expect(amended(form, protocol, 'chat', answer, toFive)).not.toContain('25000');
});

test.each<[OperationName, object, object]>([
  ['chat', { message: { role: 'assistant', content: 'Paying.' } }, ollama],
  ['chat', { message: { role: 'assistant', content: '', thinking: 'Pay?' } }, ollama],
  ['generate', { response: 'Paying.' }, { response: '', done: true, tool_calls: ollama.message.tool_calls }],
])('the tokens of what a %s showed before the first call stay', (operation, said, call) => {
  const shown = { ...said, done: false, logprobs: [{ token: 'kept' }] };
  expect(amended('ndjson', protocol, operation, lines(shown, call), toFive)).toContain('kept');
});
