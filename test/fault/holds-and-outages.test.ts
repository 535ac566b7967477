import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import type { WaitResult } from '../../src/hold/live.ts';
import { createHoldQueue, type HoldQueue } from '../../src/hold/queue.ts';
import { type Hold, recoveredOutcome } from '../../src/hold/record.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import {
  createLedgerUnderTest,
  type LedgerUnderTest,
  outcomesIn,
  requestDraft,
  sealMarked,
} from './ledger-under-test.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Held {
  readonly house: LedgerUnderTest;
  readonly ledger: Ledger;
  readonly holds: HoldQueue;
  readonly hold: Hold;
}

/** A sidecar in small: a ledger with its queue, and one answer that is held. */
async function held(): Promise<Held> {
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

function queueOver(house: LedgerUnderTest, ledger: Ledger): HoldQueue {
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
function onReturn({ house, holds }: Held, act: () => Promise<unknown>): Promise<unknown> {
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

async function outage(house: LedgerUnderTest, ledger: Ledger, during: () => Promise<unknown>): Promise<void> {
  await expect(during()).rejects.toBeInstanceOf(HoldpointError);
  house.disk.fateOf = () => 'written';
  for (let step = 0; step < 100 && !ledger.isWritable(); step += 1) {
    await vi.advanceTimersByTimeAsync(50);
    await new Promise(setImmediate);
  }
  await restored;
}

function rule({ holds, hold }: Held, verdict: 'release' | 'deny'): Promise<void> {
  const digest = hold.state.terms.digest;
  return holds.rule(
    hold,
    { verdict, by: 'ada', role: 'reviewer', digest, reason: 'Checked with finance.' },
    null,
  );
}

async function end({ house, ledger, holds }: Held): Promise<void> {
  holds.stop();
  await vi.advanceTimersByTimeAsync(100);
  await ledger.close('test');
  expect((await house.verify()).findings).toEqual([]);
}

it('a hold survives an outage and can be ruled and delivered after it', async () => {
  const all = await held();
  const { house, ledger, holds, hold } = all;
  house.disk.fateOf = () => 'before';
  await outage(house, ledger, () => sealMarked(ledger, requestDraft));
  expect(holds.list().map(({ id, state }) => [id, state.status])).toEqual([[hold.id, 'pending']]);
  await rule(all, 'release');
  await holds.beginDelivery(hold);
  holds.settle(hold.decision, 'delivered');
  await end(all);
  expect(outcomesIn(house.entries()).get(hold.decision)).toEqual(['delivered']);
});

it.each([
  ['before', 'pending', 'pending'],
  ['after', 'released', 'released'],
] as const)(
  'a release whose commit failed %s it was written leaves the hold %s',
  async (fate, status, waited) => {
    const all = await held();
    const { house, ledger, holds, hold } = all;
    const caller = new AbortController();
    const waiting: Promise<WaitResult> = holds.wait(hold, 600_000, caller.signal);
    house.disk.fateOf = () => fate;
    await outage(house, ledger, () => rule(all, 'release'));
    expect(hold.state.status).toBe(status);
    caller.abort();
    expect(await waiting).toBe(waited);
    await end(all);
  },
);

it('a denial whose commit was reported failed but reached the disk stands, and its caller hears of it', async () => {
  const all = await held();
  const { house, ledger, holds, hold } = all;
  const waiting = holds.wait(hold, 600_000, new AbortController().signal);
  house.disk.fateOf = () => 'after';
  await outage(house, ledger, () => rule(all, 'deny'));
  expect(await waiting).toBe('denied');
  expect(hold.outcome).toBe('denied');
  await expect(rule(all, 'release')).rejects.toMatchObject({ code: 'already_ruled' });
  await end(all);
  expect(outcomesIn(house.entries()).get(hold.decision)).toEqual(['denied']);
});

it('a release by one person alone whose commit was reported failed but reached the disk is told like any other', async () => {
  const all = await held();
  const { house, ledger, holds, hold } = all;
  const told: string[] = [];
  holds.subscribe(({ kind, by }) => told.push(`${kind} ${by}`));
  await holds.watchReviews();
  house.disk.fateOf = () => 'after';
  const { digest } = hold.state.terms;
  const alone = { by: 'olga', role: 'admin', digest, reason: 'It burns.', breakGlass: true } as const;
  await outage(house, ledger, () => holds.rule(hold, { verdict: 'release', ...alone }, null));
  expect(told).toEqual(['ruled olga', 'glass-broken olga']);
  expect(holds.reviewCounts()).toEqual({ open: 1, overdue: 0 });
  await end(all);
});

it('whoever rules the moment the ledger is back rules on what it has', async () => {
  const all = await held();
  const { house, ledger } = all;
  const denied = onReturn(all, () => rule(all, 'deny'));
  house.disk.fateOf = () => 'after';
  await outage(house, ledger, () => rule(all, 'release'));
  expect(await denied).toBe('already_ruled');
  await end(all);
});

it('bytes that are handed over the moment the ledger is back are handed over under the next number', async () => {
  const all = await held();
  const { house, ledger, holds, hold } = all;
  await rule(all, 'release');
  const delivered = onReturn(all, () => holds.beginDelivery(hold));
  house.disk.fateOf = () => 'after';
  await outage(house, ledger, () => holds.beginDelivery(hold));
  expect(await delivered).toBe('sealed');
  holds.settle(hold.decision, 'delivered');
  await end(all);
});

it('a hold whose time comes while it is read again expires once it is', async () => {
  const all = await held();
  const { house, ledger, holds, hold } = all;
  const waiting = holds.wait(hold, 3_600_000, new AbortController().signal);
  house.disk.fateOf = () => 'before';
  const late = onReturn(all, async () => {
    house.clock.ms += 900_000;
    vi.advanceTimersByTime(900_000);
  });
  await outage(house, ledger, () => sealMarked(ledger, requestDraft));
  await late;
  await vi.advanceTimersByTimeAsync(1);
  expect(await waiting).toBe('expired');
  await end(all);
});

it('a review whose commit was reported failed but reached the disk is the only one', async () => {
  const all = await held();
  const { house, ledger, holds, hold } = all;
  const { digest } = hold.state.terms;
  const alone = {
    verdict: 'release',
    by: 'olga',
    role: 'admin',
    digest,
    reason: 'It burns.',
    breakGlass: true,
  };
  await holds.rule(hold, { ...alone, verdict: 'release' }, null);
  await holds.beginDelivery(hold);
  holds.settle(hold.decision, 'delivered');
  await vi.advanceTimersByTimeAsync(100);
  const review = (by: string): Promise<Hold> =>
    holds.review(hold.seq, { by, role: 'reviewer' }, { verdict: 'justified', text: 'It burned.' });
  const atOnce = onReturn(all, () => review('bob'));
  house.disk.fateOf = () => 'after';
  await outage(house, ledger, () => review('ada'));
  expect(await atOnce).toBe('already_ruled');
  await expect(review('bob')).rejects.toMatchObject({ code: 'already_ruled' });
  await end(all);
});

it.each(['before', 'after'] as const)(
  'a delivery whose commit failed %s it was written is tried again under the next number',
  async (fate) => {
    const all = await held();
    const { house, ledger, holds, hold } = all;
    await rule(all, 'release');
    house.disk.fateOf = () => fate;
    await outage(house, ledger, () => holds.beginDelivery(hold));
    await holds.beginDelivery(hold);
    holds.settle(hold.decision, 'delivered');
    await end(all);
    const attempts = house
      .entries()
      .flatMap(({ data }) => (typeof data['attempt'] === 'number' ? [data['attempt']] : []));
    expect(attempts).toEqual(fate === 'before' ? [1] : [1, 2]);
  },
);

it('a hold is back with its clock and its terms after the process died', async () => {
  const first = await held();
  const { house, hold } = first;
  first.holds.stop();
  house.disk.loseUnsynced();
  house.indexDisk.abandon();
  house.onEvent = () => undefined;
  const ledger = await house.open();
  const holds = queueOver(house, ledger);
  await holds.restore();
  const [back] = holds.list();
  expect(back).toMatchObject({ id: hold.id, openedAtMs: hold.openedAtMs, retryKey: hold.retryKey });
  expect(back?.state).toEqual(hold.state);
  if (back !== undefined) await rule({ ...first, holds, hold: back }, 'deny');
  await end({ ...first, ledger, holds });
});

it('a hold that waits goes on after a crash, and is over after a restore: nobody knows what became of it since', async () => {
  const all = await held();
  const entries = await all.ledger.decision(all.hold.decision);
  expect([recoveredOutcome(entries, 'start'), recoveredOutcome(entries, 'restore')]).toEqual([
    null,
    'interrupted',
  ]);
  await end(all);
});
