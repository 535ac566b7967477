import { expect, it } from 'vitest';
import { playHistories } from './histories.ts';

it('rulings, expiry, callers and restarts in any order leave one ruling, one outcome and one delivery', async () => {
  const seen = await playHistories(200, 45);
  // A history in which nothing is ever released, denied or delivered would show nothing.
  for (const often of [
    ...[seen.released, seen.denied, seen.expired, seen.delivered, seen.refused],
    ...[
      seen.lent,
      seen.ruledInStead,
      seen.glassBroken,
      seen.reviewed,
      seen.commented,
      seen.assigned,
      seen.escalated,
    ],
  ])
    expect(often).toBeGreaterThan(0);
}, 60_000);
