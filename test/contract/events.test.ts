/** Streams of events: how many there may be. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type House, startHouse } from './support/sidecar.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

const open = (token: string, signal: AbortSignal): Promise<Response> =>
  fetch(`${house.sidecar.controlUrl}/api/v1/events`, {
    headers: { authorization: `Bearer ${token}` },
    signal,
  });

it('one person opens no more streams than leave the others theirs', async () => {
  const { viewer, reviewer } = house.tokens;
  const over = new AbortController();
  const streams = await Promise.all(Array.from({ length: 32 }, () => open(viewer, over.signal)));
  expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
  const refused = await open(viewer, over.signal);
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'overloaded' }]);
  expect((await open(reviewer, over.signal)).status).toBe(200);
  over.abort();
});
