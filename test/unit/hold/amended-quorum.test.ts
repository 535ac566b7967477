/** Rules that each ask for people of their own: an amendment stands on who made it, and on nobody who approved before. */
import { expect, it } from 'vitest';
import { afterRuling, type HoldState, openState, type RulingRequest } from '../../../src/hold/state.ts';
import { strictest } from '../../../src/policy/terms.ts';

const digest = '7d'.repeat(32);
const rule = (...roles: string[]) => ({ expiresInMs: 60_000, approvals: 1, roles, notRequester: true });

function heldBy(...rules: ReturnType<typeof rule>[]): HoldState {
  const [first = rule('finance'), ...rest] = rules;
  const { expiresInMs, ...terms } = strictest([first, ...rest]);
  return openState({ ...terms, requester: 'agent', digest, expiresAtMs: expiresInMs, escalation: [] });
}

const as = (role: string, verdict: RulingRequest['verdict']): RulingRequest => ({
  ...{ by: `of-${role}`, role, verdict, digest, reason: 'seen' },
});

it('an approval of the held bytes does not count for those that another puts in their place', () => {
  // Nobody has a role that all three name, and any two people satisfy them: one approval is asked for at least.
  const held = heldBy(rule('finance', 'legal'), rule('legal', 'safety'), rule('finance', 'safety'));
  expect(held.terms.approvals).toBe(1);
  const approved = afterRuling(held, as('finance', 'release'), 0);
  expect(approved.status).toBe('pending');
  expect(() => afterRuling(approved, as('legal', 'amend'), 1)).toThrow('This hold also needs');
  expect(afterRuling(approved, as('legal', 'release'), 1).status).toBe('released');
});

it('who alone satisfies every rule amends', () => {
  const held = heldBy(rule('finance', 'legal'), rule('legal', 'safety'));
  expect(afterRuling(held, as('legal', 'amend'), 0).status).toBe('amended');
});
