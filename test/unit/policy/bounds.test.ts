/** Facts beyond what rules walk: reading them fails, so the rule holds. */
import { describe, expect, it } from 'vitest';
import type { MessageFact, RequestFacts } from '../../../src/core/facts.ts';
import { argumentsDepthMax, argumentsValuesMax, listItemsMax } from '../../../src/policy/bounds.ts';
import { call, facts, judgeOf } from './support.ts';

describe('what goes over a bound holds instead of being cut short', () => {
  const many = (length: number) => Array.from({ length }, (_, index) => index);
  const deep = (depth: number) => many(depth).reduce<unknown>((inner) => [inner], 'x');

  it.each([
    [
      'tool calls',
      'response.toolCalls.exists(c, c.name == "x")',
      { toolCalls: many(listItemsMax + 1).map(() => call('f')) },
    ],
    [
      'items in arguments',
      'response.toolCalls.exists(c, c.arguments.a == 1)',
      { toolCalls: [call('f', { a: many(listItemsMax + 1) })] },
    ],
    [
      'keys in arguments',
      'response.toolCalls.exists(c, c.arguments.a == 1)',
      { toolCalls: [call('f', Object.fromEntries(many(listItemsMax + 1).map((key) => [`k${key}`, 1])))] },
    ],
    [
      'nesting in arguments',
      'response.toolCalls.exists(c, c.arguments.a == 1)',
      { toolCalls: [call('f', { a: deep(argumentsDepthMax + 1) })] },
    ],
    [
      'values in arguments',
      'response.toolCalls.exists(c, c.arguments.a == 1)',
      {
        toolCalls: [
          call(
            'f',
            many(argumentsValuesMax / listItemsMax + 2).map(() => many(listItemsMax)),
          ),
        ],
      },
    ],
    [
      'a number in arguments that no double holds',
      'response.toolCalls.exists(c, c.arguments.price - c.arguments.paid > 100.0)',
      { toolCalls: [call('f', JSON.parse('{"price":1e999,"paid":1e999}'))] },
    ],
    [
      'such a number within a map of them',
      'response.toolCalls.exists(c, c.arguments.order.price - c.arguments.order.paid > 100.0)',
      { toolCalls: [call('f', JSON.parse('{"order":{"price":1e999,"paid":1e999}}'))] },
    ],
    [
      'such a number that is all of them',
      'response.toolCalls.exists(c, c.arguments - c.arguments > 100.0)',
      { toolCalls: [call('f', JSON.parse('1e999'))] },
    ],
  ])('%s', (_, when, response) => {
    expect(judgeOf({ when }).judge('response', facts(response)).matches).toMatchObject([
      { action: 'hold', error: expect.stringContaining('ha') },
    ]);
  });

  it('messages and labels', () => {
    const message: MessageFact = { role: 'user', text: '', toolCalls: [] };
    const given = facts(
      {},
      { messages: many(listItemsMax + 1).map(() => message) },
      many(listItemsMax + 1).map(String),
    );
    for (const when of ['request.messages.exists(m, m.role == "x")', '"x" in labels']) {
      expect(judgeOf({ when }).judge('response', given).action).toBe('hold');
    }
  });

  const wide = Object.fromEntries(many(listItemsMax + 1).map((key) => [`k${key}`, '1']));
  const tool = { name: 't', description: '' };
  it.each<[string, string, Partial<RequestFacts>]>([
    ['request.params', 'has(request.params.x)', { params: wide }],
    ['request.params', 'has(request.params.x)', { params: { x: deep(argumentsDepthMax + 1) } }],
    ['request.headers', 'has(request.headers.x)', { headers: wide }],
    ['request.tools', 'size(request.tools) == 0', { tools: many(listItemsMax + 1).map(() => tool) }],
    [
      'request.unjudgedFiles',
      'size(request.unjudgedFiles) == 0',
      { unjudgedFiles: many(listItemsMax + 1).map(String) },
    ],
  ])('%s', (name, when, request) => {
    const judged = judgeOf({ when, phase: 'request' }).judge('request', facts({}, request));
    expect(judged.matches).toMatchObject([{ action: 'hold', error: expect.stringContaining(name) }]);
  });

  it('what a tool call is known as besides', () => {
    const alsoAs = many(listItemsMax).map((place) => call(`f${place}`));
    const judged = judgeOf({ when: 'response.toolCalls.exists(c, c.name == "x")' }).judge(
      'response',
      facts({ toolCalls: [{ ...call('f'), alsoAs }] }),
    );
    expect(judged.action).toBe('hold');
  });

  it('nesting so deep that recursion would fail', () => {
    const given = facts({ toolCalls: [{ ...call('f'), arguments: deep(200_000) }] });
    expect(
      judgeOf({ when: 'response.toolCalls.exists(c, texts(c.arguments) == "x")' }).judge('response', given)
        .action,
    ).toBe('hold');
  });

  it('but a rule that does not read it is not held up by it', () => {
    const given = facts({ text: 'y', toolCalls: many(listItemsMax + 1).map(() => call('f')) });
    expect(judgeOf({ when: 'response.text == "x"' }).judge('response', given).action).toBe('pass');
  });
});
