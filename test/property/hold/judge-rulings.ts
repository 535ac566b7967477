/** What the rulings of one hold must be, by rules written down here again. */
import { expect } from 'vitest';
import { httpStatusByCode } from '../../../src/core/errors.ts';
import { isUnknown, type Ruled } from './reviewers.ts';
import { requester } from './rules.ts';
import type { Scene } from './scene.ts';
import type { Seen } from './seen.ts';
import type { HoldStory } from './story.ts';

export function judgeRulings(scene: Scene, hold: HoldStory, seen: Seen): void {
  const { entry, rulings } = hold;
  // One ruling ends it, and nothing follows that one; in the end, at the latest its expiry has.
  expect(rulings.map(({ data }) => data['final'])).toEqual(
    rulings.map((_, place) => place === rulings.length - 1),
  );
  // Each names what is held, and nothing else that is.
  for (const { data } of rulings) expect(data['digest']).toBe(entry.data['digest']);
  judgeEscalation(hold, seen);
  judgeApprovals(scene, hold, seen);
  judgeAnswers(scene, hold, seen);
  const end = { release: 'released', amend: 'amended', deny: 'denied', expired: 'expired' } as const;
  const verdict = String(hold.final?.data['verdict']);
  if (!(verdict in end)) throw new Error(`the hold ${entry.seq} did not end`);
  seen[end[verdict as keyof typeof end]] += 1;
}

/** Whom it escalated to rules after that alone, and it escalates only while it waits. */
function judgeEscalation({ about, rulings, final }: HoldStory, seen: Seen): void {
  const step = about.find(({ data }) => data['action'] === 'escalation');
  const byChief = rulings.filter(({ data }) => data['role'] === 'chief');
  if (step !== undefined) expect(step.seq).toBeLessThan(final?.seq ?? -1);
  for (const { seq } of byChief) expect(step?.seq).toBeLessThan(seq);
  seen.escalated += Number(step !== undefined);
  seen.ruledByChief += byChief.length;
}

function judgeApprovals(scene: Scene, { entry, rulings }: HoldStory, seen: Seen): void {
  const needed = Number(entry.data['approvals']);
  let given: Ruled[] = [];
  for (const { data } of rulings) {
    if (data['by'] === 'holdpoint') continue;
    const ruled = scene.reviewers.rulings[Number(String(data['display']).slice('ruling '.length))];
    if (ruled === undefined) throw new Error('somebody ruled whom nobody asked');
    const { by, inStead, verdict, hold, astray } = ruled;
    expect({ by: data['by'], inStead: data['inStead'], verdict: data['verdict'] }).toEqual({
      by,
      inStead,
      verdict,
    });
    expect({ hold, astray }).toEqual({ hold: entry.seq, astray: false });
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
    const counting = given.filter((one) => voicesOf(one).every((name) => !ruled.withdrawn.includes(name)));
    seen.uncounted += given.length - counting.length;
    // Nobody approves twice, but to say so once all approvals count again.
    const spoken = given.flatMap(voicesOf);
    const isAgain = voicesOf(ruled).some((name) => spoken.includes(name));
    if (isAgain) expect(counting.length).toBeGreaterThanOrEqual(needed);
    if (verdict === 'amend') expect(needed).toBe(1);
    const approvals = counting.length + Number(!isAgain);
    if (verdict === 'release') expect(data['final']).toBe(approvals >= needed);
    given = [...given, ruled];
  }
}

function voicesOf({ by, inStead }: Ruled): readonly string[] {
  return inStead === undefined ? [by] : [by, inStead];
}

/** What a person was told is what is sealed: every ruling acknowledged is there, none that was refused. */
function judgeAnswers(scene: Scene, { entry, rulings }: HoldStory, seen: Seen): void {
  const sealed = rulings.map(({ data }) => data['display']);
  scene.reviewers.rulings.forEach(({ hold, answer, astray }, place) => {
    if (hold !== entry.seq) return;
    const isSealed = sealed.includes(`ruling ${place}`);
    seen.sealedUntold += Number(isSealed && answer === 'ledger_unavailable');
    if (isUnknown(answer)) return;
    expect(isSealed).toBe(answer === 'sealed');
    seen.refused += Number(!isSealed);
    if (!astray || answer === 'forbidden') return;
    // Another digest is no ruling on this hold, whoever names it and however it stands.
    expect(Object.entries(httpStatusByCode)).toContainEqual([answer, 409]);
    seen.astray += Number(answer === 'digest_mismatch');
  });
}
