/** The judgement over a body of many exchanges. */
import { expect, test } from 'vitest';
import type { Judgement, Match } from '../../../src/policy/policy.ts';
import { strictestOf } from '../../../src/proxy/batch.ts';

function judgementOf(rule: string, action: Match['action']): Judgement {
  const hold = { expiresInMs: 1, approvals: 1, roles: [], notRequester: true };
  return { action, matches: [{ rule, title: '', when: '', action, severity: 'low', hold, error: '' }] };
}

const passed: Judgement = { action: 'pass', matches: [] };

test.each([
  ['flag', 'hold'],
  ['hold', 'flag'],
] as const)('has a rule once, with the strictest that it did on any line: %s, %s', (first, second) => {
  const judgements = [judgementOf('a', first), judgementOf('a', second), judgementOf('b', 'flag')];
  const { action, matches } = strictestOf(passed, { judgements, defects: [] });
  expect(action).toBe('hold');
  expect(matches.map((match) => [match.rule, match.action])).toEqual([
    ['a', 'hold'],
    ['b', 'flag'],
  ]);
});
