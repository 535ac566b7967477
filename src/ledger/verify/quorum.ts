/** Who may rule on a hold, and whether those who did were enough. Pure; portable; imports only its own folder. */
import type { Hold } from './decision.ts';
import type { RulingEntry } from './hold-entries.ts';
import { namesOf, type People } from './people.ts';

/** Whether this ruling was made in a role that the hold lets rule by then. */
export function mayRule(hold: Hold, { verdict, by, role, breakGlass }: RulingEntry): boolean {
  if (verdict === 'expired') return by === 'holdpoint';
  if (breakGlass) return hold.terms.breakGlass.includes(role);
  return hold.terms.roles.includes(role) || furtherRoles(hold).includes(role);
}

/** What is lacking of a release, in words that complete "hold … was released with …"; undefined where nothing is. */
export function lackOf(hold: Hold, people: People): string | undefined {
  const { approvals, needs } = hold.terms;
  const approvers = rolesOfApprovers(hold, people);
  if (approvers.length < approvals) return `${approvers.length} of ${approvals} distinct approvals`;
  const further = furtherRoles(hold);
  for (const need of needs) {
    const given = approvers.filter((role) => need.roles.includes(role) || further.includes(role)).length;
    if (given < need.approvals)
      return `${given} of ${need.approvals} approvals as ${need.roles.join(' or ')}`;
  }
  return undefined;
}

/** The role of each who approved, nobody counting twice: not by another name, and not through who spoke for them. */
function rolesOfApprovers({ approvals }: Hold, people: People): readonly string[] {
  const spoken = new Set<string>();
  const roles: string[] = [];
  for (const approval of approvals) {
    if (!namesIn(approval, people).some((name) => spoken.has(name))) roles.push(approval.role);
    for (const voice of voicesOf(approval)) spoken.add(voice);
  }
  return roles;
}

/** Whose word a ruling is, by every name that these people have. */
export function namesIn(ruling: Pick<RulingEntry, 'by' | 'inStead'>, people: People): readonly string[] {
  return voicesOf(ruling).flatMap((voice) => namesOf(people, voice));
}

/** Who made it, and in whose stead. */
function voicesOf({ by, inStead }: Pick<RulingEntry, 'by' | 'inStead'>): readonly string[] {
  return inStead === '' ? [by] : [by, inStead];
}

function furtherRoles({ terms, escalated }: Hold): readonly string[] {
  return terms.escalation.slice(0, escalated).flat();
}
