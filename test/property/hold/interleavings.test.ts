import { expect, it } from 'vitest';
import { playHistories } from './histories.ts';

it('questions and answers, each held, in any order of rulings, expiry, callers, policies and restarts: each release is used once, nothing leaks and nobody waits for ever', async () => {
  const seen = await playHistories(145, 45);
  // A history in which nothing is ever released, denied or delivered would show nothing. So few histories need not have
  // what is rarer: the slow test has enough of them for everything.
  for (const often of [
    ...[seen.released, seen.denied, seen.expired, seen.refused, seen.astray],
    ...[seen.asked, seen.delivered, seen.heldTwice, seen.expiredSecond, seen.restartedBetween],
    ...[seen.glassBroken, seen.commented, seen.escalated, seen.lent],
    ...[seen.outages, seen.rulesChanged, seen.restoredUnderLater],
  ])
    expect(often).toBeGreaterThan(0);
}, 120_000);
