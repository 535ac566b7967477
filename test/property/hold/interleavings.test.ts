import { expect, it } from 'vitest';
import { playHistories } from './histories.ts';

it('rulings, expiry, callers and restarts in any order leave one ruling, one outcome and one delivery', async () => {
  const seen = await playHistories(150, 40);
  // A history in which nothing is ever released, denied or delivered would show nothing.
  for (const often of [seen.released, seen.denied, seen.expired, seen.delivered, seen.refused])
    expect(often).toBeGreaterThan(5);
}, 60_000);
