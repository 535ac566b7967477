/** Plays histories of calls and their holds against the real sidecar, and judges what was sealed and what went out. */
import fc from 'fast-check';
import { expect, vi } from 'vitest';
import { type LedgerUnderTest, outcomesIn } from '../../fault/ledger-under-test.ts';
import { histories } from './commands.ts';
import { judgeActs } from './judge-acts.ts';
import { judgeCallers } from './judge-callers.ts';
import { judgeDecision } from './judge-decisions.ts';
import { judgeDemand } from './judge-demands.ts';
import { judgePolicies, judgeRules } from './judge-policies.ts';
import { judgeRulings } from './judge-rulings.ts';
import { createScene, type Scene } from './scene.ts';
import { nothingSeen, type Seen } from './seen.ts';
import { storiesIn } from './story.ts';

/** A question and its answer, both held: what most commands are about. */
const beginning = fc.record({
  isSlow: fc.constantFrom(false, false, true),
  streams: fc.boolean(),
  question: fc.constantFrom(1, 1, 2),
  answer: fc.constantFrom(1, 1, 2),
});

/** What else is to be said of the ledger that a history left. */
export type Opinion = (house: LedgerUnderTest) => Promise<void>;

/** Resolves with how often each thing happened in the histories that were played. */
export async function playHistories(
  numRuns: number,
  lengthMax: number,
  opinion: Opinion | null = null,
): Promise<Seen> {
  const seen = nothingSeen();
  await fc.assert(
    fc.asyncProperty(beginning, histories(lengthMax), async ({ isSlow, ...kind }, commands) => {
      try {
        const scene = await createScene();
        if (isSlow) scene.holdAnswers();
        await scene.ask(kind);
        const model = { calls: 1, isFrozen: false, isUnread: false, isFailing: false, isSlow };
        await fc.asyncModelRun(async () => ({ model, real: scene }), commands);
        await judge(scene, seen);
        await opinion?.(scene.house);
      } finally {
        vi.useRealTimers();
      }
    }),
    { numRuns },
  );
  return seen;
}

async function judge(scene: Scene, seen: Seen): Promise<void> {
  await scene.end();
  expect(scene.watch.violations).toEqual([]);
  expect(await scene.house.verify()).toMatchObject({ ok: true });
  const entries = scene.house.entries();
  const outcomes = outcomesIn(entries);
  for (const story of storiesIn(entries)) {
    const ends = outcomes.get(story.request.seq) ?? [];
    judgeDecision(scene, story, ends, seen);
    judgePolicies(scene, story, seen);
    judgeCallers(scene, story, seen);
    for (const hold of [...story.questions, ...story.answers]) {
      judgeRulings(scene, hold, ends[0], judgeDemand(scene, story, hold), seen);
      judgeActs(scene, hold, seen);
    }
  }
  judgeRules(scene, entries, seen);
  seen.histories += 1;
  seen.outages += scene.house.events.filter(({ kind }) => kind === 'failed').length;
  seen.lent += entries.filter(({ data }) => data['action'] === 'delegate').length;
}
