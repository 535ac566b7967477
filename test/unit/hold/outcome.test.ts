import { expect, it } from 'vitest';
import { startQueue } from './one-hold.ts';

it('a decision that has ended stays as it ended, and is told of once', async () => {
  const { holds, openHold, end } = await startQueue();
  const told: string[] = [];
  holds.subscribe(({ kind, hold }) => {
    if (kind === 'settled') told.push(String(hold.outcome));
  });
  const hold = await openHold();
  holds.settle(hold.decision, 'delivered');
  holds.settle(hold.decision, 'interrupted');
  expect([hold.outcome, told]).toEqual(['delivered', ['delivered']]);
  await end();
});
