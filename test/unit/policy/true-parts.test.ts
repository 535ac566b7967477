/** Of a rule that matched, what made it true. */
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../../src/core/facts.ts';
import { expressionCompiler } from '../../../src/policy/expression.ts';
import { partsMax, trueParts } from '../../../src/policy/true-parts.ts';
import { call, facts } from './support.ts';

const partsOf = (when: string, given: Facts) => trueParts(expressionCompiler()('response', when), given);
const shown = (when: string, given: Facts) =>
  partsOf(when, given).map(({ expression, values }) => [expression, ...values.map(({ value }) => value)]);

const transfer = facts({
  text: 'Done.',
  toolCalls: [call('get_weather', { city: 'Ulm' }), call('transfer_funds', { amount: 25_000, to: 'DE89' })],
});

describe('the true parts of a rule', () => {
  it('are the comparisons that the item of a list passed, with what they read and where', () => {
    const when =
      'response.toolCalls.exists(c, c.name == "transfer_funds" && num(c.arguments.amount) > 10000.0)';
    expect(partsOf(when, transfer)).toEqual([
      {
        expression: 'c.name == "transfer_funds"',
        bound: 'response.toolCalls[1].name == "transfer_funds"',
        values: [{ path: '/response/toolCalls/1/name', value: 'transfer_funds' }],
      },
      {
        expression: 'num(c.arguments.amount) > 10000.0',
        bound: 'num(response.toolCalls[1].arguments.amount) > 10000.0',
        values: [{ path: '/response/toolCalls/1/arguments/amount', value: '25000' }],
      },
    ]);
  });

  it('of a call by another of its names stand where the call has that', () => {
    const named = { ...call('mcp_call'), alsoAs: [call('delete_repo', { id: 7 })] };
    const when = 'response.toolCalls.exists(c, c.name == "delete_repo")';
    expect(partsOf(when, facts({ toolCalls: [named, call('look')] }))).toEqual([
      {
        expression: 'c.name == "delete_repo"',
        bound: 'response.toolCalls[2].name == "delete_repo"',
        values: [{ path: '/response/toolCalls/0/alsoAs/0/name', value: 'delete_repo' }],
      },
    ]);
  });

  it('are of an or those that are true, even where another one fails', () => {
    expect(shown('num(response.text) > 1.0 || (response.text == "Done." || false)', transfer)).toEqual([
      ['response.text == "Done."', 'Done.'],
    ]);
  });

  it('are negated where it is their being false that counts', () => {
    expect(shown('!(response.text == "" || response.text.contains("x"))', transfer)).toEqual([
      ['!(response.text == "")', 'Done.'],
      ['!response.text.contains("x")', 'Done.'],
    ]);
  });

  it('are both the condition and what it chose', () => {
    expect(shown('response.status == 200 ? response.text != "" : false', transfer)).toEqual([
      ['response.status == 200', '200'],
      ['response.text != ""', 'Done.'],
    ]);
  });

  it('are the walk as a whole where every one of many items, or none at all, made it true', () => {
    const many = facts({ toolCalls: [1, 2, 3, 4].map((n) => call(`t${n}`)) });
    const when = 'response.toolCalls.all(c, c.name != "x")';
    expect(shown(when, many).map(([expression]) => expression)).toEqual([when]);
    expect(shown(when, facts())).toEqual([[when, '[]']]);
    expect(shown(when, transfer)).toEqual([
      ['c.name != "x"', 'get_weather'],
      ['c.name != "x"', 'transfer_funds'],
    ]);
  });

  it('are of a single item those that it passed, also where all must', () => {
    const single = facts({ toolCalls: [call('pay')] });
    expect(shown('response.toolCalls.all(c, c.name != "x")', single)).toEqual([['c.name != "x"', 'pay']]);
  });

  it('have the place that the key of a map that is walked stands for', () => {
    const when = 'response.toolCalls.exists(c, c.arguments.exists(k, c.arguments[k] == "DE89"))';
    expect(partsOf(when, facts({ toolCalls: [call('pay', { n: 1, 'a/b': 'DE89' })] }))).toEqual([
      {
        expression: 'c.arguments[k] == "DE89"',
        bound: 'response.toolCalls[0].arguments["a/b"] == "DE89"',
        values: [{ path: '/response/toolCalls/0/arguments/a~1b', value: 'DE89' }],
      },
    ]);
  });

  it('are written with the letters of the rule, and plainly where those are no expression of their own', () => {
    expect(shown('response.text=="Done."', transfer)).toEqual([['response.text=="Done."', 'Done.']]);
    expect(shown('(response.text)=="Done."', transfer)).toEqual([['response.text == "Done."', 'Done.']]);
  });

  it('keep apart two walks that give their items one name', () => {
    const when =
      'response.toolCalls.exists(c, c.name == "pay" && c.arguments.to.exists(c, c.startsWith("DE")))';
    expect(
      partsOf(when, facts({ toolCalls: [call('pay', { to: ['FR1', 'DE2'] })] })).map(({ bound }) => bound),
    ).toEqual([
      'response.toolCalls[0].name == "pay"',
      'response.toolCalls[0].arguments.to[1].startsWith("DE")',
    ]);
  });

  it('have no place where the item is of a list the rule made', () => {
    const when =
      'response.toolCalls.filter(c, c.name == "transfer_funds").exists(d, d.arguments.to == "DE89")';
    expect(partsOf(when, transfer)).toMatchObject([
      { expression: 'd.arguments.to == "DE89"', values: [{ path: '', value: 'DE89' }] },
    ]);
  });

  it('say in which argument a search found what it looked for', () => {
    const given = facts({ toolCalls: [call('run', { 'a/b': ['ls', `${'x'.repeat(500)} rm -rf / `] })] });
    const [part] = partsOf('response.toolCalls.exists(c, re2(texts(c.arguments), r"rm\\s+-rf"))', given);
    expect(part?.values).toMatchObject([{ path: '/response/toolCalls/0/arguments/a~1b/1' }]);
    expect(part?.values[0]?.value).toMatch(/^…x{10,} rm -rf \/ $/);
  });

  it('show around what was found in a long text, and never half a character', () => {
    const given = facts({ text: `${'😀'.repeat(300)}IBAN${'😀'.repeat(300)}` });
    const value = partsOf('response.text.contains("IBAN")', given)[0]?.values[0]?.value ?? '';
    expect(value).toContain('IBAN');
    expect(value.length).toBeLessThanOrEqual(202);
    expect(value.isWellFormed()).toBe(true);
  });

  it('name the label that the classifiers suspected', () => {
    expect(
      partsOf('labels.exists(l, l.startsWith("pii."))', facts({}, {}, ['health.data', 'pii.iban'])),
    ).toEqual([
      {
        expression: 'l.startsWith("pii.")',
        bound: 'labels[1].startsWith("pii.")',
        values: [{ path: '/labels/1', value: 'pii.iban' }],
      },
    ]);
  });

  it('are none where the rule does not match, or cannot be decided', () => {
    expect(partsOf('response.text == "other"', transfer)).toEqual([]);
    for (const when of [
      'num(response.text) > 1.0',
      'num(response.text) > 1.0 && response.text == "Done."',
      'response.text == "Done." && num(response.text) > 1.0',
      '!(num(response.text) > 1.0 || response.text == "x")',
      'response.toolCalls.all(c, num(c.name) > 1.0 || c.name == "get_weather")',
      'response.toolCalls.exists_one(c, num(c.name) > 1.0 || c.name == "get_weather")',
    ])
      expect(partsOf(when, transfer)).toEqual([]);
  });

  it('are those of the one item that alone passed, and else the walk as a whole', () => {
    const one = 'response.toolCalls.exists_one(c, c.name == "transfer_funds")';
    expect(shown(one, transfer)).toEqual([['c.name == "transfer_funds"', 'transfer_funds']]);
    const several = '!response.toolCalls.exists_one(c, c.name != "x")';
    expect(shown(several, transfer).map(([expression]) => expression)).toEqual([several]);
    const none = '!response.toolCalls.exists_one(c, c.name == "x")';
    expect(shown(none, transfer).map(([expression]) => expression)).toEqual([none]);
  });

  it('are those of the first three items that passed', () => {
    const many = facts({ toolCalls: [1, 2, 3, 4].map((n) => call(`t${n}`)) });
    const first = [1, 2, 3].map((n) => ['c.name != "x"', `t${n}`]);
    expect(shown('response.toolCalls.exists(c, c.name != "x")', many)).toEqual(first);
    const three = facts({ toolCalls: [1, 2, 3].map((n) => call(`t${n}`)) });
    expect(shown('response.toolCalls.all(c, c.name != "x")', three)).toEqual(first);
  });

  it('are bounded, and so is the work to find them', () => {
    const long = Array.from({ length: 40 }, (_, n) => `response.text != "${n}"`).join(' && ');
    expect(partsOf(long, transfer)).toHaveLength(partsMax);
    const crowd = facts({ toolCalls: Array.from({ length: 1_000 }, (_, n) => call(`t${n}`)) });
    expect(partsOf('response.toolCalls.exists(c, c.name == "t999")', crowd)).toEqual([]);
  });
});
