/** Answers at the route of chats that are those of another API, as Meta's are (https://github.com/meta-llama/llama-api-python). */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { readAs } from '../lines.ts';
import { events } from '../streams.ts';

const openai = protocolOf('openai');
const chat = 'chat.completions';
const done = 'data: [DONE]\n\n';
const call = { id: 'c', function: { name: 'pay', arguments: '{"amount":25000}' } };
const completion = { role: 'assistant', content: { type: 'text', text: '' }, tool_calls: [call] };
const delta = (said: object) => ({ id: 'x', event: { event_type: 'progress', delta: said } });
const stray = ['the answer has a tool call beside its choices'];

describe('a call beside the choices of a chat is a defect', () => {
  test('of a whole answer, with choices and without', () => {
    for (const choices of [[], [{ index: 0, message: { role: 'assistant', content: 'Hi' } }]]) {
      const body = JSON.stringify({ choices, completion_message: completion });
      expect(readAs(null, openai, chat, body).defects).toEqual(stray);
    }
    const alone = JSON.stringify({ completion_message: completion });
    expect(readAs(null, openai, chat, alone).defects).toEqual(['the answer has no `choices`']);
  });

  test('of a stream, in an event with choices and in one without', () => {
    const piece = delta({ type: 'tool_call', ...call });
    const choices = [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }];
    for (const event of [piece, { ...piece, choices }, { ...piece, error: { message: 'x' } }]) {
      const { kinds, defects } = readAs('sse', openai, chat, events(event, done));
      expect([kinds[0], defects]).toEqual(['tool', stray]);
    }
    const both = readAs('sse', openai, chat, events({ ...piece, choices }));
    expect(both.facts.text).toBe('Hi');
  });

  test('but not what offers tools, or counts', () => {
    const tools = [{ type: 'function', function: { name: 'pay', parameters: {} } }];
    const beside = { tools, tool_choice: tools[0], usage: { prompt_tokens: 1 }, service_tier: 'default' };
    const choices = [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }];
    expect(readAs(null, openai, chat, JSON.stringify({ choices, ...beside })).defects).toEqual([]);
    const said = { choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] };
    expect(readAs('sse', openai, chat, events(beside, said, done)).defects).toEqual([]);
  });
});

test('words in an event without choices are a defect', () => {
  const stream = events(delta({ type: 'text', text: 'SECRET' }), done);
  expect(readAs('sse', openai, chat, stream).defects).toEqual([
    'an event of the stream says something and has no choices',
  ]);
});
