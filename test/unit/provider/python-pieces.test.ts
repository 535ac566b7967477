/** Pieces of calls that Python clients, LiteLLM above all, pass over: they find several lines in one, or stop too early. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { amended, lines, readAs } from './lines.ts';
import { events } from './streams.ts';

const openai = protocolOf('openai');
const chat = 'chat.completions';
const done = 'data: [DONE]\n\n';
const cut = 'some clients pass over a piece of a tool call';

function piece(text: string, id = 'c'): object {
  const call = { index: 0, id: 'a', type: 'function', function: { name: 'pay', arguments: text } };
  return { id, choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: null }] };
}

describe('a piece of a call', () => {
  test.each(['\x85', '\u2028', '\u2029'])('in a line with %j is a defect', (end) => {
    const stream = events(piece('{"n":1'), piece('0', `c${end}`), piece('}'), done);
    expect(readAs('sse', openai, chat, stream).defects).toEqual([cut]);
  });

  test('in such a line of JSON, or in one behind the end, is one too', () => {
    const delta = (parameters: string, text = '') => ({
      event_type: 'tool-calls-chunk',
      tool_call_delta: { index: 0, name: 'pay', parameters },
      text,
    });
    const end = { event_type: 'stream-end', finish_reason: 'COMPLETE', response: {} };
    const behind = lines(delta('{"n":1'), end, delta('0}'));
    expect(readAs('ndjson', protocolOf('cohere'), 'chat.v1', behind).defects).toEqual([cut]);
    const stream = lines(delta('{"n":1'), delta('0', '\u2028'), delta('}'), end);
    expect(readAs('ndjson', protocolOf('cohere'), 'chat.v1', stream).defects).toEqual([cut]);
  });

  test('is none where the character is an escape', () => {
    const escaped = JSON.stringify(piece('{"n":1}', 'c\u2028')).replace('\u2028', '\\u2028');
    const { facts, defects } = readAs('sse', openai, chat, events(`data: ${escaped}\n\n`, done));
    expect([facts.toolCalls.length, defects]).toEqual([1, []]);
  });

  test('may have it in what a reviewer wrote', () => {
    const note = 'one\u2028two\u2029three\x85';
    const toolCalls = [{ id: 'a', arguments: { note } }];
    const changed = amended('sse', openai, chat, events(piece('{"n":1}'), done), { toolCalls });
    expect(readAs('sse', openai, chat, changed).facts.toolCalls[0]?.arguments).toEqual({ note });
  });
});

test('a text may have the character in it', () => {
  const text = { choices: [{ index: 0, delta: { content: 'a\u2028b' }, finish_reason: 'stop' }] };
  const { facts, defects } = readAs('sse', openai, chat, events(text, done));
  expect([facts.text, defects]).toEqual(['a\u2028b', []]);
});

// https://github.com/BerriAI/litellm/blob/main/litellm/llms/base_llm/base_model_iterator.py
describe('a call within which the word [DONE] stands, where LiteLLM stops,', () => {
  const word = { id: 'data: [DONE]', choices: [{ index: 0, delta: { content: 'x' } }] };

  test.each([
    ['in another event', [word, piece(',"to":"x"}')]],
    ['in a piece of it', [piece(',"to":"[DONE]"}')]],
  ])('%s, is judged as it was before it, too', (_where, after) => {
    const stream = events(piece('{"n":1'), ...after, done);
    const { facts, defects } = readAs('sse', openai, chat, stream);
    expect(facts.toolCalls).toMatchObject([{ alsoAs: [{ name: 'pay', arguments: { n: 1 } }] }]);
    expect(defects).toEqual([]);
  });

  test('is one alone where it is whole by then, or begins later', () => {
    const later = {
      ...piece(''),
      choices: [{ index: 0, delta: { tool_calls: [{ index: 1, id: 'b', function: { name: 'go' } }] } }],
    };
    const { facts } = readAs('sse', openai, chat, events(piece('{"n":1}'), word, later, done));
    expect(facts.toolCalls.map(({ name, alsoAs }) => [name, alsoAs])).toEqual([
      ['pay', undefined],
      ['go', undefined],
    ]);
  });
});
