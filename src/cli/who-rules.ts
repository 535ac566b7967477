/** Who rules on a hold, in lines: approvals by role, who may since when, how long a release is good for, what is closed. */
import { type Detail, isOver } from './hold-answers.ts';
import { duration } from './print.ts';

/** Not yet made visible: roles and names are the operator's, but come over the wire. */
export function whoRules(hold: Detail): string[] {
  const { breakGlassCollectInMs, actions } = hold;
  return [
    ...needs(hold),
    `${isOver(hold) ? 'could' : 'may'} rule: ${hold.roles.join(', ')}${hold.escalated.map(({ at, roles }) => `; ${roles.join(', ')} since ${at}`).join('')}`,
    ...(isOver(hold)
      ? []
      : hold.escalation.map(
          ({ at, roles }) => `may rule too from ${at}, unless somebody ruled: ${roles.join(', ')}`,
        )),
    // Who asked may have given no name.
    ...(hold.notRequester
      ? [`may not: ${hold.requester === '' ? 'whoever' : `${hold.requester}, who`} asked`]
      : []),
    breakGlassCollectInMs === null
      ? 'break glass: nobody may'
      : `break glass: ${hold.breakGlass.join(', ')}, alone and at once, with a reason and an alert; then good for ${duration(breakGlassCollectInMs)}`,
    ...(isOver(hold)
      ? []
      : [
          `once released it waits ${duration(hold.collectInMs)} for its caller`,
          ...closed(actions),
          ...lent(hold),
        ]),
  ];
}

/** What one may do whose own name does not let them, or lets them less. */
function lent({ inStead }: Detail): string[] {
  return inStead.flatMap(({ name, role, actions: { release, deny, amend } }) => {
    const open = Object.entries({ release, deny, amend }).flatMap(([what, why]) =>
      why === '' ? [what] : [],
    );
    return open.length === 0
      ? []
      : [`in the stead of ${name} (${role}) you may ${open.join(', ')}: --in-stead ${JSON.stringify(name)}`];
  });
}

/** By role where the rule asks so; else so many of whoever may. */
function needs(hold: Detail): string[] {
  const { approvals, rulings, roles, escalated } = hold;
  const further = escalated.flatMap((step) => step.roles);
  // Who may rule no more, and a second name of one person, are not among those given.
  const released = rulings.filter(({ verdict, by }) => verdict === 'release' && approvals.given.includes(by));
  const line = (
    needed: number,
    of: readonly string[],
    left: number,
    by: readonly Detail['rulings'][number][],
  ) => {
    const given =
      by.length === 0 ? '' : `, approved by ${by.map((one) => `${one.by} (${one.role})`).join(', ')}`;
    return `${left === 0 ? '[x]' : '[ ]'} ${needed} x ${of.join(' or ')}${given}${left === 0 || isOver(hold) ? '' : `, ${left} still needed`}`;
  };
  if (approvals.byRole.length === 0) {
    const left = Math.max(0, approvals.needed - approvals.given.length);
    return [line(approvals.needed, roles, left, released)];
  }
  return approvals.byRole.map((need) => {
    const by = released.filter(({ role }) => need.roles.includes(role) || further.includes(role));
    return line(need.needed, need.roles, need.left, by);
  });
}

function closed({ release, deny, amend }: Detail['actions']): string[] {
  const whys = { release, deny, amend };
  return Object.entries(whys).flatMap(([name, why]) =>
    why === '' ? [] : [`${name} is not open to you: ${why}`],
  );
}
