/** Plays histories of holds against the real queue, and judges what was sealed by rules written down here again. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Entry } from '../../../src/ledger/entry.ts';
import { type LedgerUnderTest, outcomesIn } from '../../fault/ledger-under-test.ts';
import { histories } from './commands.ts';
import { createScene, type Scene } from './scene.ts';

/** What else is to be said of the ledger that a history left. */
export type Opinion = (house: LedgerUnderTest) => Promise<void>;

/** Resolves with how often each thing happened in the histories that were played. */
export async function playHistories(numRuns: number, lengthMax: number, opinion: Opinion | null = null) {
  const seen = {
    ...{ histories: 0, released: 0, denied: 0, expired: 0, delivered: 0, refused: 0, redelivered: 0 },
    ...{ glassBroken: 0, reviewed: 0, commented: 0, assigned: 0, escalated: 0, ruledByChief: 0 },
    ...{ lent: 0, ruledInStead: 0 },
  };
  await fc.assert(
    fc.asyncProperty(histories(lengthMax), async (commands) => {
      let scene: Scene | null = null;
      await fc.asyncModelRun(async () => {
        scene = await createScene();
        await scene.openHold(1);
        return { model: { holds: 1, waiting: false }, real: scene };
      }, commands);
      await judge(scene, seen);
      await opinion?.(sceneOf(scene).house);
    }),
    { numRuns },
  );
  return seen;
}

function sceneOf(scene: Scene | null): Scene {
  if (scene === null) throw new Error('the history was not played');
  return scene;
}

async function judge(played: Scene | null, seen: Awaited<ReturnType<typeof playHistories>>): Promise<void> {
  const scene = sceneOf(played);
  await scene.end();
  expect(await scene.house.verify()).toMatchObject({ ok: true });
  const entries = scene.house.entries();
  const outcomes = outcomesIn(entries);
  seen.histories += 1;
  seen.lent += entries.filter(({ data }) => data['action'] === 'delegate').length;
  for (const seq of scene.holds) {
    const hold = entries[seq];
    if (hold === undefined) throw new Error(`the hold ${seq} is not on the disk`);
    const decision = Number(hold.data['decision']);
    const of = entries.filter(({ data }) => data['hold'] === seq);
    judgeRulings(scene, hold, of, seen);
    judgeActs(scene, hold, of, seen);
    judgeDeliveries(scene, hold, of, outcomes.get(decision) ?? [], seen);
  }
}

function judgeRulings(scene: Scene, hold: Entry, of: readonly Entry[], seen: Record<string, number>): void {
  const ruled = of.filter(({ type }) => type === 'ruling').map(({ data }) => data);
  // One ruling ends it, and nothing follows that one; in the end, at the latest its expiry has.
  expect(ruled.map(({ final }) => final)).toEqual(ruled.map((_, place) => place === ruled.length - 1));
  const last = ruled.at(-1);
  const releases = ruled.filter(({ verdict }) => verdict === 'release').map(({ by }) => by);
  // Whom it escalated to rules after that alone, and it escalates only while it waits.
  const step = of.find(({ data }) => data['action'] === 'escalation');
  const endedAt = of.findLast(({ type }) => type === 'ruling')?.seq ?? -1;
  const byChief = of.filter(({ type, data }) => type === 'ruling' && data['role'] === 'chief');
  if (step !== undefined) expect(step.seq).toBeLessThan(endedAt);
  for (const { seq } of byChief) expect(step?.seq).toBeLessThan(seq);
  seen['escalated'] = (seen['escalated'] ?? 0) + Number(step !== undefined);
  seen['ruledByChief'] = (seen['ruledByChief'] ?? 0) + byChief.length;
  // Nobody approves twice; who has approved may still break the glass, which is no approval.
  const approvals = ruled.filter(({ verdict, breakGlass }) => verdict === 'release' && breakGlass !== true);
  expect(new Set(approvals.map(({ by }) => by)).size).toBe(approvals.length);
  const voices = approvals.flatMap(({ by, inStead }) => (inStead === undefined ? [by] : [by, inStead]));
  expect(new Set(voices).size).toBe(voices.length);
  expect([...voices, ...releases]).not.toContain('agent');
  seen['ruledInStead'] =
    (seen['ruledInStead'] ?? 0) + ruled.filter(({ inStead }) => inStead !== undefined).length;
  // One person alone is enough where the glass was broken, and only there.
  const isAlone = last?.['breakGlass'] === true;
  seen['glassBroken'] = (seen['glassBroken'] ?? 0) + Number(isAlone);
  if (last?.['verdict'] === 'release' && !isAlone)
    expect(releases).toHaveLength(Number(hold.data['approvals']));
  if (last?.['verdict'] === 'amend') expect(hold.data['approvals']).toBe(1);
  // What a person was told is what is sealed: every ruling acknowledged is there, none that was refused.
  const mine = scene.rulings.filter((ruling) => ruling.hold === hold.seq);
  const sealed = ruled.filter(({ by }) => by !== 'holdpoint').map(({ by, verdict }) => `${by} ${verdict}`);
  const told = mine.filter(({ answer }) => answer === 'sealed').map(({ by, verdict }) => `${by} ${verdict}`);
  const unknown = mine
    .filter(({ answer }) => answer === 'unknown')
    .map(({ by, verdict }) => `${by} ${verdict}`);
  for (const ruling of told) expect(sealed).toContain(ruling);
  for (const ruling of sealed) expect([...told, ...unknown]).toContain(ruling);
  seen['refused'] = (seen['refused'] ?? 0) + mine.length - told.length - unknown.length;
  const end = { release: 'released', amend: 'released', deny: 'denied', expired: 'expired' }[
    String(last?.['verdict'])
  ];
  if (end === undefined) throw new Error(`the hold ${hold.seq} did not end`);
  seen[end] = (seen[end] ?? 0) + 1;
}

/** What was said, who was on it and what was found: sealed as it was told, before the hold ended or after. */
function judgeActs(scene: Scene, hold: Entry, of: readonly Entry[], seen: Record<string, number>): void {
  const final = of.findLast(({ type }) => type === 'ruling');
  const words = { comment: 'commented', assign: 'assigned', review: 'reviewed' } as const;
  for (const action of ['comment', 'assign', 'review'] as const) {
    const sealed = of.filter(({ data }) => data['action'] === action);
    const mine = scene.acts.filter((act) => act.hold === hold.seq && act.action === action);
    const told = mine.filter(({ answer }) => answer === 'sealed');
    const unknown = mine.filter(({ answer }) => answer === 'unknown');
    expect(sealed.length).toBeGreaterThanOrEqual(told.length);
    expect(sealed.length).toBeLessThanOrEqual(told.length + unknown.length);
    // Nobody talks about what was ruled on; only what was ruled on is reviewed.
    const isBefore = sealed.every(({ seq }) => seq < (final?.seq ?? Number.POSITIVE_INFINITY));
    if (action !== 'review') expect(isBefore).toBe(true);
    seen[words[action]] = (seen[words[action]] ?? 0) + sealed.length;
  }
  const reviews = of.filter(({ data }) => data['action'] === 'review');
  expect(reviews.length).toBeLessThanOrEqual(1);
  for (const { seq, data } of reviews) {
    expect(final?.data['breakGlass']).toBe(true);
    expect(seq).toBeGreaterThan(final?.seq ?? Number.POSITIVE_INFINITY);
    expect([final?.data['by'], 'agent']).not.toContain(data['by']);
  }
}

function judgeDeliveries(
  scene: Scene,
  hold: Entry,
  of: readonly Entry[],
  outcomes: readonly string[],
  seen: Record<string, number>,
): void {
  const final = of.findLast(({ type }) => type === 'ruling');
  const released = final?.data['verdict'] === 'release' || final?.data['verdict'] === 'amend';
  const handed = scene.collected.filter(({ hold: seq, handedOver }) => seq === hold.seq && handedOver);
  const again = of.filter(({ data }) => data['action'] === 'redelivery');
  expect(outcomes).toHaveLength(1);
  if (!released) {
    expect(of.filter(({ type }) => type === 'delivery')).toEqual([]);
    expect(handed).toEqual([]);
  }
  // Whoever has it a second time asked for it as a retry, and every hand-over is sealed, each before its first byte.
  expect(handed.slice(1).every(({ marked }) => marked)).toBe(true);
  const sealedHandOvers = of.filter(({ type }) => type === 'delivery').length + again.length;
  expect(handed.length).toBeLessThanOrEqual(sealedHandOvers);
  seen['delivered'] = (seen['delivered'] ?? 0) + Number(outcomes[0] === 'delivered');
  seen['redelivered'] = (seen['redelivered'] ?? 0) + again.length;
}
