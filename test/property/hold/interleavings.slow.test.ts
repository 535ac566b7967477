import { expect, it } from 'vitest';
import { playHistories } from './histories.ts';

it('in thousands of histories of up to a hundred steps each release is used once, nothing leaks and nobody waits for ever', async () => {
  const seen = await playHistories(8_000, 100);
  for (const [what, often] of Object.entries(seen)) expect(often, what).toBeGreaterThan(5);
}, 1_800_000);
