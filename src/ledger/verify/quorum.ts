/** Who may rule on a hold, and whether those who did were enough. Pure; portable; imports types only. */
import type { Hold } from './decision.ts';
import type { RulingEntry } from './hold-entries.ts';

/** Whether this ruling was made in a role that the hold lets rule by then. */
export function mayRule(hold: Hold, { verdict, by, role, breakGlass }: RulingEntry): boolean {
  if (verdict === 'expired') return by === 'holdpoint';
  if (breakGlass) return hold.terms.breakGlass.includes(role);
  return hold.terms.roles.includes(role) || furtherRoles(hold).includes(role);
}

/** What is lacking of a release, in words that complete "hold … was released with …"; undefined where nothing is. */
export function lackOf(hold: Hold): string | undefined {
  const { approvals, needs } = hold.terms;
  const { size } = hold.approvers;
  if (size < approvals) return `${size} of ${approvals} distinct approvals`;
  const further = furtherRoles(hold);
  for (const need of needs) {
    const given = [...hold.approvers.values()].filter(
      (role) => need.roles.includes(role) || further.includes(role),
    ).length;
    if (given < need.approvals)
      return `${given} of ${need.approvals} approvals as ${need.roles.join(' or ')}`;
  }
  return undefined;
}

/** Whose word a ruling is: who made it, and in whose stead. */
export function voicesOf({ by, inStead }: RulingEntry): readonly string[] {
  return inStead === '' ? [by] : [by, inStead];
}

function furtherRoles({ terms, escalated }: Hold): readonly string[] {
  return terms.escalation.slice(0, escalated).flat();
}
