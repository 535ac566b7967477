/** What a day is held to, as tests: the quick suite lives through one, the slow one through many. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missing, second } from '../second-opinion/opinions.ts';
import { endAll } from '../support/endings.ts';
import {
  checkAnswers,
  checkCopies,
  checkErasures,
  checkLedger,
  checkProvider,
  decisionsOf,
  type Told,
} from './afterwards.ts';
import { type Day, live } from './day.ts';
import { holdpoint } from './orders.ts';

const dayMsMax = 240_000;

/** What happens when is chance all the same; the seed gives who does what. */
export function describeDay(seed: number, casesEach: number): void {
  describe(`a day on which everything happens at once (TEST_SEED=${seed})`, () => {
    let day: Day;
    let told: ReadonlyMap<string, Told>;
    beforeAll(async () => {
      day = await live(seed, casesEach);
      told = await decisionsOf(day);
    }, dayMsMax);
    afterAll(async () => {
      await endAll();
      day?.morning.house.remove();
    });

    it('was one: sidecars were killed, calls ruled on, keys changed, entries proved', () => {
      expect(day.morning.starts()).toBeGreaterThan(1);
      const { rulings, rotations, epochs, proofs, backups, exports, erasures, checkpoints } = day.kept;
      for (const count of [rulings, rotations, epochs, proofs]) expect(count).toBeGreaterThan(0);
      for (const list of [backups, exports, erasures, checkpoints]) expect(list).not.toEqual([]);
    });

    it(
      'leaves a ledger that verifies under its first key and continues every checkpoint that was kept',
      async () => {
        expect(await checkLedger(day, told)).toBeGreaterThan(told.size);
      },
      dayMsMax,
    );

    it('gave every caller what its case and the ruling on it say, byte for byte', () => {
      expect(day.received.length).toBeGreaterThan(casesEach);
      checkAnswers(day, told);
    });

    it('let nothing reach the provider that is not sealed, or was to be released first and was not', () => {
      expect(day.provider.reached.size).toBeGreaterThan(casesEach);
      checkProvider(day, told);
    });

    it('ended every erasure that was granted', async () => {
      await checkErasures(day);
    });

    it(
      'leaves backups and exports that are whole, and the last backup becomes a ledger again',
      async () => {
        await checkCopies(day);
      },
      dayMsMax,
    );

    it.skipIf(missing.length > 0)(
      'is told alike by a verifier that is not ours',
      async () => {
        const { house } = day.morning;
        const file = join(house.directory, 'evening.hpj');
        await holdpoint('ledger', 'export', file, '--config', house.configFile);
        const { ok, size, findings } = await second(file);
        expect([ok, findings, size]).toEqual([true, [], await checkLedger(day, told)]);
      },
      dayMsMax,
    );

    it('gave no sidecar reason to complain', () => {
      expect(day.morning.complaints).toEqual([]);
    });
  });
}
