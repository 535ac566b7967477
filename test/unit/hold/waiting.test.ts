/** Callers that wait for a ruling, one after another. */
import { expect, it } from 'vitest';
import type { HoldQueue } from '../../../src/hold/queue.ts';
import type { Hold } from '../../../src/hold/record.ts';
import { expiresInMs, startQueue } from './one-hold.ts';

const release = (holds: HoldQueue, hold: Hold) => {
  const { digest } = hold.state.terms;
  return holds.rule(hold, { verdict: 'release', by: 'ada', role: 'reviewer', digest, reason: '' }, null);
};

/** A hold whose first caller left, in the way that is said, and whose second one waits for 500 ms. */
async function secondCaller(leave: 'hung up' | 'out of patience') {
  const stage = await startQueue();
  const { holds, time, openHold } = stage;
  const hold = await openHold();
  const first = new AbortController();
  const gone = holds.wait(hold, 300, first.signal);
  if (leave === 'hung up') first.abort();
  else time.advance(300);
  expect(await gone).toBe('pending');
  const waiting = holds.wait(hold, 500, new AbortController().signal);
  return {
    ...stage,
    first,
    ruledWhileWaiting: async () => {
      await release(holds, hold);
      time.advance(500);
      return waiting;
    },
  };
}

it('a caller hears of the ruling though the patience of one that hung up before it would be over by now', async () => {
  const { time, ruledWhileWaiting, end } = await secondCaller('hung up');
  time.advance(300);
  expect(await ruledWhileWaiting()).toBe('released');
  await end();
});

it('a caller hears of the ruling though the one that waited before it hangs up only now', async () => {
  const { first, ruledWhileWaiting, end } = await secondCaller('out of patience');
  first.abort();
  expect(await ruledWhileWaiting()).toBe('released');
  await end();
});

it('a caller that has hung up already is not waited for', async () => {
  const { holds, openHold, end } = await startQueue();
  const hold = await openHold();
  expect(await holds.wait(hold, 500, AbortSignal.abort())).toBe('pending');
  await end();
});

it('a caller of a hold that is over hears so as of any failure, so that what was begun for it ends', async () => {
  const { holds, end } = await startQueue();
  const other = await startQueue();
  const over = await other.openHold();
  const waiting = holds.wait(over, 500, new AbortController().signal);
  await expect(waiting).rejects.toMatchObject({ code: 'ruling_expired' });
  await Promise.all([end(), other.end()]);
});

it('nobody waits any more once the sidecar stops: who waits is told so, and who comes later', async () => {
  const { holds, openHold, end } = await startQueue();
  const hold = await openHold();
  const before = holds.wait(hold, 500, new AbortController().signal);
  holds.stop();
  expect(await before).toBe('shutdown');
  expect(await holds.wait(hold, 500, new AbortController().signal)).toBe('shutdown');
  await end();
});

it('a hold does not expire any more once the sidecar stops, and is kept for the next start', async () => {
  let sealed = 0;
  const { time, holds, openHold, end } = await startQueue(() => {
    sealed += 1;
  });
  const hold = await openHold();
  holds.stop();
  time.advance(expiresInMs);
  expect([sealed, hold.state.status]).toEqual([0, 'pending']);
  await end();
});

it('a call may be a duplicate where the same one still waits, and not where that was ruled on', async () => {
  const { holds, openHold, end } = await startQueue();
  const first = await openHold();
  const second = await openHold();
  await release(holds, first);
  await release(holds, second);
  const third = await openHold();
  expect([first, second, third].map((hold) => hold.possibleDuplicate)).toEqual([false, true, false]);
  await end();
});

it('a call that says it is a retry finds the answer that its caller was just given, and no other call does', async () => {
  const { holds, openHold, end } = await startQueue();
  const hold = await openHold({}, { phase: 'response' });
  await release(holds, hold);
  await holds.beginDelivery(hold);
  holds.settle(hold.decision, 'delivered');
  holds.detach(hold);
  expect(holds.findForRetry(hold.retryKey, true)).toBe(hold);
  expect(holds.findForRetry(hold.retryKey, false)).toBeNull();
  await end();
});

it('nothing is handed over to a caller that leaves while memory is made to say what is sealed', async () => {
  const { holds, openHold, end } = await startQueue();
  const hold = await openHold({}, { phase: 'response' });
  await release(holds, hold);
  let isThere = true;
  const restored = holds.restore();
  const begun = holds.beginDelivery(hold, () => isThere);
  isThere = false;
  expect(await begun).toBe(false);
  await restored;
  expect(hold.deliveryAttempts).toBe(0);
  await end();
});
