/** What the queue reads again, after an outage, while others rule, and while it is read once more. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { end, held, queueOver, rule } from './held-scene.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A ledger whose decisions are read at once, and told when `gates` say so, one for each reading. */
function slowToTell(ledger: Ledger, gates: readonly Promise<void>[]): Ledger {
  let readings = 0;
  return {
    ...ledger,
    decision: async (seq) => {
      const gate = gates[readings];
      readings += 1;
      const entries = await ledger.decision(seq);
      await gate;
      return entries;
    },
  };
}

it('a decision that ends while it is read again comes back as no hold', async () => {
  const all = await held();
  const { house, ledger, hold } = all;
  const gate = Promise.withResolvers<void>();
  const other = queueOver(house, slowToTell(ledger, [gate.promise]));
  const reading = other.restore();
  await rule(all, 'deny');
  all.holds.settle(hold.decision, 'denied');
  await vi.advanceTimersByTimeAsync(100);
  expect(ledger.isOpen(hold.decision)).toBe(false);
  gate.resolve();
  await reading;
  expect(other.list()).toEqual([]);
  other.stop();
  await end(all);
});

it('what was read first never stands in for what was read later', async () => {
  const all = await held();
  const { house, ledger, hold } = all;
  const gate = Promise.withResolvers<void>();
  const other = queueOver(house, slowToTell(ledger, [Promise.resolve(), gate.promise]));
  await other.restore();
  const first = other.restore();
  await new Promise(setImmediate);
  await rule(all, 'deny');
  const second = other.restore();
  await new Promise(setImmediate);
  gate.resolve();
  await Promise.all([first, second]);
  expect(other.list().map(({ id, state }) => [id, state.status])).toEqual([[hold.id, 'denied']]);
  other.stop();
  await end(all);
});

it('nobody rules until all that is being read was read', async () => {
  const all = await held();
  const { house, ledger, hold } = all;
  const gate = Promise.withResolvers<void>();
  const other = queueOver(house, slowToTell(ledger, [Promise.resolve(), Promise.resolve(), gate.promise]));
  await other.restore();
  const first = other.restore();
  const second = other.restore();
  await first;
  const [known] = other.list();
  if (known === undefined) throw new Error(`${hold.id} was not read`);
  let isSealed = false;
  const ruling = rule({ ...all, holds: other, hold: known }, 'deny').then(() => {
    isSealed = true;
  });
  for (let step = 0; step < 20; step += 1) await new Promise(setImmediate);
  expect(isSealed).toBe(false);
  gate.resolve();
  await Promise.all([second, ruling]);
  other.stop();
  await end(all);
});
