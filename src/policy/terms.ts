/** The terms of several rules that hold one exchange, put together so that each of them is satisfied. Pure. */
import type { HoldTerms, Need } from './policy.ts';

/** What satisfies all of them: the most people, the shortest times, only what every rule allows. */
export function strictest(all: readonly [HoldTerms, ...HoldTerms[]]): HoldTerms {
  const collect = all.flatMap(({ collectInMs }) => (collectInMs === undefined ? [] : [collectInMs]));
  const escalation = escalationOf(all);
  const breakGlass = breakGlassOf(all);
  return {
    expiresInMs: Math.min(...all.map(({ expiresInMs }) => expiresInMs)),
    notRequester: all.some(({ notRequester }) => notRequester),
    ...peopleOf(all),
    ...(collect.length === 0 ? {} : { collectInMs: Math.min(...collect) }),
    ...(escalation.length === 0 ? {} : { escalation }),
    ...(breakGlass === undefined ? {} : { breakGlass }),
  };
}

/** Roles that satisfy all rules are enough where there are some; otherwise each rule has its own people. */
function peopleOf(all: readonly HoldTerms[]): Pick<HoldTerms, 'approvals' | 'roles' | 'needs'> {
  const shared = sharedBy(all.map(({ roles }) => roles));
  const approvals = Math.max(...all.map((terms) => terms.approvals));
  if (shared.length > 0 && all.every(({ needs }) => needs === undefined)) return { approvals, roles: shared };
  const needs = all.flatMap((terms) => terms.needs ?? [{ approvals: terms.approvals, roles: terms.roles }]);
  const roles = [...new Set(needs.flatMap((need) => need.roles))];
  return { approvals: Math.max(approvals, apart(needs)), roles, needs };
}

/** How many people the needs that share no role ask for together: each person rules in one role. */
function apart(needs: readonly Need[]): number {
  const taken = new Set<string>();
  let people = 0;
  for (const { approvals, roles } of needs) {
    if (roles.some((role) => taken.has(role))) continue;
    for (const role of roles) taken.add(role);
    people += approvals;
  }
  return people;
}

/** A role comes in where every rule lets it, and not before the last of them does. */
function escalationOf(all: readonly HoldTerms[]): { afterMs: number; roles: string[] }[] {
  const ladders = all.map(({ escalation = [] }) => escalation);
  const roles = sharedBy(ladders.map((steps) => steps.flatMap((step) => step.roles)));
  const byTime = new Map<number, string[]>();
  for (const role of roles) {
    const firsts = ladders.map((steps) => steps.find((step) => step.roles.includes(role))?.afterMs ?? 0);
    const afterMs = Math.max(...firsts);
    byTime.set(afterMs, [...(byTime.get(afterMs) ?? []), role]);
  }
  return [...byTime].sort(([a], [b]) => a - b).map(([afterMs, known]) => ({ afterMs, roles: known }));
}

function breakGlassOf(all: readonly HoldTerms[]): HoldTerms['breakGlass'] {
  const roles = sharedBy(all.map(({ breakGlass }) => breakGlass?.roles ?? []));
  const collect = all.flatMap(({ breakGlass }) => (breakGlass === undefined ? [] : [breakGlass.collectInMs]));
  const review = all.flatMap(({ breakGlass }) =>
    breakGlass?.reviewInMs === undefined ? [] : [breakGlass.reviewInMs],
  );
  if (roles.length === 0) return undefined;
  const within = review.length === 0 ? {} : { reviewInMs: Math.min(...review) };
  return { roles, collectInMs: Math.min(...collect), ...within };
}

function sharedBy(lists: readonly (readonly string[])[]): string[] {
  const [first = [], ...rest] = lists;
  return [...new Set(first)].filter((role) => rest.every((list) => list.includes(role)));
}
