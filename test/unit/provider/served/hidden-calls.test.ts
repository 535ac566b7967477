/** Calls and words of hosted models that an answer says something else of, or that stand beside a call. */
import { expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { readAs } from '../lines.ts';
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
