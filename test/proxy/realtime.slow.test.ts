/** WebSocket connections under strain: a client that does not read, and a crash amid an answer. */
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { endAll } from '../support/endings.ts';
import { spawnSidecar } from '../support/sidecar.ts';
import { connectScene, realtimeTarget } from './realtime-scene.ts';
import { connectSocket, startSocketUpstream } from './socket-upstream.ts';

afterEach(endAll);

test('a client that does not read stops the provider, and memory with it', async () => {
  const { client, provider } = await connectScene();
  client.ws.pause();
  const message = JSON.stringify({ type: 'rate_limits.updated', filler: 'x'.repeat(512 * 1024) });
  const sent = 96 * message.length;
  for (let i = 0; i < 96; i += 1) provider.ws.send(message);
  let before = -1;
  await vi.waitFor(
    () => {
      const waiting = provider.ws.bufferedAmount;
      const stands = waiting === before;
      before = waiting;
      expect(stands && waiting > 0).toBe(true);
    },
    { timeout: 10_000, interval: 250 },
  );
  expect(sent - provider.ws.bufferedAmount).toBeLessThan(sent / 2);
  client.ws.resume();
  await vi.waitFor(() => expect(client.heard).toHaveLength(97), { timeout: 15_000, interval: 50 });
});

test('an answer that a crash cut off is interrupted after the next start', async () => {
  const upstream = await startSocketUpstream();
  const settings = { upstreams: { openai: { url: upstream.url, protocol: 'openai' as const, mount: '/' } } };
  const sidecar = await spawnSidecar(settings);
  const client = await connectSocket(sidecar.proxyUrl, realtimeTarget);
  client.send({ type: 'response.create' });
  await vi.waitFor(() => expect(upstream.talkers[0]?.heard).toHaveLength(1));
  const { id } = await sidecar.ada.lastDecision();
  await sidecar.kill('SIGKILL');
  expect((await client.closed).code).toBe(1006);
  const again = await spawnSidecar(settings, sidecar.place);
  expect(await again.ada.outcomeOf(id)).toBe('interrupted');
  expect(client.ws.readyState).toBe(WebSocket.CLOSED);
});
