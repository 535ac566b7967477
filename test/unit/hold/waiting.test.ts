/** Callers that wait for a ruling, one after another. */
import { expect, it } from 'vitest';
import { expiresInMs, startQueue } from './one-hold.ts';

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
      const { digest } = hold.state.terms;
      const ruling = { verdict: 'release', by: 'ada', role: 'reviewer', digest, reason: '' } as const;
      await holds.rule(hold, ruling, null);
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
