/** An erasure is found out about before it is begun, which takes a while: who may ask for it must still do so then. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { addToken, revokeToken } from '../../src/store/token-file.ts';
import { machineWith } from './support/failing-machine.ts';
import { type House, outcomeOf, startHouse } from './support/sidecar.ts';

let house: House;
/** What is read of the ledger waits for it. */
let disk = Promise.resolve();
let onRead = (): void => undefined;

beforeAll(async () => {
  const machine = machineWith((store) => ({
    ...store,
    scan: async function* (range: Parameters<typeof store.scan>[0]) {
      onRead();
      await disk;
      yield* store.scan(range);
    },
  }));
  house = await startHouse({ machine });
});
afterAll(() => house.close());

it('an erasure by who has no right any more once it is known what is meant erases nothing', async () => {
  const ids: string[] = [];
  // More than the sidecar remembers of what it read last.
  while (ids.length < 8) {
    const asked = await house.ask('a garden');
    await asked.text();
    const id = asked.headers.get('holdpoint-decision') ?? '';
    await outcomeOf(house, id);
    ids.push(id);
  }
  const [decision] = ids;
  const file = join(house.dataDir, 'tokens.json');
  const token = addToken(file, { name: 'eraser', role: 'privacy' }, Date.now(), systemRandom);
  expect((await house.call('/api/v1/whoami', { token })).status).toBe(200);
  const slow = Promise.withResolvers<void>();
  const isReading = Promise.withResolvers<void>();
  [disk, onRead] = [slow.promise, isReading.resolve];
  const json = { scope: { decision }, basis: 'unlawful', reason: 'a claim' };
  const answer = house.call('/api/v1/erasures', { token, json });
  await isReading.promise;
  revokeToken(file, 'eraser', 'test', Date.now());
  slow.resolve();
  expect((await answer).status).toBe(401);
  expect((await house.call('/api/v1/erasures', { as: 'privacy' })).json).toEqual({ items: [] });
});
