/** WebSockets: frames of any size pass both ways, refusals and closings are relayed, openings are recorded. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, exchange, type RawClient, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { spawnSidecar, startTestSidecar } from '../support/sidecar.ts';
import { neverDurable } from '../support/unsealed.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatText } from './answers.ts';
import { denyUnlistedModels, holdUnlistedModels } from './policies.ts';

interface SocketUpstream {
  readonly url: string;
  readonly sockets: readonly Duplex[];
  readonly targets: readonly string[];
}

/** Accepts upgrades (RFC 6455 section 4.2.2) and sends back every byte of what follows; refuses where asked. */
async function startEcho(): Promise<SocketUpstream> {
  const sockets: Duplex[] = [];
  const targets: string[] = [];
  const server = createServer((_req, res) =>
    res.writeHead(426, { 'x-why': 'no upgrade' }).end('upgrade first'),
  );
  server.on('upgrade', (req, socket) => {
    sockets.push(socket);
    targets.push(req.url ?? '');
    socket.on('error', () => socket.destroy());
    if (req.url?.includes('refuse') === true) {
      socket.end(
        'HTTP/1.1 401 Unauthorized\r\nx-why: key\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnope',
      );
      return;
    }
    const accept = createHash('sha1')
      .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, sockets, targets };
}

const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const upstreamsOf = (url: string) => ({
  openai: { url, protocol: 'openai' as const, mount: '/', tunnel: ['/v1'] },
});

let echo: SocketUpstream;
beforeEach(async () => {
  echo = await startEcho();
});
afterEach(endAll);

async function open(proxyUrl: string, target = '/v1/realtime?model=gpt-realtime'): Promise<RawClient> {
  const client = await connectRaw(proxyUrl);
  client.send(rawRequest('GET', target, [...upgrade, key]));
  await client.until('\r\n\r\n');
  return client;
}

test('frames of 5 MB pass both ways unchanged, and the opening is recorded as not read', async () => {
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
  const client = await open(sidecar.proxyUrl);
  expect(client.text()).toContain('101 Switching Protocols');
  expect(client.text()).toContain('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  expect(echo.targets).toEqual(['/v1/realtime?model=gpt-realtime']);
  const head = client.received().length;
  const frame = randomBytes(5 * 1024 * 1024);
  client.send(frame);
  await waitFor(() => expect(client.received().length).toBe(head + frame.length), { timeout: 8_000 });
  expect(client.received().subarray(head).equals(frame)).toBe(true);
  client.end();
  await client.ended;
  const decision = await sidecar.ada.lastDecision();
  expect(decision.entries[0]?.data).toMatchObject({ operation: 'tunnel', recorded: false });
  expect(await sidecar.ada.outcomeOf(decision.id)).toBe('delivered');
});

test('a tunnel is opened whatever letters its protocol is written in', async () => {
  const { proxyUrl } = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
  const client = await connectRaw(proxyUrl);
  client.send(
    rawRequest('GET', '/v1/raw', ['Connection: Upgrade', 'Upgrade: WebSocket', ...upgrade.slice(2), key]),
  );
  await client.until('HTTP/1.1 101 ');
});

test.each(['/v1/x%3F/../../raw', '/v1//../raw'])(
  'a path whose dot segments lead out of it for some servers is not tunnelled: %s',
  async (target) => {
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
    expect((await open(sidecar.proxyUrl, target)).text()).toMatch(/^HTTP\/1\.1 400 /);
    expect(echo.targets).toEqual([]);
  },
);

test.each(['/v2/v1/raw', '/raw/v1', '/v1x/raw'])(
  'a path that has the words of one that is tunnelled elsewhere in it is not tunnelled: %s',
  async (target) => {
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
    expect((await open(sidecar.proxyUrl, target)).text()).toMatch(/^HTTP\/1\.1 403 /);
    expect(echo.targets).toEqual([]);
  },
);

test('an upgrade at a path of no upstream is refused in words', async () => {
  const upstreams = { openai: { ...upstreamsOf(echo.url).openai, mount: '/openai' } };
  const { proxyUrl } = await startTestSidecar({ upstreams });
  const answer = await exchange(proxyUrl, rawRequest('GET', '/v1/raw', [...upgrade, key]));
  expect([answer.status, JSON.parse(answer.body.toString()).error.code]).toEqual([404, 'no_upstream']);
});

test('an opening that cannot be sealed opens nothing, and what reached the disk says why', async () => {
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
  neverDurable(sidecar.sidecar.ledger, 'request');
  expect((await open(sidecar.proxyUrl)).text()).toMatch(/^HTTP\/1\.1 503 /);
  expect(echo.targets).toEqual([]);
  const { id } = await sidecar.ada.lastDecision();
  expect(await sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
});

test('an upgrade that the upstream refuses is relayed with its status, headers and body', async () => {
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
  const client = await open(sidecar.proxyUrl, '/v1/refuse');
  await client.ended;
  expect(client.text()).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  expect(client.text()).toContain('x-why: key');
  expect(client.text()).toMatch(/\r\n\r\nnope$/);
});

test('what the upstream still has to say arrives after the client has ended its side', async () => {
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
  const client = await open(sidecar.proxyUrl);
  const frame = randomBytes(64 * 1024);
  client.send(frame);
  client.end();
  expect(await client.ended).toBe('end');
  expect(client.received().subarray(-frame.length).equals(frame)).toBe(true);
});

test('the end of the upstream’s side ends the client’s', async () => {
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
  const client = await open(sidecar.proxyUrl);
  const close = Buffer.from([0x88, 0x02, 0x03, 0xf3]);
  echo.sockets[0]?.unpipe();
  echo.sockets[0]?.end(close);
  await client.ended;
  expect(client.received().subarray(-4)).toEqual(close);
});

test('the client’s leaving ends the upstream’s side', async () => {
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
  const client = await open(sidecar.proxyUrl);
  client.destroy();
  await waitFor(() => expect(echo.sockets[0]?.destroyed).toBe(true));
});

test('what is said to Holdpoint, or to a proxy, does not reach the upstream', async () => {
  const upstream = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('401 No', [], 'no')));
  const { proxyUrl } = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
  const own = ['Proxy-Authorization: Basic U0VDUkVU', 'Holdpoint-Workload: billing', 'X-Mine: kept'];
  await exchange(proxyUrl, rawRequest('GET', '/v1/realtime', [...upgrade, key, ...own]));
  const head = upstream.requests[0]?.head ?? '';
  expect(head).toMatch(/x-mine: kept/i);
  expect(head).not.toMatch(/proxy-authorization|holdpoint-/i);
});

test('a field that comes more than once reaches the upstream with all of its values', async () => {
  const upstream = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('401 No', [], 'no')));
  const { proxyUrl } = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
  const twice = ['Sec-WebSocket-Protocol: one', 'sec-websocket-protocol: two'];
  await exchange(proxyUrl, rawRequest('GET', '/v1/realtime', [...upgrade, key, ...twice]));
  expect(upstream.requests[0]?.head).toMatch(/\r\nsec-websocket-protocol: one, two$/im);
});

test.each([
  {
    what: 'handshake',
    status: '101 Switching Protocols',
    rest: ['Upgrade: websocket', 'Connection: Upgrade'],
  },
  { what: 'refusal', status: '401 Unauthorized', rest: ['Content-Length: 0'] },
])('the bytes of a field in the upstream’s $what arrive as they are', async ({ status, rest }) => {
  const head = [`HTTP/1.1 ${status}`, ...rest, 'X-Who: M\xfcller'].join('\r\n');
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(Buffer.from(`${head}\r\n\r\n`, 'latin1')),
  );
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
  expect((await open(sidecar.proxyUrl)).text()).toMatch(/\r\nx-who: M\xfcller\r\n/i);
});

test('an upstream that cannot be reached is a 502', async () => {
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf('http://127.0.0.1:9') });
  expect((await open(sidecar.proxyUrl)).text()).toMatch(/^HTTP\/1\.1 502 /);
  const { id } = await sidecar.ada.lastDecision();
  expect(await sidecar.ada.outcomeOf(id)).toBe('upstream_error');
});

test('an upstream that breaks off cuts the client’s connection without a word between the frames', async () => {
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(echo.url) });
  const client = await open(sidecar.proxyUrl);
  const before = client.received();
  const [socket] = echo.sockets;
  if (socket instanceof Socket) socket.resetAndDestroy();
  await client.ended;
  expect(client.received()).toEqual(before);
  const { id } = await sidecar.ada.lastDecision();
  expect(await sidecar.ada.outcomeOf(id)).toBe('upstream_truncated');
});

describe.each([
  { what: 'denies', policy: denyUnlistedModels },
  { what: 'would hold', policy: holdUnlistedModels },
])('a request rule that $what', ({ policy }) => {
  test('refuses the upgrade before the upstream hears of it', async () => {
    const sidecar = await startTestSidecar({ policy, upstreams: upstreamsOf(echo.url) });
    expect((await open(sidecar.proxyUrl)).text()).toMatch(/^HTTP\/1\.1 403 /);
    expect(echo.targets).toEqual([]);
    const { id } = await sidecar.ada.lastDecision();
    expect(await sidecar.ada.outcomeOf(id)).toBe('denied');
  });
});

test.each([
  ['HTTP/2', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAA']],
  ['a WebSocket, for which one asks by GET alone,', [...upgrade, key]],
])('an offer to upgrade to %s does not keep a call from being read and recorded', async (_to, offer) => {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', [], chatText('Hello.'))),
  );
  const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
  const answer = await exchange(
    sidecar.proxyUrl,
    rawRequest('POST', '/v1/chat/completions', offer, chatRequest()),
  );
  expect(answer.body.toString()).toBe(chatText('Hello.'));
  expect(upstream.requests[0]?.head).not.toMatch(/upgrade|h2c|http2-settings/i);
  expect((await sidecar.ada.lastDecision()).operation).toBe('chat.completions');
});

test('SIGTERM closes tunnels within the drain time and exits 0', async () => {
  const sidecar = await spawnSidecar({ upstreams: upstreamsOf(echo.url), limits: { drainMsMax: 200 } });
  const client = await open(sidecar.proxyUrl);
  expect(await sidecar.kill('SIGTERM')).toBe(0);
  await client.ended;
});
