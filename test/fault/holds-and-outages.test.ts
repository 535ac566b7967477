import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { WaitResult } from '../../src/hold/live.ts';
import { type Hold, recoveredOutcome } from '../../src/hold/record.ts';
import { end, held, onReturn, outage, queueOver, rule } from './held-scene.ts';
import { outcomesIn, requestDraft, sealMarked } from './ledger-under-test.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

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
