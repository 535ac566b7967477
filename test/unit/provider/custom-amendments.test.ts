/** The input of a custom tool is a text, and stays one when a reviewer writes another. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import type { OperationName, StreamForm } from '../../../src/provider/protocol.ts';
import { amended, codeOf, readAs } from './lines.ts';
import { events } from './streams.ts';

const openai = protocolOf('openai');
const call = { id: 'a', type: 'custom', custom: { name: 'sh', input: 'rm -r /' } };
const item = { type: 'custom_tool_call', id: 'i', call_id: 'a', name: 'sh', input: 'rm -r /' };
const message = { role: 'assistant', tool_calls: [call] };
const choice = { index: 0, finish_reason: 'tool_calls' };
const stream = events(
  { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] } }] },
  { choices: [{ ...choice, delta: {} }] },
  'data: [DONE]\n\n',
);
const answers: readonly (readonly [OperationName, StreamForm | null, string])[] = [
  ['chat.completions', null, JSON.stringify({ choices: [{ ...choice, message }] })],
  ['chat.completions', 'sse', stream],
  ['responses', null, JSON.stringify({ status: 'completed', output: [item] })],
];

test.each(answers)('as a text or as it is shown: %s %s', (operation, form, answer) => {
  const write = (value: unknown): string =>
    amended(form, openai, operation, answer, { toolCalls: [{ id: 'a', arguments: value }] });
  for (const value of ['ls', { input: 'ls' }]) {
    const { toolCalls } = readAs(form, openai, operation, write(value)).facts;
    expect(toolCalls.map(({ argumentsText }) => argumentsText)).toEqual(['ls']);
  }
  for (const value of [{ input: 5 }, { command: 'ls' }, 5, null])
    expect(codeOf(() => write(value))).toBe('invalid_argument');
});
