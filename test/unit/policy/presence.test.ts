import { describe, expect, it } from 'vitest';
import { testPolicy } from '../../../src/policy/compile.ts';
import { expressionCompiler } from '../../../src/policy/expression.ts';
import { trueParts } from '../../../src/policy/true-parts.ts';
import { call, facts, judgeOf, policyText, thrown } from './support.ts';

const handing = (args: unknown) => facts({ toolCalls: [call('transfer_funds', args)] });

describe('has()', () => {
  const rule = judgeOf({
    when: 'response.toolCalls.exists(c, has(c.arguments.amount) && num(c.arguments.amount) > 1000.0)',
  });

  it('says of a map whether the field is there', () => {
    expect(rule.judge('response', handing({ amount: 5_000 })).action).toBe('hold');
    expect(rule.judge('response', handing({ to: 'DE89' }))).toEqual({ action: 'pass', matches: [] });
  });

  it.each([[[{ amount: 5_000 }]], ['{"amount":5000}'], [5_000], [true], [null]])(
    'cannot be decided of %j, which has no fields, and so holds',
    (args) => {
      const { action, matches } = rule.judge('response', handing(args));
      expect(action).toBe('hold');
      expect(matches[0]?.error).not.toBeUndefined();
    },
  );

  it('says what it was asked of, where that has no fields', () => {
    const nested = judgeOf({ when: 'response.toolCalls.exists(c, has(c.arguments.order.amount))' });
    const [match] = nested.judge('response', handing({ order: [{ amount: 5_000 }] })).matches;
    expect(match?.error).toBe('has() looks for "amount" in a map, not in a list');
    expect(nested.judge('response', handing({ order: { amount: 5_000 } })).matches[0]?.error).toBeUndefined();
  });

  it.each(['constructor', 'toString', '__proto__'])('takes %s for a field only where it was sent', (name) => {
    const asking = judgeOf({ when: `response.toolCalls.exists(c, has(c.arguments.${name}))` });
    expect(asking.judge('response', handing({})).action).toBe('pass');
    expect(asking.judge('response', handing(JSON.parse(`{"${name}":1}`))).action).toBe('hold');
  });

  it('knows the fields of the facts', () => {
    const asking = judgeOf({ when: 'has(response.usage.totalTokens) && has(request.headers.team)' });
    expect(asking.judge('response', facts({}, { headers: { team: 'red' } })).action).toBe('hold');
    expect(asking.judge('response', facts()).action).toBe('pass');
  });

  it('refuses a rule that asks for a field no fact has, which would never match', () => {
    const { message } = thrown(() => testPolicy('p', policyText('request.stream || has(response.txet)')));
    expect(message).toContain('txet');
    expect(message).toContain(`request.stream || has(response.txet)\n${' '.repeat(40)}^`);
  });

  it('is told as the rule has it, of the call that it was true of', () => {
    const asking = expressionCompiler()('response', 'response.toolCalls.exists(c, has(c.arguments.amount))');
    const [part] = trueParts(asking, handing({ amount: 5_000 }));
    expect(part?.expression).toBe('has(c.arguments.amount)');
  });

  it('is told of nothing where it cannot be decided', () => {
    const asking = expressionCompiler()('response', 'response.toolCalls.exists(c, !has(c.arguments.amount))');
    expect(trueParts(asking, handing({ to: 'DE89' }))).toHaveLength(1);
    expect(trueParts(asking, handing([{ amount: 5_000 }]))).toEqual([]);
  });

  it('says no of a field that no fact has, where the type does not tell', () => {
    const asking = judgeOf({ when: '[dyn(response)].exists(r, has(r.txet))' });
    expect(asking.judge('response', facts())).toEqual({ action: 'pass', matches: [] });
  });

  it('has no other name', () => {
    expect(thrown(() => testPolicy('p', policyText('Has(request.params.x)'))).message).toContain(
      'Has() is not available in rules',
    );
  });
});
