/** What a ruling does and did, in sentences: what a reviewer reads before pressing, and after. Pure. */

import type { Approvals, HoldSummary, Verdict } from '../answers/hold-data.ts';
import type { Actions, HoldDetail, Ruling } from '../answers/hold-detail.ts';
import { spanText } from '../words/time.ts';
import type { Action } from './desk-state.ts';

/** The verbs of the buttons. */
export const actionWords: Readonly<Record<Action, string>> = {
  release: 'Release',
  amend: 'Amend',
  deny: 'Deny',
  'break-glass': 'Break glass',
};

/** Why an action is not open to this person; '' where it is. */
export function whyClosed(actions: Actions, action: Action): string {
  return action === 'break-glass' ? actions.breakGlass : actions[action];
}

/** What is closed and why, actions with the same reason together. */
export function closedActions(
  actions: Actions,
  offered: readonly Action[],
): readonly { readonly closed: readonly Action[]; readonly why: string }[] {
  const byReason = new Map<string, Action[]>();
  for (const action of offered) {
    const why = whyClosed(actions, action);
    if (why !== '') byReason.set(why, [...(byReason.get(why) ?? []), action]);
  }
  return [...byReason].map(([why, closed]) => ({ closed, why }));
}

/** Who must still approve once somebody of this role has; '' where that is enough. `further` counts for any role. */
export function stillNeeded(approvals: Approvals, role: string, further: readonly string[]): string {
  const lacking = approvals.byRole
    .map(({ roles, left }) => ({
      roles,
      left: Math.max(0, left - (roles.includes(role) || further.includes(role) ? 1 : 0)),
    }))
    .filter(({ left }) => left > 0);
  if (lacking.length > 0)
    return lacking.map(({ roles, left }) => `${left} ${roles.join(' or ')}`).join(' and ');
  const more = approvals.needed - approvals.given.length - 1;
  return more > 0 ? `${more} more ${more === 1 ? 'person' : 'people'}` : '';
}

/** What sending this would do. `withheld` of `calls` would not go. */
export function effectOf(
  verdict: Verdict,
  detail: HoldDetail,
  role: string,
  withheld: ReadonlySet<number>,
): string {
  const { summary, escalated } = detail;
  const further = escalated.flatMap(({ roles }) => roles);
  if (verdict === 'deny') return 'The workload gets a 403 that says a reviewer denied it. This is final.';
  const needed = stillNeeded(summary.approvals, role, further);
  if (verdict === 'release' && needed !== '')
    return `Your approval is sealed; it goes once ${needed} approved as well.`;
  const gets = summary.phase === 'request' ? 'The model gets' : 'The workload gets';
  return `${gets} ${whatGoes(verdict, withheld)}.${collecting(summary, detail.collectInMs)}`;
}

function whatGoes(verdict: Verdict, withheld: ReadonlySet<number>): string {
  if (verdict === 'amend') return 'your version instead; both are sealed';
  return withheld.size === 0
    ? 'exactly the held bytes, once'
    : 'the answer without the calls you withhold; which ones is sealed';
}

/** How long it waits, where nobody is there to take it. */
export function collecting({ callerWaits }: HoldSummary, withinMs: number): string {
  return callerWaits ? '' : ` Its caller is gone; a retry within ${spanText(withinMs)} collects it.`;
}

const verdictWords: Readonly<Record<string, string>> = {
  release: 'Released',
  amend: 'Amended',
  deny: 'Denied',
};

/** The final ruling as a sentence. */
export function wasRuled({ verdict, by, withheld, breakGlass }: Ruling): string {
  if (verdict === 'expired') return 'Expired: nobody ruled in time.';
  if (breakGlass) return `Released by ${by} alone, who broke the glass.`;
  if (withheld.length > 0)
    return `Released by ${by} without ${withheld.length} of its calls, which ${withheld.length === 1 ? 'was' : 'were'} withheld.`;
  return `${verdictWords[verdict] ?? verdict} by ${by}.`;
}

const outcomeWords: Readonly<Record<string, string>> = {
  delivered: 'The workload has it.',
  denied: 'The workload was told.',
  expired: 'The workload was told; it may ask again.',
  released_undelivered: 'Nobody came to collect it.',
  interrupted: 'The delivery broke off.',
};

/** What became of a hold that is over. */
export function becameOf(summary: HoldSummary): string {
  if (summary.state === 'pending') return 'The buttons are dead.';
  if (summary.outcome !== null) return outcomeWords[summary.outcome] ?? `Outcome: ${summary.outcome}.`;
  if (summary.state === 'released' || summary.state === 'amended') {
    return summary.callerWaits
      ? 'It is on its way to the workload.'
      : 'It waits for the workload to collect it.';
  }
  return '';
}
