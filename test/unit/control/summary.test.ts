/** The numbers of a window, from sealed entries. */
import { describe, expect, it } from 'vitest';
import { createSummary } from '../../../src/control/summary.ts';
import type { JsonObject } from '../../../src/ledger/canonical.ts';
import type { Entry, EntryType } from '../../../src/ledger/entry.ts';

const startMs = Date.parse('2026-11-26T12:00:00.000Z');
const minuteMs = 60_000;

function entry(seq: number, type: EntryType, atMs: number, data: JsonObject): Entry {
  const at = new Date(startMs + atMs).toISOString();
  return {
    at,
    boot: '0'.repeat(16),
    data,
    durability: 'strict',
    kid: '0'.repeat(8),
    ledger: '0'.repeat(32),
    mono: seq,
    parts: [],
    prev: '0'.repeat(64),
    refs: [],
    seq,
    type,
    v: 1,
  };
}

function summaryOf(entries: readonly Entry[]) {
  const summary = createSummary({ fromMs: startMs, toMs: startMs + 10 * minuteMs, buckets: 10 });
  for (const one of entries) summary.add(one);
  return summary.result();
}

describe('a summary', () => {
  it('counts each decision in the column of the time it was asked', () => {
    const { buckets } = summaryOf([
      entry(0, 'request', 0, { model: 'gpt-4.1' }),
      entry(1, 'request', 9.99 * minuteMs, { model: 'gpt-4.1' }),
    ]);
    expect(buckets.map(({ decisions }) => decisions)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('leaves out what came before the window and after it', () => {
    const { buckets } = summaryOf([
      entry(0, 'request', -1, { model: 'gpt-4.1' }),
      entry(1, 'request', 10 * minuteMs, { model: 'gpt-4.1' }),
    ]);
    expect(buckets.some(({ decisions }) => decisions > 0)).toBe(false);
  });

  it('counts the time to a ruling for people, never for expiry', () => {
    const { timeToRuling, rulingTimes, buckets } = summaryOf([
      entry(4, 'ruling', 2 * minuteMs, { final: true, hold: 2, verdict: 'expired' }),
      entry(3, 'ruling', minuteMs, { final: true, hold: 1, verdict: 'deny' }),
      entry(2, 'hold', 0, {}),
      entry(1, 'hold', 20_000, {}),
    ]);
    expect(timeToRuling).toEqual({ count: 1, p50: 40_000, p90: 40_000, max: 40_000 });
    expect(rulingTimes.filter(({ count }) => count > 0)).toEqual([{ upToMs: 60_000, count: 1 }]);
    expect(buckets[1]?.denied).toBe(1);
    expect(buckets[2]?.expired).toBe(1);
  });

  it('does not count an approval that does not end the hold', () => {
    const { buckets } = summaryOf([
      entry(0, 'hold', 0, {}),
      entry(1, 'ruling', minuteMs, { final: false, hold: 0, verdict: 'release' }),
    ]);
    expect(buckets.reduce((sum, { released }) => sum + released, 0)).toBe(0);
  });

  it('counts every outcome that one delivery closes', () => {
    const { outcomes } = summaryOf([
      entry(3, 'delivery', 0, {
        outcomes: [
          [0, 'delivered'],
          [1, 'denied'],
          [2, 'delivered'],
        ],
      }),
    ]);
    expect(outcomes).toEqual({ delivered: 2, denied: 1 });
  });

  it('counts tokens only where the provider did', () => {
    const { buckets, latencyMs } = summaryOf([
      entry(1, 'response', 0, {
        elapsedUs: 250_400,
        usage: { source: 'provider', input: 7, output: 5, total: 12 },
      }),
      entry(2, 'response', 0, { elapsedUs: 750_400, usage: { source: 'absent' } }),
    ]);
    expect(buckets[0]).toMatchObject({ inputTokens: 7, outputTokens: 5 });
    expect(latencyMs).toEqual({ count: 2, p50: 750, p90: 750, max: 750 });
  });
});
