/** Calls without an id of their own are named by their place, which another has where one before it is withheld. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { amended, codeOf, readAs } from './lines.ts';

const openai = protocolOf('openai');
const call = (n: number, id?: string) => ({
  ...{ type: 'function', function: { name: 'pay', arguments: `{"n":${n}}` } },
  ...(id === undefined ? {} : { id }),
});
const answer = (...calls: readonly object[]): string =>
  JSON.stringify({
    choices: [{ index: 0, finish_reason: 'tool_calls', message: { role: 'assistant', tool_calls: calls } }],
  });
const without = (bytes: string, ...withheld: string[]): string =>
  amended(null, openai, 'chat.completions', bytes, { withheld });

test.each([
  ['none has an id', answer(call(1), call(2)), '#1'],
  ['both have the same', answer(call(1, 'a'), call(2, 'a')), 'a'],
])('are told to be why an answer is not divided: %s', (_name, bytes, first) => {
  const dividing = (): string => without(bytes, first);
  expect(codeOf(dividing)).toBe('not_divisible');
  expect(dividing).toThrow(/those that are left have no id of their own/);
});

test('are withheld behind those that are left, which keep their names', () => {
  const left = without(answer(call(1), call(2), call(3)), '#2', '#3');
  const { toolCalls } = readAs(null, openai, 'chat.completions', left).facts;
  expect(toolCalls.map(({ id, argumentsText }) => [id, argumentsText])).toEqual([['#1', '{"n":1}']]);
});
