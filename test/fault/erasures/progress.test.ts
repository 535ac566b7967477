/** What an erasure tells of what it did, and what a schedule looks at once more. */
import { describe, expect, it } from 'vitest';
import { createLedgerUnderTest } from '../ledger-under-test.ts';
import {
  bodyCode,
  bySubject,
  createTimers,
  dayMs,
  decide,
  decideMany,
  deskOf,
  erasuresOf,
  run,
} from './scene.ts';

const person = { by: 'petra', role: 'privacy' } as const;

/** A schedule that comes when it is told to. */
async function scheduled() {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const timers = createTimers();
  const terms = { rules: [{ id: 'all', match: {}, keepDays: 1 }], exemptions: [] };
  const desk = deskOf(house, ledger, { terms, schedule: timers.schedule });
  const pass = async () => {
    expect(timers.fire()).toBe(true);
    while (desk.totals().pending > 0) await new Promise((resolve) => setImmediate(resolve));
    return desk.retention.state().rules[0]?.last;
  };
  return { house, ledger, desk, pass };
}

describe('a schedule that is refused more decisions than it remembers', () => {
  it('begins its next look at the first of the others, and erases every one once it may', async () => {
    const { house, ledger, desk, pass } = await scheduled();
    const decisions = await decideMany(ledger, 1030);
    const { seq } = await desk.placeHold({ match: {} }, person, 'a case');
    house.clock.ms += 2 * dayMs;
    expect((await pass())?.progress.refused.legal_hold).toBe(1030);
    const mark = await ledger.retentionMarks.get('all');
    expect(mark?.again).toEqual(decisions.slice(0, 1024));
    expect(mark?.upTo).toBe(decisions[1024]);
    await desk.liftHold(seq, person, 'closed');
    expect((await pass())?.progress.erased).toBe(1030);
    for (const decision of [decisions[0], decisions[1024], decisions.at(-1)])
      expect(await bodyCode(ledger, decision ?? -1, 'request')).toBe('erased');
    await ledger.close('test');
  });
});

describe('what was erased', () => {
  async function erased(dryRun: boolean) {
    const house = createLedgerUnderTest();
    const ledger = await house.open();
    let reclaims = 0;
    const given = {
      ...ledger,
      reclaim: async () => {
        reclaims += 1;
        return 7;
      },
    };
    await decide(ledger);
    const desk = deskOf(house, given);
    const before = desk.totals();
    const { progress } = await run(desk, { ...bySubject, dryRun });
    const again = (await run(desk, { ...bySubject, dryRun })).progress;
    const after = desk.totals();
    await ledger.close('test');
    const entries = erasuresOf(house).map(({ seq }) => seq);
    return { progress, again, before, after, reclaims, entries };
  }

  it('is counted in bytes, and its room given back, once', async () => {
    const { progress, again, before, after, reclaims, entries } = await erased(false);
    expect(progress.bytesWiped).toBeGreaterThan(0);
    expect(progress.bytesReclaimed).toBe(7);
    expect([again.bytesWiped, again.bytesReclaimed, reclaims]).toEqual([0, 0, 1]);
    expect([progress.entries, again.entries].flat()).toEqual(entries);
    expect(before).toEqual({ pending: 0, parts: 0, bytesWiped: 0, lookedAt: 0 });
    expect(after).toEqual({ pending: 0, parts: 2, bytesWiped: progress.bytesWiped, lookedAt: 0 });
  });

  it('is nothing where it was looked at alone', async () => {
    const { progress, after, reclaims } = await erased(true);
    expect([progress.parts, progress.bytesWiped, reclaims]).toEqual([2, 0, 0]);
    expect(after).toEqual({ pending: 0, parts: 0, bytesWiped: 0, lookedAt: 0 });
  });
});
