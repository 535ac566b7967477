/** Who has to release before something is released, by rules written down here again. */
import { expect } from 'vitest';
import type { Demand } from './policies.ts';
import { requester } from './rules.ts';
import type { Scene } from './scene.ts';
import type { Seen } from './seen.ts';
import type { HoldStory } from './story.ts';
import type { Ruled } from './told.ts';

interface Given {
  readonly ruled: Ruled;
  readonly role: string;
}

export function judgeApprovals(scene: Scene, hold: HoldStory, demand: Demand, seen: Seen): void {
  const { entry, about, rulings } = hold;
  const needed = peopleOf(demand);
  const step = about.find(({ data }) => data['action'] === 'escalation')?.seq ?? Number.POSITIVE_INFINITY;
  let given: Given[] = [];
  for (const { seq, data } of rulings) {
    if (data['by'] === 'holdpoint') continue;
    const ruled = scene.reviewers.rulings[Number(String(data['display']).slice('ruling '.length))];
    if (ruled === undefined) throw new Error('somebody ruled whom nobody asked');
    const { by, inStead, verdict, astray } = ruled;
    expect({ by: data['by'], inStead: data['inStead'], verdict: data['verdict'] }).toEqual({
      by,
      inStead,
      verdict,
    });
    expect({ hold: ruled.hold, astray }).toEqual({ hold: entry.seq, astray: false });
    expect(voicesOf(ruled)).not.toContain(requester);
    expect(ruled.withdrawn).not.toContain(by);
    seen.ruledInStead += Number(inStead !== undefined);
    // One person alone is enough where the glass was broken, and only there.
    expect(data['breakGlass'] === true).toBe(ruled.breakGlass);
    if (ruled.breakGlass) {
      seen.glassBroken += 1;
      expect(data['final']).toBe(true);
      continue;
    }
    const counting = given.filter(({ ruled: one }) =>
      voicesOf(one).every((name) => !ruled.withdrawn.includes(name)),
    );
    seen.uncounted += given.length - counting.length;
    // Nobody approves twice, but to say so once all approvals count again.
    const spoken = given.flatMap((one) => voicesOf(one.ruled));
    const isAgain = voicesOf(ruled).some((name) => spoken.includes(name));
    const isEnough = (all: readonly Given[]): boolean => isQuorum(all, demand, step < seq);
    if (isAgain) expect(isEnough(counting)).toBe(true);
    if (verdict === 'amend') expect(needed).toBe(1);
    const one = { ruled, role: String(data['role']) };
    if (verdict === 'release') expect(data['final']).toBe(isEnough(isAgain ? counting : [...counting, one]));
    given = [...given, one];
  }
}

function voicesOf({ by, inStead }: Ruled): readonly string[] {
  return inStead === undefined ? [by] : [by, inStead];
}

function peopleOf({ approvals }: Demand): number {
  return typeof approvals === 'number' ? approvals : approvals.reviewer + approvals.chief;
}

/** So many people, and in each role as many as are asked for; whom it escalated to counts for either. */
function isQuorum(given: readonly Given[], demand: Demand, isEscalated: boolean): boolean {
  const { approvals } = demand;
  const isIn =
    (name: string) =>
    ({ role }: Given) =>
      role === name || (isEscalated && role === 'chief');
  const needs = typeof approvals === 'number' ? [] : Object.entries(approvals);
  return (
    given.length >= peopleOf(demand) &&
    needs.every(([role, count]) => given.filter(isIn(role)).length >= count)
  );
}
