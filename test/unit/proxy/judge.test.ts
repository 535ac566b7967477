/** What rules say of an exchange, and what counts against it where it could not be read. */
import { expect, test } from 'vitest';
import type { Match } from '../../../src/policy/policy.ts';
import { judge, strictestTerms } from '../../../src/proxy/judge.ts';
import { facts, judgeOf } from '../policy/support.ts';

const policy = judgeOf(
  { id: 'seen', when: 'true', action: 'flag' },
  { id: 'never', when: 'response.text == "pay"', action: 'deny' },
);

test('a request that cannot be read is denied, and the judgement says why', () => {
  const { action, matches } = judge(policy, 'request', facts(), ['two models', 'no JSON']);
  expect(action).toBe('deny');
  expect(matches).toMatchObject([{ rule: 'holdpoint:unreadable', action, error: 'two models; no JSON' }]);
});

test('an answer that cannot be read is held, beside what else it matched', () => {
  const { action, matches } = judge(policy, 'response', facts({ text: 'fine' }), ['cut off']);
  expect(action).toBe('hold');
  expect(matches.map((match) => [match.rule, match.action])).toEqual([
    ['seen', 'flag'],
    ['holdpoint:unreadable', 'hold'],
  ]);
});

test('an answer that a rule denies stays denied where it cannot be read besides', () => {
  expect(judge(policy, 'response', facts({ text: 'pay' }), ['cut off']).action).toBe('deny');
});

test('a rule that only flags has no say in the terms of a hold', () => {
  const match = (action: Match['action'], approvals: number, role: string): Match => ({
    ...{ rule: role, title: '', when: '', action, severity: 'low' },
    hold: { expiresInMs: 60_000, approvals, roles: [role], notRequester: false },
  });
  const matches = [match('flag', 3, 'admin'), match('hold', 2, 'privacy'), match('deny', 4, 'reviewer')];
  expect(strictestTerms({ action: 'hold', matches })).toMatchObject({ approvals: 2, roles: ['privacy'] });
});
