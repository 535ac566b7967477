/** Where only a forward proxy leads out: calls and sockets go through it, and nothing goes around it. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LookUp, systemLookUp } from '../../src/proxy/intercept/address.ts';
import { type Credential, makeAuthority } from '../support/certificates.ts';
import { type ConnectProxyOptions, startConnectProxy } from '../support/connect-proxy.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { listeningOn } from '../support/listening-on.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText } from './answers.ts';
import { denyUnlistedModels } from './policies.ts';
import { openThrough, startBehind as startBehindForward } from './through.ts';

/** Nobody but the proxy knows where it is: a name below .test is in no DNS. */
const host = 'provider.test';
/** One that leads to an address of this network. */
const inside = 'inside.test';
const lookUp: LookUp = async (name) => (name === inside ? ['10.0.0.1'] : systemLookUp(name));
const secret = 'Basic c2lkZWNhcjpodW50ZXIy';
const chat = rawRequest('POST', '/v1/chat/completions', ['authorization: Bearer sk-1'], chatRequest());
const upgrade = [
  ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

let identity: Credential;
let directory: string;
const trusted = getCACertificates('default');
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-egress-'));
  const authority = makeAuthority(directory, 'authority');
  identity = authority.issue({ subject: `/CN=${host}`, alternativeNames: `DNS:${host},IP:127.0.0.1` });
  setDefaultCACertificates([...trusted, authority.certificate]);
});
afterAll(() => {
  setDefaultCACertificates(trusted);
  rmSync(directory, { recursive: true });
});
afterEach(endAll);

interface Provider {
  readonly port: number;
  readonly asked: { readonly target: string; readonly headers: IncomingHttpHeaders }[];
  /** The connections it has taken. */
  readonly sockets: Duplex[];
}

/** Answers calls after `thinksMs`, and takes WebSockets. `closesAt` is the number of the request at which it hangs up instead. */
async function startProvider({ closesAt = 0, thinksMs = 0 } = {}): Promise<Provider> {
  const asked: Provider['asked'] = [];
  const sockets: Duplex[] = [];
  const server = createServer(identity, (req, res) => {
    asked.push({ target: req.url ?? '', headers: req.headers });
    if (asked.length === closesAt) req.socket.destroy();
    else
      setTimeout(() => {
        res.writeHead(200, { 'content-type': 'application/json' }).end(chatText('Hello.'));
      }, thinksMs);
  });
  server.on('secureConnection', (socket) => sockets.push(socket));
  server.on('upgrade', (req, socket) => {
    asked.push({ target: req.url ?? '', headers: req.headers });
    const accept = createHash('sha1')
      .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  });
  const { url, close } = await listeningOn(server, 'https');
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    return close();
  });
  return { port: Number(new URL(url).port), asked, sockets };
}

async function startBehind(
  provider: Provider,
  proxyOptions: Partial<ConnectProxyOptions> = {},
  { url = `https://${host}`, limits = {}, policy = '', except = [] as readonly string[] } = {},
) {
  const ports = { [`${host}:443`]: provider.port, [`127.0.0.1:${provider.port}`]: provider.port };
  const proxy = await startConnectProxy({ ports, ...proxyOptions });
  const sidecar = await startTestSidecar({
    upstreams: { openai: { url, protocol: 'openai', mount: '/', tunnel: ['/v1/live'] } },
    egress: { proxy: proxy.url, authorization: { env: 'EGRESS_AUTHORIZATION' }, except },
    env: { EGRESS_AUTHORIZATION: secret },
    limits,
    ...(policy === '' ? {} : { policy }),
  });
  return { proxy, sidecar };
}

test('a call reaches the provider through the proxy, which is told the password, and the provider is not', async () => {
  const provider = await startProvider();
  const { proxy, sidecar } = await startBehind(provider);
  const answer = await exchange(sidecar.proxyUrl, chat);
  expect(answer.body.toString()).toBe(chatText('Hello.'));
  expect(proxy.asked.map(({ target }) => target)).toEqual([`${host}:443`]);
  expect(proxy.asked[0]?.headers['proxy-authorization']).toBe(secret);
  expect(provider.asked[0]?.headers).toMatchObject({ host, authorization: 'Bearer sk-1' });
  expect(JSON.stringify(provider.asked[0])).not.toContain('Basic');
});

test('calls one after the other share what the proxy opened', async () => {
  const provider = await startProvider();
  const { proxy, sidecar } = await startBehind(provider);
  for (let i = 0; i < 3; i += 1) await exchange(sidecar.proxyUrl, chat);
  expect([provider.asked.length, proxy.asked.length]).toEqual([3, 1]);
});

test('a provider that thinks for longer than the proxy may take to answer is waited for', async () => {
  const provider = await startProvider({ thinksMs: 1_500 });
  const { sidecar } = await startBehind(provider, {}, { limits: { upstreamConnectMsMax: 1_000 } });
  expect((await exchange(sidecar.proxyUrl, chat)).status).toBe(200);
});

test.each([{ how: 'in the clear' }, { how: 'by TLS' }])(
  'a connection through a proxy that is asked $how and that was closed while it was idle is opened again',
  async ({ how }) => {
    const provider = await startProvider({ closesAt: 2 });
    const { proxy, sidecar } = await startBehind(provider, how === 'by TLS' ? { identity } : {});
    await exchange(sidecar.proxyUrl, chat);
    expect((await exchange(sidecar.proxyUrl, chat)).status).toBe(200);
    expect([provider.asked.length, proxy.asked.length]).toEqual([3, 2]);
  },
);

test('the first call on a connection is not sent again where that breaks', async () => {
  const provider = await startProvider({ closesAt: 1 });
  const { sidecar } = await startBehind(provider);
  expect((await exchange(sidecar.proxyUrl, chat)).status).toBe(502);
  expect(provider.asked).toHaveLength(1);
});

test.each([
  ['the tunnel', '/v1/live'],
  ['the recorded way', '/v1/realtime?model=gpt-realtime'],
])('a WebSocket of %s goes through the proxy', async (_way, target) => {
  const provider = await startProvider();
  const { proxy, sidecar } = await startBehind(provider);
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('GET', target, upgrade));
  await client.until('\r\n\r\n');
  expect(client.text()).toContain('101 Switching Protocols');
  expect([proxy.asked[0]?.target, provider.asked[0]?.target]).toEqual([`${host}:443`, target]);
  expect(proxy.asked[0]?.headers['proxy-authorization']).toBe(secret);
  client.end();
  await client.ended;
});

describe('where the proxy opens nothing', () => {
  test.each([
    [
      'refuses the password',
      '407 Proxy Authentication Required',
      'answered 407 to CONNECT provider.test:443',
    ],
    ['refuses the host', '403 Forbidden', 'answered 403 to CONNECT provider.test:443'],
    ['says nothing', 'silence', 'said nothing for 200 ms'],
  ])(
    'because it %s, the call is a 502 that says so, and nothing goes around it',
    async (_why, refusal, said) => {
      const provider = await startProvider();
      const { proxy, sidecar } = await startBehind(
        provider,
        { refusal },
        { limits: { upstreamConnectMsMax: 200 } },
      );
      const answer = await exchange(sidecar.proxyUrl, chat);
      expect(answer.status).toBe(502);
      const text = answer.body.toString();
      expect(text).toContain(`the egress proxy ${new URL(proxy.url).host}`);
      expect(text).toContain(said);
      expect(text).not.toContain('c2lkZWNhcjpodW50ZXIy');
      expect(provider.sockets).toEqual([]);
      expect(await sidecar.ada.outcomeOf((await sidecar.ada.lastDecision()).id)).toBe('upstream_error');
      expect(proxy.asked).toHaveLength(1);
    },
  );

  test.each([
    ['the tunnel', '/v1/live'],
    ['the recorded way', '/v1/realtime?model=gpt-realtime'],
  ])('a WebSocket of %s is refused, and nothing goes around it', async (_way, target) => {
    const provider = await startProvider();
    const { sidecar } = await startBehind(provider, { refusal: '407 Proxy Authentication Required' });
    const answer = await exchange(sidecar.proxyUrl, rawRequest('GET', target, upgrade));
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toContain('answered 407');
    expect(provider.sockets).toEqual([]);
  });
});

test.each([
  ['a call', chat],
  ['a WebSocket of the tunnel', rawRequest('GET', '/v1/live', upgrade)],
  ['a WebSocket of the recorded way', rawRequest('GET', '/v1/realtime?model=gpt-realtime', upgrade)],
])('%s whose caller leaves while the proxy is asked reaches no provider', async (_what, request) => {
  const provider = await startProvider();
  const opening = Promise.withResolvers<void>();
  const { proxy, sidecar } = await startBehind(provider, { opensAfter: opening.promise });
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(request);
  await expect.poll(() => proxy.asked.length).toBe(1);
  client.destroy();
  const { id } = await sidecar.ada.lastDecision();
  expect(await sidecar.ada.outcomeOf(id)).toBe('client_abort');
  opening.resolve();
  await sidecar.stop();
  await expect.poll(() => proxy.open()).toBe(0);
  expect(provider.asked).toEqual([]);
});

test('what is not allowed never gets to the proxy', async () => {
  const provider = await startProvider();
  const { proxy, sidecar } = await startBehind(provider, {}, { policy: denyUnlistedModels });
  const body = chatRequest({ model: 'unlisted' });
  const answer = await exchange(sidecar.proxyUrl, rawRequest('POST', '/v1/chat/completions', [], body));
  expect(answer.status).toBe(403);
  expect(proxy.asked).toEqual([]);
});

test('a certificate of another name than the host’s counts for nothing, whoever opened the connection', async () => {
  const provider = await startProvider();
  const ports = { 'other.test:443': provider.port };
  const { sidecar } = await startBehind(provider, { ports }, { url: 'https://other.test' });
  const answer = await exchange(sidecar.proxyUrl, chat);
  expect(answer.status).toBe(502);
  expect(provider.asked).toEqual([]);
});

describe('what passes unread from the forward proxy', () => {
  async function passing(refusal?: string) {
    const provider = await startProvider();
    const ports = { [`${host}:443`]: provider.port };
    const proxy = await startConnectProxy(refusal === undefined ? { ports } : { ports, refusal });
    const behind = await startBehindForward({
      upstreams: { openai: { url: 'https://api.openai.com', protocol: 'openai', mount: '/' } },
      proxy: { others: 'pass' },
      egress: { proxy: proxy.url },
      machine: { lookUp },
    });
    return { provider, proxy, behind };
  }

  test('goes by the egress proxy, once it is recorded', async () => {
    const { provider, proxy, behind } = await passing();
    const socket = await openThrough(behind.forwardUrl, host, {});
    socket.write(chat);
    await once(socket, 'data');
    expect(proxy.asked.map(({ target }) => target)).toEqual([`${host}:443`]);
    expect(provider.asked.map(({ target }) => target)).toEqual(['/v1/chat/completions']);
    const { id, entries } = await behind.sidecar.ada.lastDecision();
    expect(entries[0]?.data).toMatchObject({ path: `${host}:443`, verdict: 'pass', recorded: false });
    socket.destroy();
    expect(await behind.sidecar.ada.outcomeOf(id)).toBe('delivered');
  });

  test('ends as upstream_error where that proxy opens nothing', async () => {
    const { provider, behind } = await passing('403 Forbidden');
    await expect(openThrough(behind.forwardUrl, host, {})).rejects.toThrow();
    expect(provider.sockets).toEqual([]);
    const { id } = await behind.sidecar.ada.lastDecision();
    expect(await behind.sidecar.ada.outcomeOf(id)).toBe('upstream_error');
  });

  test('leads to no closed address by it either', async () => {
    const { proxy, behind } = await passing();
    await expect(openThrough(behind.forwardUrl, inside, {})).rejects.toThrow(/unrecognized name/);
    expect(proxy.asked).toEqual([]);
  });
});

test('this machine is reached directly', async () => {
  const provider = await startProvider();
  const { proxy, sidecar } = await startBehind(provider, {}, { url: `https://127.0.0.1:${provider.port}` });
  expect((await exchange(sidecar.proxyUrl, chat)).status).toBe(200);
  expect(proxy.asked).toEqual([]);
});

test('a host that the configuration excepts is not asked of the proxy', async () => {
  const provider = await startProvider();
  // It belongs to nobody (RFC 5737).
  const [url, except] = ['https://192.0.2.1', ['192.0.2.0/24']];
  const { proxy, sidecar } = await startBehind(
    provider,
    {},
    { url, except, limits: { upstreamConnectMsMax: 200 } },
  );
  expect((await exchange(sidecar.proxyUrl, chat)).status).toBe(502);
  expect(proxy.asked).toEqual([]);
});

test('no connection of the proxy’s stays open after the stop', async () => {
  const provider = await startProvider();
  const { proxy, sidecar } = await startBehind(provider);
  await exchange(sidecar.proxyUrl, chat);
  expect(proxy.open()).toBe(1);
  await sidecar.stop();
  await expect.poll(() => proxy.open()).toBe(0);
});
