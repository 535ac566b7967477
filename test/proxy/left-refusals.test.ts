/** Callers that reset their connection while they are refused something that is no call: nobody else notices. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { acceptedAt } from '../support/accepted.ts';
import { endAll } from '../support/endings.ts';
import { rawRequest } from '../support/raw-client.ts';
import { startTestSidecar } from '../support/sidecar.ts';

afterEach(endAll);

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const connectElsewhere = 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n';

async function start() {
  const upstreams = { openai: { url: 'http://127.0.0.1:9', protocol: 'openai', mount: '/' } } as const;
  const proxy = { forward: { listen: '127.0.0.1:0' } };
  const sidecar = await startTestSidecar({ upstreams, proxy });
  return { sidecar, forwardUrl: sidecar.sidecar.waysIn.forwardUrl ?? '' };
}

/** A client at a URL's port, and the sidecar's end of its connection. */
async function connectedTo(url: string): Promise<{ client: Socket; socket: Socket }> {
  const port = Number(new URL(url).port);
  const accepted = acceptedAt(port);
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  return { client, socket: await accepted };
}

test('a caller that is refused CONNECT at the port of base URLs may reset its connection', async () => {
  const { sidecar } = await start();
  const { client, socket } = await connectedTo(sidecar.proxyUrl);
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  client.write(connectElsewhere);
  await once(client, 'data');
  client.resetAndDestroy();
  await over;
  expect(await fetch(sidecar.proxyUrl)).toBeDefined();
});

test('a caller may reset its connection while it is sealed that its upgrade is refused', async () => {
  const { sidecar, forwardUrl } = await start();
  const { client, socket } = await connectedTo(forwardUrl);
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const { seal } = sidecar.sidecar.ledger;
  vi.spyOn(sidecar.sidecar.ledger, 'seal').mockImplementation((draft) => {
    const sealed = seal(draft);
    client.resetAndDestroy();
    return { ...sealed, durable: over.then(() => sealed.durable) };
  });
  client.write(rawRequest('GET', 'http://example.com/v1/realtime', upgrade));
  await over;
  expect(await fetch(sidecar.proxyUrl)).toBeDefined();
});

test.each([
  ['CONNECT', connectElsewhere],
  ['an upgrade', rawRequest('GET', '/v1/unknown', upgrade)],
])(
  'a caller that is refused %s and does not close loses its connection once it is silent',
  async (_what, asked) => {
    const { sidecar } = await start();
    const { client, socket } = await connectedTo(sidecar.proxyUrl);
    client.write(asked);
    await once(client, 'data');
    expect(socket.timeout).toBeGreaterThan(0);
    socket.emit('timeout');
    expect(socket.destroyed).toBe(true);
  },
);
