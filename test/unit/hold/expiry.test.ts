import { expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { createHoldQueue } from '../../../src/hold/queue.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createLedgerUnderTest } from '../../fault/ledger-under-test.ts';
import { createManualTime } from '../../support/time.ts';

it('an expiry that the ledger refuses is tried again once a second, not at once', async () => {
  const time = createManualTime();
  const house = createLedgerUnderTest();
  const opened = await house.open({ clock: time.clock });
  let attempts = 0;
  const ledger: Ledger = {
    ...opened,
    seal: (draft) => {
      if (draft.type !== 'ruling') return opened.seal(draft);
      attempts += 1;
      throw new HoldpointError('ledger_unavailable', 'The ledger cannot be written.');
    },
  };
  const errors: string[] = [];
  const holds = createHoldQueue({
    ledger,
    clock: time.clock,
    schedule: time.schedule,
    onError: (what) => errors.push(what),
  });
  const request = ledger.seal({ type: 'request', data: { verdict: 'hold' }, parts: [] });
  await request.durable;
  await holds.open(
    {
      decision: request.seq,
      phase: 'request',
      rules: [],
      policyDigest: '',
      policyVersion: '',
      openedAtMs: time.clock.nowMs(),
      retryKey: 'one call',
      response: null,
      passedBytes: 0,
    },
    {
      approvals: 1,
      roles: ['reviewer'],
      notRequester: false,
      requester: '',
      digest: '',
      expiresAtMs: time.clock.nowMs() + 1_000,
    },
  );
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  time.advance(1_000);
  await settled();
  for (let turn = 0; turn < 20; turn += 1) {
    time.advance(1);
    await settled();
  }
  expect(attempts).toBe(1);
  time.advance(1_000);
  await settled();
  expect(attempts).toBe(2);
  expect(errors).toHaveLength(2);
  holds.stop();
  await opened.close('test over');
});
