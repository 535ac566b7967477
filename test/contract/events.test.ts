/** Streams of events: how many there may be. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { addToken } from '../../src/store/token-file.ts';
import { connectRaw } from '../support/raw-client.ts';
import { waitFor } from '../support/wait-for.ts';
import { stallingMachine } from './support/failing-machine.ts';
import { type House, startHouse } from './support/sidecar.ts';

const streamsOfOneMax = 32;
/** What is sealed waits for it. */
let disk = Promise.resolve();
let house: House;
beforeAll(async () => {
  house = await startHouse({
    machine: stallingMachine(() => disk),
  });
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
  const streams = await Promise.all(Array.from({ length: streamsOfOneMax }, () => open(viewer, over.signal)));
  expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
  const refused = await open(viewer, over.signal);
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'overloaded' }]);
  expect((await open(reviewer, over.signal)).status).toBe(200);
  over.abort();
});

it('who leaves before it is known who they are takes no place of those who stay', async () => {
  const { controlUrl } = house.sidecar;
  const slow = Promise.withResolvers<void>();
  disk = slow.promise;
  // Not honoured before its grant is on the disk.
  const file = join(house.dataDir, 'tokens.json');
  const token = addToken(file, { name: 'hasty', role: 'viewer' }, Date.now(), systemRandom);
  const clients = await Promise.all(Array.from({ length: streamsOfOneMax }, () => connectRaw(controlUrl)));
  const head = [`Host: ${new URL(controlUrl).host}`, `Authorization: Bearer ${token}`];
  for (const client of clients) {
    client.send(`GET /api/v1/events HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
    client.end();
  }
  // The sidecar ends its side of a connection once it knows of the end of the other.
  await Promise.all(clients.map(({ ended }) => ended));
  slow.resolve();
  const over = new AbortController();
  await waitFor(async () => expect((await open(token, over.signal)).status).toBe(200));
  over.abort();
});
