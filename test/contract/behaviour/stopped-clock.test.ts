/** What hangs on the time to the millisecond, with a clock that stands still: the order of the queue, and what is overdue. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock, systemSchedule } from '../../../src/core/clock.ts';
import { systemLookUp } from '../../../src/proxy/intercept/address.ts';
import { openLedgerStore } from '../../../src/store/ledger-store.ts';
import { eventually, type House, nextHold, startHouse } from '../support/sidecar.ts';
import { linesSchema } from './scene.ts';

const hourMs = 3_600_000;
let nowMs = Date.now();
let house: House;
beforeAll(async () => {
  const clock = { ...systemClock, nowMs: () => nowMs };
  house = await startHouse({
    machine: { clock, schedule: systemSchedule, lookUp: systemLookUp, openLedgerStore },
  });
});
afterAll(() => house.close());

const queue = async (query = '') =>
  linesSchema.parse((await house.call(`/api/v1/holds?state=pending${query}`)).json);

it('of holds that expire at once the one that was opened first stands in front, and a page that has the last is the last', async () => {
  const callers: Promise<Response>[] = [];
  for (const prompt of ['transfer 1 EUR', 'transfer 2 EUR', 'transfer 3 EUR']) {
    callers.push(house.ask(prompt));
    await eventually(async () => (await queue()).items.length === callers.length);
  }
  const { items, next } = await queue('&limit=3');
  const places = items.map(({ id }) => Number(id.split('-')[2]));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(next).toBeNull();
  const first = await queue('&limit=2');
  const second = await queue(`&limit=1&after=${first.next}`);
  expect([...first.items, ...second.items]).toEqual(items);
  expect(second.next).toBeNull();
  for (const { id, digest } of items)
    await house.call(`/api/v1/holds/${id}/rulings`, { json: { verdict: 'deny', reason: 'No.', digest } });
  await Promise.all(callers);
});

it('a review is overdue from its time on, and stands among the open ones then too', async () => {
  const caller = house.ask('delete 3 records');
  const { id, digest } = await nextHold(house);
  const json = { verdict: 'release', reason: 'Fire.', digest, breakGlass: true };
  expect((await house.call(`/api/v1/holds/${id}/rulings`, { as: 'admin', json })).status).toBe(201);
  await caller;
  const stateIn = async (query: string): Promise<readonly string[]> =>
    z
      .object({ items: z.array(z.object({ state: z.string() })) })
      .parse((await house.call(`/api/v1/reviews?state=${query}`)).json)
      .items.map(({ state }) => state);
  nowMs += hourMs - 1;
  expect([await stateIn('open'), await stateIn('overdue')]).toEqual([['open'], []]);
  nowMs += 1;
  expect([await stateIn('open'), await stateIn('overdue')]).toEqual([['overdue'], ['overdue']]);
});
