/** What was recorded, judged again. */
import { createDamage } from '../../src/control/damage.ts';
import { openDraft } from '../../src/policy/backtest.ts';
import { type PageOrder, type ReplayHouse, replayPage } from '../../src/replay/backtest.ts';
import type { TestSidecar } from '../support/sidecar.ts';

/** No other call waits. */
const immediate = Object.freeze({ callsInFlight: () => 0, rest: async () => undefined });

/** Judges everything that a sidecar recorded by another policy. */
export async function replay(
  { sidecar: { ledger } }: Pick<TestSidecar, 'sidecar'>,
  policy: string,
  others: Partial<ReplayHouse & PageOrder> = {},
) {
  const clock = { nowMs: () => 0, monoUs: () => 0 };
  const order = {
    draft: await openDraft('draft.yaml', policy, undefined, () => Promise.resolve()),
    before: Number.MAX_SAFE_INTEGER,
    sinceMs: Number.NEGATIVE_INFINITY,
    untilMs: Number.POSITIVE_INFINITY,
    decisionsMax: 1_000,
    isAbandoned: () => false,
    damage: createDamage(ledger),
  };
  return replayPage({ ...order, ...others }, { ledger, clock, ...immediate, ...others });
}
