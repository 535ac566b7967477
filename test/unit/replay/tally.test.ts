/** What a replay counts, and of what it says nothing: a verdict is compared only where every phase was judged by every rule. */
import { describe, expect, it } from 'vitest';
import type { DraftRule } from '../../../src/policy/backtest.ts';
import { createTally, type PhaseResult, stricter, type Verdict } from '../../../src/replay/tally.ts';

const drafted: DraftRule = { id: 'drafted', title: 'Drafted', phase: 'request', action: 'hold' };

function result(
  given: Partial<Record<'before' | 'now' | 'failed' | 'unknown', readonly string[]>>,
): PhaseResult {
  const { before = [], now = [], failed = [], unknown = [] } = given;
  return {
    phase: 'request',
    before: new Set(before),
    now: new Set(now),
    failed: new Set(failed),
    unknown: new Set(unknown),
    verdictBefore: before.length > 0 ? 'hold' : 'pass',
    verdictNow: unknown.length > 0 ? null : now.length > 0 ? 'hold' : 'pass',
  };
}

/** Of the rule of the draft, after one decision. */
function rowAfter(...results: readonly PhaseResult[]) {
  const tally = createTally([drafted]);
  tally.add(7, results, []);
  const row = tally.rules().find(({ rule }) => rule === 'drafted');
  if (row === undefined) throw new Error('the rule of the draft has a row');
  const { now, before, newly, noLonger, failed, unknown } = row;
  return {
    ...{ now, before, newly: newly.decisions, noLonger: noLonger.decisions },
    ...{ failed: failed.decisions, unknown: unknown.decisions },
  };
}

const none = { now: 0, before: 0, newly: 0, noLonger: 0, failed: 0, unknown: 0 };

describe('a rule of the draft counts as', () => {
  it.each([
    ['the same', { before: ['drafted'], now: ['drafted'] }, { now: 1, before: 1 }],
    ['newly matching', { now: ['drafted'] }, { now: 1, newly: 1 }],
    ['no longer matching', { before: ['drafted'] }, { before: 1, noLonger: 1 }],
    ['failed, and matching', { now: ['drafted'], failed: ['drafted'] }, { now: 1, newly: 1, failed: 1 }],
    ['unknown, and nothing else', { unknown: ['drafted'] }, { unknown: 1 }],
    [
      'unknown, and not as no longer matching',
      { before: ['drafted'], unknown: ['drafted'] },
      { before: 1, unknown: 1 },
    ],
    [
      'matching where it was not tried on another line',
      { now: ['drafted'], unknown: ['drafted'] },
      { now: 1, newly: 1 },
    ],
  ])('%s', (_what, given, expected) => {
    expect(rowAfter(result(given))).toEqual({ ...none, ...expected });
  });
});

describe('a decision in two phases', () => {
  const phased = (
    phase: PhaseResult['phase'],
    verdictBefore: Verdict,
    verdictNow: Verdict | null,
  ): PhaseResult => ({
    ...result({}),
    ...{ phase, verdictBefore, verdictNow },
  });

  it('is counted in each, and once by the stricter verdict of the two, then and now', () => {
    const tally = createTally([]);
    tally.add(1, [phased('request', 'hold', 'flag'), phased('response', 'pass', 'deny')], []);
    tally.add(2, [phased('request', 'pass', 'deny'), phased('response', 'hold', 'flag')], []);
    expect(tally.replayed()).toEqual({ request: 2, response: 2 });
    expect(tally.decisions()).toBe(2);
    expect(tally.verdicts()).toEqual([{ before: 'hold', now: 'deny', decisions: 2 }]);
  });

  it.each([
    [
      'a rule was not tried in one',
      [phased('request', 'hold', 'pass'), phased('response', 'pass', null)],
      [],
    ],
    ['one cannot be read', [phased('request', 'hold', 'pass')], [{ phase: 'response', obstacle: 'erased' }]],
    ['none was judged', [], []],
  ] as const)('has no verdict where %s', (_why, results, stopped) => {
    const tally = createTally([]);
    tally.add(1, results, stopped);
    expect(tally.verdicts()).toEqual([]);
    expect(tally.decisions()).toBe(1);
  });

  it('is named for what stood in the way of each', () => {
    const tally = createTally([]);
    const obstacle = 'erased';
    tally.add(
      3,
      [],
      [
        { phase: 'request', obstacle },
        { phase: 'response', obstacle },
      ],
    );
    expect(tally.obstacles()).toEqual([
      { phase: 'request', obstacle, decisions: 1, examples: [3] },
      { phase: 'response', obstacle, decisions: 1, examples: [3] },
    ]);
  });
});

it.each([
  ['pass', 'flag'],
  ['flag', 'hold'],
  ['hold', 'deny'],
] as const)('of %s and %s the second is stricter, on whichever side it stands', (a, b) => {
  expect([stricter(a, b), stricter(b, a), stricter(a, a)]).toEqual([b, b, a]);
});

describe('what a tally keeps is bounded', () => {
  it('names the first five decisions, and counts them all', () => {
    const tally = createTally([drafted]);
    for (const seq of [9, 8, 7, 6, 5, 4, 3]) tally.add(seq, [result({ now: ['drafted'] })], []);
    expect(tally.rules()[0]?.newly).toEqual({ decisions: 7, examples: [9, 8, 7, 6, 5] });
  });

  it('counts the rules of earlier policies together once there are a thousand, however many the draft has', () => {
    const rules = Array.from({ length: 600 }, (_, i) => ({ ...drafted, id: `drafted-${i}` }));
    const tally = createTally(rules);
    for (let i = 0; i < 1_002; i++) tally.add(i, [result({ before: [`former-${i}`] })], []);
    const former = tally.rules().filter(({ draft }) => draft === null);
    expect(former).toHaveLength(1_001);
    expect(former.at(-1)).toMatchObject({
      rule: 'holdpoint:other-rules',
      before: 2,
      noLonger: { decisions: 2 },
    });
    expect(former.at(-2)).toMatchObject({ rule: 'former-999', before: 1 });
  });
});
