import { expect, it } from 'vitest';
import { playHistories } from './histories.ts';

it('thousands of histories of up to a hundred steps leave one ruling, one outcome and one delivery', async () => {
  const seen = await playHistories(5_000, 100);
  for (const often of Object.values(seen)) expect(often).toBeGreaterThan(25);
}, 1_800_000);
