import { afterEach, expect, it } from 'vitest';
import { endAll } from '../support/endings.ts';
import { killRepeatedly } from './rounds.ts';

afterEach(endAll);

it('three kills under load lose nothing that anybody received, and every ledger verifies', async () => {
  const seed = Date.now() % 1_000_000;
  const report = await killRepeatedly(3, seed).catch((error: unknown) => {
    throw new Error(`with seed ${seed}`, { cause: error });
  });
  expect(report.rounds).toBe(3);
  expect(report.received).toBeGreaterThan(0);
}, 60_000);
