/** WebSocket connections under strain: a client that does not read, and a crash amid an answer. */
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { endAll } from '../support/endings.ts';
import { spawnSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { connectScene, realtimeTarget, type WireEvent } from './realtime-scene.ts';
import { connectSocket, startSocketUpstream, type Talker } from './socket-upstream.ts';

afterEach(endAll);

const pieces = 96;
const filler = 'x'.repeat(512 * 1024);

/** All of it is sent and not taken: most of it stays with the sender. */
async function expectHeldBack({ ws }: Talker, message: WireEvent): Promise<void> {
  const text = JSON.stringify(message);
  for (let i = 0; i < pieces; i += 1) ws.send(text);
  let before = -1;
  let stood = 0;
  await waitFor(
    () => {
      const waiting = ws.bufferedAmount;
      stood = waiting === before ? stood + 1 : 0;
      before = waiting;
      // Longer than it takes to seal what went on so far.
      expect(stood >= 8 && waiting > 0).toBe(true);
    },
    { timeout: 15_000, interval: 250 },
  );
  expect(pieces * text.length - ws.bufferedAmount).toBeLessThan((pieces * text.length) / 2);
}

test.each([
  { place: 'beside its answers', message: { type: 'rate_limits.updated', filler } },
  {
    place: 'as an answer',
    message: {
      type: 'response.output_audio.delta',
      response_id: 'resp_1',
      item_id: 'item_1',
      delta: filler,
    },
  },
])(
  'a client that does not read what comes $place stops the provider, and memory with it',
  async ({ message }) => {
    const { client, provider } = await connectScene();
    client.ws.pause();
    await expectHeldBack(provider, message);
    client.ws.resume();
    await waitFor(() => expect(client.heard).toHaveLength(1 + pieces), { timeout: 15_000, interval: 50 });
  },
);

test('a provider that does not read stops the client, and memory with it', async () => {
  const { client, provider } = await connectScene();
  provider.ws.pause();
  await expectHeldBack(client, { type: 'input_audio_buffer.append', audio: filler });
  provider.ws.resume();
  await waitFor(() => expect(provider.heard).toHaveLength(pieces), { timeout: 15_000, interval: 50 });
});

test('an answer that a crash cut off is interrupted after the next start', async () => {
  const upstream = await startSocketUpstream();
  const settings = { upstreams: { openai: { url: upstream.url, protocol: 'openai' as const, mount: '/' } } };
  const sidecar = await spawnSidecar(settings);
  const client = await connectSocket(sidecar.proxyUrl, realtimeTarget);
  client.send({ type: 'response.create' });
  await waitFor(() => expect(upstream.talkers[0]?.heard).toHaveLength(1));
  const { id } = await sidecar.ada.lastDecision();
  await sidecar.kill('SIGKILL');
  expect((await client.closed).code).toBe(1006);
  const again = await spawnSidecar(settings, sidecar.place);
  expect(await again.ada.outcomeOf(id)).toBe('interrupted');
  expect(client.ws.readyState).toBe(WebSocket.CLOSED);
});
