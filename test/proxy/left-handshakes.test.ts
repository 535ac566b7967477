/** A workload that breaks a WebSocket off while its handshake is on its way: nothing stays open for it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import type { Draft } from '../../src/ledger/sealer.ts';
import { acceptedAt } from '../support/accepted.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { neverDurable, refuseToSeal } from '../support/unsealed.ts';
import { waitFor } from '../support/wait-for.ts';
import { realtimeTarget } from './realtime-scene.ts';
import { startSocketUpstream } from './socket-upstream.ts';

afterEach(endAll);

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** A workload asks for an upgrade at `target`, and is gone before its entry of this type is on disk. */
async function leaveWhileSealed(target: string, type: Draft['type']) {
  const upstream = await startSocketUpstream();
  const { ada, proxyUrl, sidecar } = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/', tunnel: ['/v1/raw'] } },
  });
  const port = Number(new URL(proxyUrl).port);
  const accepted = acceptedAt(port);
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  const leave = async (durable: Promise<void>): Promise<void> => {
    const socket = await accepted;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    client.resetAndDestroy();
    await closed;
    await durable;
  };
  const { seal } = sidecar.ledger;
  vi.spyOn(sidecar.ledger, 'seal').mockImplementation((draft) => {
    const sealed = seal(draft);
    const isFirst = draft.type === type && !client.destroyed;
    return isFirst ? { ...sealed, durable: leave(sealed.durable) } : sealed;
  });
  client.write(rawRequest('GET', target, upgrade));
  await once(client, 'close');
  const { id } = await ada.lastDecision();
  return { outcome: await ada.outcomeOf(id), upstream };
}

test('while its intent is sealed, the provider hears of no connection', async () => {
  const { outcome, upstream } = await leaveWhileSealed(realtimeTarget, 'request');
  expect(outcome).toBe('client_abort');
  expect(upstream.requests).toEqual([]);
});

test('while the answer of the provider is sealed, the connection to it is ended', async () => {
  const { outcome, upstream } = await leaveWhileSealed(realtimeTarget, 'response');
  expect(outcome).toBe('client_abort');
  expect(upstream.talkers).toHaveLength(1);
  for (const { closed } of upstream.talkers) await closed;
});

test('while the intent of a tunnel is sealed, the provider hears of none', async () => {
  const { outcome, upstream } = await leaveWhileSealed('/v1/raw', 'request');
  expect(outcome).toBe('client_abort');
  expect(upstream.requests).toEqual([]);
});

test.each([
  { how: 'is not taken by the ledger', fail: refuseToSeal },
  { how: 'does not reach the disk', fail: neverDurable },
])('where the answer of the provider $how, the connection to it is ended', async ({ fail }) => {
  const upstream = await startSocketUpstream();
  const { proxyUrl, sidecar } = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  fail(sidecar.ledger, 'response');
  const client = await connectRaw(proxyUrl);
  client.send(rawRequest('GET', realtimeTarget, upgrade));
  await client.ended;
  expect(client.text()).toMatch(/^HTTP\/1\.1 503 /);
  expect(upstream.talkers).toHaveLength(1);
  for (const { closed } of upstream.talkers) await closed;
});

test.each([
  { what: 'connection', target: realtimeTarget },
  { what: 'tunnel', target: '/v1/raw' },
])('while the provider has not answered, its $what is given up', async ({ target }) => {
  const left = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const upstream = await startRawUpstream(async (_request, answer) => {
    asked.resolve();
    await answer.closed;
    left.resolve();
  });
  const { ada, proxyUrl } = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/', tunnel: ['/v1/raw'] } },
    // Nothing but its leaving ends it.
    limits: { upstreamConnectMsMax: 60_000 },
  });
  const client = await connectRaw(proxyUrl);
  client.send(rawRequest('GET', target, upgrade));
  await asked.promise;
  client.destroy();
  await left.promise;
  const { id } = await ada.lastDecision();
  expect(await ada.outcomeOf(id)).toBe('client_abort');
});

test.each([
  { what: 'an upgrade', request: rawRequest('GET', '/v1/unknown', upgrade) },
  { what: 'CONNECT', request: 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n' },
])(
  'after $what was refused, what the caller goes on to send does not keep its connection',
  async ({ request }) => {
    const { proxyUrl } = await startTestSidecar({
      upstreams: { openai: { url: 'http://127.0.0.1:9', protocol: 'openai', mount: '/' } },
    });
    const accepted = acceptedAt(Number(new URL(proxyUrl).port));
    const client = await connectRaw(proxyUrl);
    const socket = await accepted;
    const closed = once(socket, 'close');
    client.send(request);
    await client.until('\r\n\r\n');
    client.send('what nobody reads');
    await waitFor(() => expect(socket.bytesRead).toBeGreaterThan(request.length));
    client.destroy();
    await closed;
  },
);
