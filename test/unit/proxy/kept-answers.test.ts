/** Held answers on disk: each is kept until its hold is over, and all of them until the sidecar is. */
import { expect, test } from 'vitest';
import type { HoldEvent } from '../../../src/hold/desk.ts';
import { createKeptAnswers } from '../../../src/proxy/kept-answers.ts';
import { startQueue } from '../hold/one-hold.ts';

async function startKept(close: () => Promise<void> = () => Promise.resolve()) {
  const { openHold } = await startQueue();
  const listeners = new Set<(event: HoldEvent) => void>();
  const errors: string[] = [];
  const subscribe = (listener: (event: HoldEvent) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const kept = createKeptAnswers({ subscribe }, (what) => errors.push(what));
  const closed: string[] = [];
  async function keep(name: string) {
    const hold = await openHold();
    const spool = {
      ...{ bytes: 99, sha256: '' },
      read: () => {
        throw new Error('Nobody reads it.');
      },
      close: () => {
        closed.push(name);
        return close();
      },
    };
    const body = Buffer.from('how it begins');
    const stored = { headers: [], body, removed: 0 };
    kept.keep(hold, { headers: [], body, bytes: 99, passedBytes: 0, spool, stored }, spool);
    return { hold, spool };
  }
  const tell = (event: Omit<HoldEvent, 'by'>): void => {
    for (const listener of listeners) listener({ ...event, by: '' });
  };
  return { kept, keep, closed, errors, listeners, tell };
}

test('what a hold keeps goes when that hold is over, and no other does', async () => {
  const { kept, keep, closed, tell } = await startKept();
  const [first, second] = [await keep('first'), await keep('second')];
  tell({ kind: 'settled', hold: first.hold });
  expect(closed).toEqual(['first']);
  expect([kept.of(first.hold), kept.keeps(first.spool)]).toEqual([null, false]);
  expect([kept.of(second.hold)?.spool, kept.keeps(second.spool)]).toEqual([second.spool, true]);
});

test('what a hold keeps stays while it is ruled on and its caller comes and goes', async () => {
  const { kept, keep, closed, tell } = await startKept();
  const { hold, spool } = await keep('first');
  for (const kind of ['opened', 'approved', 'ruled', 'caller'] as const) tell({ kind, hold });
  expect([closed, kept.of(hold)?.spool]).toEqual([[], spool]);
});

test('at the end all of them go, once each, and no hold is listened to any more', async () => {
  const { kept, keep, closed, listeners } = await startKept();
  const holds = [await keep('first'), await keep('second')];
  await kept.close();
  await kept.close();
  expect(closed).toEqual(['first', 'second']);
  expect(holds.map(({ hold }) => kept.of(hold))).toEqual([null, null]);
  expect(listeners.size).toBe(0);
});

test('the end waits until they are gone', async () => {
  const gone = Promise.withResolvers<void>();
  const { kept, keep } = await startKept(() => gone.promise);
  await keep('first');
  const order: string[] = [];
  const end = kept.close().then(() => order.push('end'));
  await Promise.resolve();
  gone.resolve();
  await gone.promise.then(() => order.push('gone'));
  await end;
  expect(order).toEqual(['gone', 'end']);
});

test('one that cannot be let go is told of', async () => {
  const { keep, errors, tell } = await startKept(() => Promise.reject(new Error('EIO')));
  const { hold } = await keep('first');
  tell({ kind: 'settled', hold });
  await expect.poll(() => errors).toEqual(['A held answer on disk could not be let go']);
});
