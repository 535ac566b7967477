/** What the rulings of one hold must be, by rules written down here again. */
import { expect } from 'vitest';
import { httpStatusByCode } from '../../../src/core/errors.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { outcomesOf } from '../../../src/ledger/head.ts';
import { judgeApprovals } from './judge-approvals.ts';
import type { Demand } from './policies.ts';
import type { Scene } from './scene.ts';
import type { Seen } from './seen.ts';
import type { HoldStory } from './story.ts';
import { isUnknown } from './told.ts';

/** By what was demanded when it was held, whatever rules came since; `outcome` is that of its decision. */
export function judgeRulings(
  scene: Scene,
  hold: HoldStory,
  outcome: string | undefined,
  demand: Demand,
  seen: Seen,
): void {
  const { entry, about, rulings, final } = hold;
  // The disk had it and said that it failed: its caller was told so, or had left, and nobody heard of it.
  const isUnheard =
    outcome === 'ledger_unavailable' || (outcome === 'client_abort' && isClosedByOutage(scene, entry));
  if (final === undefined && isUnheard) {
    expect(about).toEqual([]);
    return;
  }
  // One ruling ends it, and nothing follows that one; in the end, at the latest its expiry has.
  expect(rulings.map(({ data }) => data['final'])).toEqual(
    rulings.map((_, place) => place === rulings.length - 1),
  );
  // Each names what is held, and nothing else that is.
  for (const { data } of rulings) expect(data['digest']).toBe(entry.data['digest']);
  judgeTimes(hold, demand);
  judgeRoles(hold, demand, seen);
  judgeApprovals(scene, hold, demand, seen);
  judgeAnswers(scene, hold, seen);
  const end = { release: 'released', amend: 'amended', deny: 'denied', expired: 'expired' } as const;
  const verdict = String(final?.data['verdict']);
  if (!(verdict in end)) throw new Error(`the hold ${entry.seq} did not end`);
  seen[end[verdict as keyof typeof end]] += 1;
}

/** What the ledger found on the disk when it was open again had not been known to be there. */
function isClosedByOutage({ house }: Scene, { seq, data }: Entry): boolean {
  return house
    .entries()
    .some(
      (later) =>
        later.type === 'recovery' &&
        later.data['reason'] === 'store_failure' &&
        later.seq > seq &&
        outcomesOf(later.data).some(([decision]) => decision === data['decision']),
    );
}

/** People rule before it expires, and nobody's silence ends it sooner. */
function judgeTimes({ entry, rulings }: HoldStory, { expiresInMs }: Demand): void {
  for (const { at, data } of rulings) {
    const isOver = Date.parse(at) - Date.parse(entry.at) >= expiresInMs;
    expect(isOver).toBe(data['verdict'] === 'expired');
  }
}

/** Whom it escalated to rules after that alone, and it escalates only while it waits. */
function judgeRoles({ entry, about, rulings, final }: HoldStory, demand: Demand, seen: Seen): void {
  const step = about.find(({ data }) => data['action'] === 'escalation');
  if (step !== undefined) {
    expect(step.seq).toBeLessThan(final?.seq ?? -1);
    const waitedMs = Date.parse(step.at) - Date.parse(entry.at);
    expect(waitedMs).toBeGreaterThanOrEqual(demand.escalatesInMs ?? Number.POSITIVE_INFINITY);
  }
  for (const { seq, data } of rulings) {
    const further = (step?.seq ?? Number.POSITIVE_INFINITY) < seq ? ['chief'] : [];
    const glass = demand.hasGlass && data['breakGlass'] === true ? ['admin'] : [];
    const allowed = data['breakGlass'] === true ? glass : [...rolesOf(demand), ...further, 'holdpoint'];
    expect(allowed).toContain(data['role']);
    seen.ruledByChief += Number(data['role'] === 'chief');
  }
  seen.escalated += Number(step !== undefined);
}

function rolesOf({ approvals, role }: Demand): readonly string[] {
  return typeof approvals === 'number' ? [role] : Object.keys(approvals);
}

/** What a person was told is what is sealed: every ruling acknowledged is there, none that was refused. */
function judgeAnswers(scene: Scene, { entry, rulings }: HoldStory, seen: Seen): void {
  const sealed = rulings.map(({ data }) => data['display']);
  scene.reviewers.rulings.forEach(({ hold, answer, astray, verdict }, place) => {
    if (hold !== entry.seq) return;
    const isSealed = sealed.includes(`ruling ${place}`);
    seen.sealedUntold += Number(isSealed && answer === 'ledger_unavailable');
    if (isUnknown(answer)) return;
    expect(isSealed).toBe(answer === 'sealed');
    seen.refused += Number(!isSealed);
    if (!astray || answer === 'forbidden') return;
    // What a rule denies is said of an amendment before anything else is.
    if (verdict === 'amend' && answer === 'invalid_argument') return;
    // Another digest is no ruling on this hold, whoever names it and however it stands.
    expect(Object.entries(httpStatusByCode)).toContainEqual([answer, 409]);
    seen.astray += Number(answer === 'digest_mismatch');
  });
}
