/** A queue over a real ledger in memory, whose rulings and steps a test may refuse, and one hold in it. */
import { createHoldQueue } from '../../../src/hold/queue.ts';
import type { HoldFacts } from '../../../src/hold/record.ts';
import type { HoldTermsFixed } from '../../../src/hold/terms.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createLedgerUnderTest } from '../../fault/ledger-under-test.ts';
import { createManualTime } from '../../support/time.ts';

export const expiresInMs = 1_000;

/** `onRuling` and `onStep` run before a ruling, or a step up a ladder, is sealed; what they throw refuses it. */
export async function startQueue(
  onRuling: () => void = () => undefined,
  onStep: () => void = () => undefined,
) {
  const time = createManualTime();
  const opened = await createLedgerUnderTest().open({ clock: time.clock });
  const outcomes: string[] = [];
  const ledger: Ledger = {
    ...opened,
    seal: (draft) => {
      if (draft.type === 'ruling') onRuling();
      if (draft.data['action'] === 'escalation') onStep();
      return opened.seal(draft);
    },
    settle: (decision, outcome) => {
      outcomes.push(outcome);
      opened.settle(decision, outcome);
    },
  };
  const errors: string[] = [];
  const { clock, schedule } = time;
  const holds = createHoldQueue({ ledger, clock, schedule, onError: (what) => errors.push(what) });
  return {
    time,
    holds,
    errors,
    /** Those that decisions were given, in order. */
    outcomes,
    openHold: async (terms: Partial<HoldTermsFixed> = {}, facts: Partial<HoldFacts> = {}) => {
      const request = ledger.seal({
        type: 'request',
        data: { verdict: 'hold' },
        parts: [{ name: 'request', bytes: Buffer.from('pay') }],
      });
      await request.durable;
      const openedAtMs = clock.nowMs();
      const digest = request.parts()[0]?.c ?? '';
      return holds.open(
        {
          ...{ decision: request.seq, phase: 'request', rules: [], policyDigest: '', policyVersion: '' },
          ...{ openedAtMs, retryKey: 'one call', response: null, passedBytes: 0 },
          ...facts,
        },
        {
          ...{ approvals: 1, roles: ['reviewer'], notRequester: false, requester: '', digest },
          expiresAtMs: openedAtMs + expiresInMs,
          ...terms,
        },
      );
    },
    end: async () => {
      holds.stop();
      await opened.close('test over');
    },
  };
}
