/** A ledger that failed while an answer came over a WebSocket, and was opened again: that answer is in no record. */
import { afterEach, expect, test, vi } from 'vitest';
import { endAll } from '../support/endings.ts';
import { waitFor } from '../support/wait-for.ts';
import { holdTransfers } from './policies.ts';
import { connectScene, sendAll, spokenEvents, textsOf } from './realtime-scene.ts';

afterEach(endAll);

test('an answer that the outage ended says nothing more', async () => {
  const { client, provider, sidecar } = await connectScene(holdTransfers);
  client.send({ type: 'response.create' });
  await waitFor(() => expect(provider.types()).toContain('response.create'));
  const [first, ...others] = spokenEvents('resp_1', 'Hello.');
  provider.send(first);
  await waitFor(() => expect(client.types()).toContain('response.created'));
  vi.spyOn(sidecar.sidecar.ledger, 'isOpen').mockReturnValue(false);
  sendAll(provider, others);
  expect((await client.closed).reason).toBe('ledger_unavailable');
  expect(textsOf(client).join()).not.toContain('Hello.');
});
