/** Rules over facts, with what could not be read counted against the exchange: it holds, it never passes. */
import type { Facts } from '../core/facts.ts';
import type { HoldTerms, Judgement, Match, Phase, Policy } from '../policy/policy.ts';
import { strictest } from '../policy/terms.ts';

const defaultTerms: HoldTerms = {
  expiresInMs: 15 * 60_000,
  approvals: 1,
  roles: ['reviewer'],
  notRequester: true,
};

export const passed: Judgement = { action: 'pass', matches: [] };

/**
 * Judges one phase. `defects` add a match of their own: an answer that cannot be read is held; a request that
 * cannot be read is denied, because the provider might read it otherwise than the rules did.
 */
export function judge(
  policy: Pick<Policy, 'judge'>,
  phase: Phase,
  facts: Facts,
  defects: readonly string[],
): Judgement {
  const judgement = policy.judge(phase, facts);
  if (defects.length === 0) return judgement;
  const action = phase === 'request' || judgement.action === 'deny' ? 'deny' : 'hold';
  const unreadable: Match = {
    rule: 'holdpoint:unreadable',
    title: 'The exchange could not be read, so no rule could vouch for it',
    when: '',
    action,
    severity: 'high',
    hold: defaultTerms,
    error: defects.join('; '),
  };
  return { action, matches: [...judgement.matches, unreadable] };
}

/** The terms of all holding matches together: every one of them must be satisfied. */
export function strictestTerms(judgement: Judgement): HoldTerms {
  const terms = judgement.matches.filter((match) => match.action === 'hold').map((match) => match.hold);
  const [first = defaultTerms, ...rest] = terms;
  return strictest([first, ...rest]);
}
