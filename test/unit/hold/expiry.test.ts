import { expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { expiresInMs, startQueue } from './one-hold.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('an expiry that the ledger refuses is tried again once a second, not at once', async () => {
  let attempts = 0;
  const { time, errors, openHold, end } = await startQueue(() => {
    attempts += 1;
    throw new HoldpointError('ledger_unavailable', 'The ledger cannot be written.');
  });
  await openHold();
  time.advance(expiresInMs);
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
  await end();
});

it('a hold whose decision ended without a ruling neither escalates nor expires, and is forgotten', async () => {
  const { time, holds, errors, openHold, end } = await startQueue();
  const atMs = time.clock.nowMs() + expiresInMs / 2;
  const hold = await openHold({ escalation: [{ atMs, roles: ['admin'] }] });
  holds.settle(hold.decision, 'interrupted');
  time.advance(expiresInMs / 2);
  await settled();
  expect(hold.state).toMatchObject({ status: 'pending', escalated: 0 });
  time.advance(expiresInMs);
  await settled();
  time.advance(120_000);
  expect([errors, holds.list()]).toEqual([[], []]);
  await end();
});
