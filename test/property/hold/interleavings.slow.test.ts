import { expect, it } from 'vitest';
import { playHistories } from './histories.ts';

it('in thousands of histories of up to a hundred steps each release is used once and nothing leaks', async () => {
  const seen = await playHistories(4_000, 100);
  for (const often of Object.values(seen)) expect(often).toBeGreaterThan(10);
}, 1_800_000);
