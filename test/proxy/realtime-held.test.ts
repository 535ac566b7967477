/** Answers of a Realtime session that are held: what waits behind one is bounded, and whoever leaves uses no release up. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { rawRequest } from '../support/raw-client.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { holdTransfers } from './policies.ts';
import { callEvents, connectScene, realtimeTarget, type Scene, sendAll, textsOf } from './realtime-scene.ts';
import { startSocketUpstream } from './socket-upstream.ts';

afterEach(endAll);

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** A session in which a call is held. */
async function startHeld() {
  const scene: Scene = await connectScene(holdTransfers);
  const events = callEvents('resp_1', 25_000);
  sendAll(scene.provider, events);
  const hold = await scene.sidecar.ada.nextHold();
  return { ...scene, events, hold };
}

test('no more than 4,096 messages wait behind a held call: one more closes the connection', async () => {
  const { client, provider, events } = await startHeld();
  const done = events.find(({ type }) => type === 'conversation.item.done');
  const again = { type: 'conversation.item.retrieved', item: done?.['item'] };
  for (let said = 0; said < 4_096; said += 1) provider.send(again);
  const marker = { type: 'rate_limits.updated', rate_limits: [] };
  provider.send(marker);
  await waitFor(() => expect(client.types().at(-1)).toBe(marker.type));
  provider.send(again);
  expect((await client.closed).reason).toBe('overloaded');
  expect(textsOf(client).join()).not.toContain('25000');
});

test('a release that comes while the workload closes its connection is not used up', async () => {
  const upstream = await startSocketUpstream(({ ws }) => {
    for (const event of callEvents('resp_1', 25_000)) ws.send(JSON.stringify(event));
  });
  const { ada, proxyUrl } = await startTestSidecar({
    policy: holdTransfers,
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  const client = connect({ port: Number(new URL(proxyUrl).port), host: '127.0.0.1', allowHalfOpen: true });
  atEnd(() => void client.destroy());
  client.write(rawRequest('GET', realtimeTarget, upgrade));
  const hold = await ada.nextHold();
  // It has said that it closes, and does not yet do so when the other side did.
  client.write(Buffer.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8));
  client.resume();
  await once(client, 'end');
  await ada.rule(hold, { verdict: 'release' });
  client.destroy();
  await waitFor(async () => expect((await ada.hold(hold.id)).caller).toBe('gone'));
  const { entries } = await ada.decision(hold.decisionId);
  expect(entries.map(({ type }) => type)).not.toContain('delivery');
});
