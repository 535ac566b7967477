/** A wall clock that jumps, and a boot whose monotonic clock starts over: the ledger verifies, holds keep their terms. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createHoldQueue, type HoldQueue } from '../../src/hold/queue.ts';
import type { Hold } from '../../src/hold/record.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { bounds } from '../../src/ledger/sealer.ts';
import { createLedgerUnderTest, exchange, type LedgerUnderTest, requestDraft } from './ledger-under-test.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const minuteMs = 60_000;
const expiresInMs = 15 * minuteMs;

function queueOver(house: LedgerUnderTest, ledger: Ledger): HoldQueue {
  return createHoldQueue({
    ledger,
    clock: { nowMs: () => house.clock.ms, monoUs: () => 0 },
    schedule: (ms, fn) => {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    onError: (_what, error) => {
      throw error;
    },
  });
}

async function hold(house: LedgerUnderTest, ledger: Ledger, holds: HoldQueue): Promise<Hold> {
  const request = ledger.seal({ ...requestDraft, data: { verdict: 'hold' } });
  await request.durable;
  const atMs = house.clock.ms;
  const facts = {
    decision: request.seq,
    phase: 'request' as const,
    rules: [],
    openedAtMs: atMs,
    retryKey: 'call',
  };
  return holds.open(
    { ...facts, policyDigest: '', policyVersion: '', response: null, passedBytes: 0 },
    {
      approvals: 1,
      roles: ['reviewer'],
      notRequester: true,
      requester: 'agent',
      digest: request.parts()[0]?.c ?? '',
      expiresAtMs: atMs + expiresInMs,
    },
  );
}

/** Time that really passes: both clocks move on. */
async function pass(house: LedgerUnderTest, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += minuteMs) {
    house.clock.ms += minuteMs;
    await vi.advanceTimersByTimeAsync(minuteMs);
    for (let round = 0; round < 10; round += 1) await new Promise(setImmediate);
  }
}

async function end(house: LedgerUnderTest, ledger: Ledger, holds: HoldQueue) {
  holds.stop();
  await vi.advanceTimersByTimeAsync(100);
  await ledger.close('test');
  const verdict = await house.verify();
  expect(verdict.findings).toEqual([]);
  return verdict;
}

it('a hold whose wall clock steps back waits until its sealed time comes again, and can be ruled until then', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const holds = queueOver(house, ledger);
  const first = await hold(house, ledger, holds);
  house.clock.ms -= 60 * minuteMs;
  await pass(house, 70 * minuteMs);
  expect(first.state.status).toBe('pending');
  await pass(house, 10 * minuteMs);
  expect(first.state.status).toBe('expired');
  const second = await hold(house, ledger, holds);
  house.clock.ms -= 60 * minuteMs;
  await pass(house, expiresInMs + minuteMs);
  const digest = second.state.terms.digest;
  const ruling = { by: 'ada', role: 'reviewer', reason: 'Checked.', digest };
  await holds.rule(second, { ...ruling, verdict: 'deny' }, null);
  const verdict = await end(house, ledger, holds);
  expect(verdict.decisions.byOutcome).toMatchObject({ expired: 1, denied: 1 });
  expect(verdict.notes.join()).toContain('The wall clock stepped back 2 times.');
});

it('a hold whose wall clock jumped past its time cannot be released any more, and expires', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const holds = queueOver(house, ledger);
  const held = await hold(house, ledger, holds);
  house.clock.ms += 60 * minuteMs;
  const digest = held.state.terms.digest;
  const ruling = { by: 'ada', role: 'reviewer', reason: 'Checked.', digest, verdict: 'release' as const };
  await expect(holds.rule(held, ruling, null)).rejects.toMatchObject({ code: 'ruling_expired' });
  await pass(house, expiresInMs);
  expect(held.state.status).toBe('expired');
  expect((await end(house, ledger, holds)).decisions.byOutcome.expired).toBe(1);
});

it('a boot a day earlier by its wall clock, with a monotonic clock from zero, goes on: the hold waits, calls are sealed', async () => {
  const house = createLedgerUnderTest();
  const before = await house.open();
  const queueBefore = queueOver(house, before);
  await exchange(before, () => undefined);
  const held = await hold(house, before, queueBefore);
  await end(house, before, queueBefore);
  house.clock.ms -= 24 * 60 * minuteMs;
  house.clock.us = 0;
  const ledger = await house.open();
  const holds = queueOver(house, ledger);
  await holds.restore();
  expect(holds.list().map(({ id, state }) => [id, state.status])).toEqual([[held.id, 'pending']]);
  await exchange(ledger, () => undefined);
  await pass(house, expiresInMs);
  const [again] = holds.list();
  expect(again?.state.status).toBe('pending');
  const verdict = await end(house, ledger, holds);
  expect(verdict.decisions).toMatchObject({ total: 3, open: 1 });
  expect(verdict.notes.join()).toContain('The wall clock stepped back 1 time.');
});

it('a clock that says no time of the years 1 to 9999 stops sealing until it is set, and leaves a ledger that verifies', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const read = { type: 'access' as const, data: { by: 'ada', role: 'auditor', action: 'read' } };
  // One more and a heartbeat with a snapshot comes before it.
  while (ledger.seal(read).seq < bounds.snapshotEveryEntries - 2);
  const { ms } = house.clock;
  for (const wrong of [Date.UTC(10_000, 0), Number.NaN, Date.UTC(0, 0) - 2000 * 366 * 86_400_000]) {
    house.clock.ms = wrong;
    for (let turn = 0; turn < 2; turn += 1)
      expect(() => ledger.seal(read)).toThrow(expect.objectContaining({ code: 'ledger_unavailable' }));
  }
  house.clock.ms = ms;
  await ledger.seal(read).durable;
  await exchange(ledger, () => undefined);
  await ledger.close('test');
  const { findings, counts } = await house.verify();
  expect([findings, counts['heartbeat']]).toEqual([[], 1]);
});
