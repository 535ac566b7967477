/** How an answer ends, and what of it stays, whose call is amended or taken out. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import type { Amendment } from '../../../src/provider/protocol.ts';
import { amended, payCall as fn, readAs } from './lines.ts';
import { events } from './streams.ts';

const openai = protocolOf('openai');
const anthropic = protocolOf('anthropic');
const done = 'data: [DONE]\n\n';
const toFive: Amendment = { toolCalls: [{ id: 'a', arguments: { n: 5 } }] };
const withoutFirst: Amendment = { withheld: ['a'] };
const chunk = (delta: object, members: object = {}) => ({
  id: 'c',
  choices: [{ index: 0, delta, finish_reason: null, ...members }],
});
const use = (type: string, id: string, n: number) => ({ type, id, name: 'pay', input: { n } });

describe('of a streamed completion', () => {
  const stream = (first: object, ...rest: readonly object[]) =>
    events(chunk(first), ...rest, chunk({}, { finish_reason: 'tool_calls' }), done);
  const callOf = (n: number) => ({ tool_calls: [{ index: 0, ...fn('a', n) }] });

  test('the end asks for no tool where all of its calls are taken out', () => {
    const held = stream({ role: 'assistant', content: 'x' }, chunk(callOf(25_000)));
    expect(amended('sse', openai, 'chat.completions', held, withoutFirst)).toContain(
      '"finish_reason":"stop"',
    );
  });

  test.each([
    ['once where it did before the call', stream({ role: 'assistant', content: 'x' }, chunk(callOf(1)))],
    ['with the call where it did not', stream(callOf(1))],
  ])('an amended answer says whose it is %s', (_when, held) => {
    const out = amended('sse', openai, 'chat.completions', held, toFive);
    expect(out.match(/"role":"assistant"/g)).toHaveLength(1);
  });
});

test('a new text of a completion has none of the notes that point into the one before', () => {
  const annotations = [
    { type: 'url_citation', url_citation: { start_index: 0, end_index: 5, title: '25000' } },
  ];
  const message = { role: 'assistant', content: 'Old.', annotations };
  const held = { choices: [{ index: 0, finish_reason: 'stop', message }] };
  expect(amended(null, openai, 'chat.completions', JSON.stringify(held), { text: 'fine' })).toContain(
    '"annotations":[]',
  );
});

describe('of a message whose call is taken out', () => {
  const without = (content: readonly object[], id: string) =>
    JSON.parse(
      amended(null, anthropic, 'messages', JSON.stringify({ content, stop_reason: 'tool_use' }), {
        withheld: [id],
      }),
    );

  test('the end asks for no tool where those that are left are its server’s', () => {
    const left = use('mcp_tool_use', 'b', 1);
    expect(without([use('tool_use', 'a', 25_000), left], 'a')).toEqual({
      content: [left],
      stop_reason: 'end_turn',
    });
  });

  test('what is no answer to a call stays, where that had no id', () => {
    const thinking = { type: 'thinking', thinking: 'Hm.', signature: 's' };
    const nameless = { type: 'tool_use', name: 'pay', input: { n: 25_000 } };
    const [found] = readAs(
      null,
      anthropic,
      'messages',
      JSON.stringify({ content: [thinking, nameless], stop_reason: 'tool_use' }),
    ).facts.toolCalls;
    expect(without([nameless, thinking], found?.id ?? '').content).toEqual([thinking]);
  });
});

test('a block that is not known to be a call is not taken out as one: what else tells it is not known either', () => {
  const content = [{ type: 'novel', id: 'a', input: { n: 25_000 } }, use('tool_use', 'b', 1)];
  expect(() => amended(null, anthropic, 'messages', JSON.stringify({ content }), withoutFirst)).toThrow(
    /a novel has no arguments of its own/,
  );
});
