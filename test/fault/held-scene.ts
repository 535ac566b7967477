/** A ledger over a memory disk with its queue, one answer that is held, and what befalls it. Timers are the test's. */
import { expect, vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import { createHoldQueue, type HoldQueue } from '../../src/hold/queue.ts';
import type { Hold } from '../../src/hold/record.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createLedgerUnderTest, type LedgerUnderTest, requestDraft } from './ledger-under-test.ts';

export interface Held {
  readonly house: LedgerUnderTest;
  readonly ledger: Ledger;
  readonly holds: HoldQueue;
  readonly hold: Hold;
}

/** A sidecar in small: a ledger with its queue, and one answer that is held. */
export async function held(): Promise<Held> {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const holds = queueOver(house, ledger);
  const request = ledger.seal(requestDraft);
  await request.durable;
  const response = ledger.seal({
    type: 'response',
    data: { decision: request.seq, verdict: 'hold' },
    refs: [request.seq],
    parts: [{ name: 'response', bytes: Buffer.from('transfer 25000') }],
  });
  await response.durable;
  const openedAtMs = house.clock.ms;
  const hold = await holds.open(
    {
      decision: request.seq,
      phase: 'response',
      rules: [],
      policyDigest: '',
      policyVersion: '',
      openedAtMs,
      retryKey: 'same call',
      response: response.seq,
      passedBytes: 0,
    },
    {
      approvals: 1,
      roles: ['reviewer'],
      notRequester: true,
      requester: 'agent',
      digest: response.parts()[0]?.c ?? '',
      expiresAtMs: openedAtMs + 900_000,
      breakGlass: { roles: ['admin'], collectInMs: 300_000 },
    },
  );
  return { house, ledger, holds, hold };
}

export function queueOver(house: LedgerUnderTest, ledger: Ledger): HoldQueue {
  const holds = createHoldQueue({
    ledger,
    clock: { nowMs: () => house.clock.ms, monoUs: () => 0 },
    schedule: (ms, fn) => {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    onError: () => undefined,
  });
  house.onEvent = ({ kind }) => {
    if (kind === 'opened') restored = holds.restore();
  };
  return holds;
}
let restored: Promise<void> = Promise.resolve();

/** Does this in the moment in which the ledger takes entries again, when nothing was read of what it has. */
export function onReturn({ house, holds }: Held, act: () => Promise<unknown>): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  house.onEvent = ({ kind }) => {
    if (kind !== 'opened') return;
    restored = holds.restore();
    resolve(
      act().then(
        () => 'sealed',
        (error: unknown) => (error instanceof HoldpointError ? error.code : error),
      ),
    );
  };
  return promise;
}

export async function outage(
  house: LedgerUnderTest,
  ledger: Ledger,
  during: () => Promise<unknown>,
): Promise<void> {
  await expect(during()).rejects.toBeInstanceOf(HoldpointError);
  house.disk.fateOf = () => 'written';
  for (let step = 0; step < 100 && !ledger.isWritable(); step += 1) {
    await vi.advanceTimersByTimeAsync(50);
    await new Promise(setImmediate);
  }
  await restored;
}

export function rule({ holds, hold }: Held, verdict: 'release' | 'deny'): Promise<void> {
  const digest = hold.state.terms.digest;
  return holds.rule(
    hold,
    { verdict, by: 'ada', role: 'reviewer', digest, reason: 'Checked with finance.' },
    null,
  );
}

export async function end({ house, ledger, holds }: Held): Promise<void> {
  holds.stop();
  await vi.advanceTimersByTimeAsync(100);
  await ledger.close('test');
  expect((await house.verify()).findings).toEqual([]);
}
