import { describe, expect, it } from 'vitest';
import type { SummaryAnswer } from '../../../src/control/api/summary.ts';
import { keepSummaries } from '../../../src/control/kept-summaries.ts';
import { createSummary } from '../../../src/control/summary.ts';

const window = { fromMs: 0, toMs: 3_600_000, buckets: 1 };
const [from, to] = ['1970-01-01T00:00:00.000Z', '1970-01-01T01:00:00.000Z'];
const answer: SummaryAnswer = {
  ...{ from, to, countedFrom: from, unreadable: [], unreadableEntries: 0 },
  ...createSummary(window).result(),
};

/** Summaries that each take so long by a clock of its own, and the hours for which one was made. */
function scene(tookMs: number) {
  let nowMs = 0;
  const made: number[] = [];
  const summaryOf = keepSummaries(
    async (hours) => {
      made.push(hours);
      nowMs += tookMs;
      return answer;
    },
    () => nowMs,
  );
  return { made, summaryOf, pass: (ms: number) => (nowMs += ms) };
}

describe('a summary', () => {
  it('is made once for all who ask within five seconds', async () => {
    const { made, summaryOf, pass } = scene(0);
    await Promise.all([summaryOf(24), summaryOf(24)]);
    pass(4_999);
    await summaryOf(24);
    expect(made).toEqual([24]);
    pass(1);
    await summaryOf(24);
    expect(made).toEqual([24, 24]);
  });

  it('that took long is kept twenty times as long as it took', async () => {
    const { made, summaryOf, pass } = scene(2_000);
    await summaryOf(24);
    pass(39_999);
    await summaryOf(24);
    expect(made).toHaveLength(1);
    pass(1);
    await summaryOf(24);
    expect(made).toHaveLength(2);
  });

  it('of another window is made after the first', async () => {
    const ends: (() => void)[] = [];
    const made: number[] = [];
    const summaryOf = keepSummaries(
      (hours) => {
        made.push(hours);
        return new Promise((resolve) => ends.push(() => resolve(answer)));
      },
      () => 0,
    );
    const first = summaryOf(1);
    const second = summaryOf(2);
    await Promise.resolve();
    expect(made).toEqual([1]);
    ends.shift()?.();
    await first;
    await Promise.resolve();
    expect(made).toEqual([1, 2]);
    ends.shift()?.();
    await second;
  });

  it('that failed is made anew for the next who asks', async () => {
    let calls = 0;
    const summaryOf = keepSummaries(
      async () => {
        calls += 1;
        if (calls === 1) throw new Error('damaged');
        return answer;
      },
      () => 0,
    );
    await expect(summaryOf(24)).rejects.toThrow('damaged');
    expect(await summaryOf(24)).toBe(answer);
  });
});
