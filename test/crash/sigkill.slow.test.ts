import { afterEach, expect, it } from 'vitest';
import { endAll } from '../support/endings.ts';
import { killRepeatedly } from './rounds.ts';

afterEach(endAll);

it('two hundred kills under load lose nothing that anybody received, and every ledger verifies', async () => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
  const report = await killRepeatedly(200, seed).catch((error: unknown) => {
    throw new Error(`with TEST_SEED=${seed}`, { cause: error });
  });
  process.stdout.write(`sigkill, seed ${seed}: ${JSON.stringify(report)}\n`);
  expect(report.rounds).toBe(200);
  expect(report.received).toBeGreaterThan(500);
  expect(report.withRoom).toBeGreaterThan(50);
  expect(report.released).toBeGreaterThan(100);
});
