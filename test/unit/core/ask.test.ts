/** One request to another server: what it brings back, what bounds it, and the way that it takes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ask, type Question } from '../../../src/core/ask.ts';
import { directHosts } from '../../../src/core/direct-hosts.ts';
import { createEgress, noProxy } from '../../../src/core/egress.ts';
import { type Authority, type Credential, makeAuthority } from '../../support/certificates.ts';
import { startConnectProxy } from '../../support/connect-proxy.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import { listeningOn } from '../../support/listening-on.ts';

let directory: string;
let authority: Authority;
let identity: Credential;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-ask-'));
  authority = makeAuthority(directory, 'authority');
  identity = authority.issue({ subject: '/CN=tsa.test', alternativeNames: 'DNS:tsa.test' });
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(endAll);

async function serving(answer: RequestListener): Promise<URL> {
  const { url, close } = await listeningOn(createServer(answer));
  atEnd(close);
  return new URL(url);
}

const question = (url: URL, more: Partial<Question> = {}): Question => ({
  ...{ method: 'GET', url, headers: {}, signal: new AbortController().signal, ...more },
});

describe('a request', () => {
  it('is sent whole and brings back status, fields and body', async () => {
    const url = await serving((req, res) => {
      req.setEncoding('utf8').on('data', (text: string) => {
        res.writeHead(201, { 'x-length': req.headers['content-length'] }).end(`${req.method} ${text}`);
      });
    });
    const reply = await ask(question(url, { method: 'POST', body: 'naïve' }), noProxy);
    expect([reply.status, reply.header('x-length'), reply.header('x-not')]).toEqual([201, '6', '']);
    expect((await reply.read(11)).toString()).toBe('POST naïve');
  });

  it('follows no redirect', async () => {
    let asked = 0;
    const url = await serving((_req, res) => {
      asked += 1;
      res.writeHead(302, { location: '/elsewhere' }).end();
    });
    const reply = await ask(question(url), noProxy);
    expect([reply.status, reply.header('location'), asked]).toEqual([302, '/elsewhere', 1]);
    reply.drop();
  });

  it('takes no body that is longer than the bound', async () => {
    const url = await serving((_req, res) => res.end('x'.repeat(101)));
    await expect((await ask(question(url), noProxy)).read(100)).rejects.toThrow('longer than 100 bytes');
  });

  it('takes no body that is cut off, whenever it is read', async () => {
    const cut = Promise.withResolvers<void>();
    const url = await serving((_req, res) => {
      res.writeHead(200, { 'content-length': '10' }).write('half', () => {
        res.destroy();
        res.once('close', cut.resolve);
      });
    });
    const reply = await ask(question(url), noProxy);
    await cut.promise;
    await expect(reply.read(100)).rejects.toThrow();
  });

  it('brings back nothing where the server changes to another protocol unasked', async () => {
    const server = createServer();
    server.on('upgrade', (_req, socket) => socket.destroy());
    server.on('request', (_req, res) => {
      res.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    });
    const { url, close } = await listeningOn(server);
    atEnd(close);
    await expect(ask(question(new URL(url)), noProxy)).rejects.toThrow('dropped');
  });

  it('is over when its time is, also while its body comes', async () => {
    const silent = await serving(() => undefined);
    const half = await serving((_req, res) => res.writeHead(200).write('half'));
    const over = new AbortController();
    const [never, begun] = [
      ask(question(silent, { signal: over.signal }), noProxy),
      await ask(question(half, { signal: over.signal }), noProxy),
    ];
    const reading = begun.read(100);
    over.abort();
    await expect(never).rejects.toThrow('aborted');
    await expect(reading).rejects.toThrow('aborted');
  });
});

describe('where a proxy leads out', () => {
  async function behindProxy(refusal?: string) {
    const server = createTlsServer(identity, (_req, res) => res.end('stamped'));
    const { url, close } = await listeningOn(server, 'https');
    atEnd(close);
    const ports = { 'tsa.test:443': Number(new URL(url).port) };
    const proxy = await startConnectProxy(refusal === undefined ? { ports } : { ports, refusal });
    const options = { proxy: new URL(proxy.url), authorization: () => 'Basic cGFzcw==', connectMsMax: 5_000 };
    return { proxy, egress: createEgress({ ...options, isDirect: directHosts([]) }) };
  }
  const stamp = (): Question => question(new URL('https://tsa.test/'), { ca: authority.certificate });

  it('it opens the connection, with TLS to the authorities that the request names', async () => {
    const { proxy, egress } = await behindProxy();
    expect((await (await ask(stamp(), egress)).read(100)).toString()).toBe('stamped');
    expect(proxy.asked).toMatchObject([
      { target: 'tsa.test:443', headers: { 'proxy-authorization': 'Basic cGFzcw==' } },
    ]);
    await expect(ask({ ...stamp(), ca: undefined }, egress)).rejects.toThrow('certificate');
  });

  it('what it refuses is refused, and its connection is let go', async () => {
    const { proxy, egress } = await behindProxy('403 Forbidden');
    await expect(ask(stamp(), egress)).rejects.toThrow('answered 403 to CONNECT tsa.test:443');
    await expect.poll(() => proxy.open()).toBe(0);
  });

  it.each(['2001:db8::1', '[2001:db8::1]'])(
    'an address of IPv6 stands in brackets before its port: %s',
    async (host) => {
      const { proxy, egress } = await behindProxy('403 Forbidden');
      await expect(egress.through(host, 443)?.()).rejects.toThrow('answered 403');
      expect(proxy.asked.map(({ target }) => target)).toEqual(['[2001:db8::1]:443']);
    },
  );

  it('it may itself be at an address of IPv6, which is no name to look up', async () => {
    const proxy = new URL('http://[::1]:9');
    const egress = createEgress({ proxy, authorization: null, isDirect: () => false, connectMsMax: 5_000 });
    await expect(ask(stamp(), egress)).rejects.toThrow(/ECONNREFUSED|EADDRNOTAVAIL/);
  });

  it('a request to a host that is reached directly is what it would be without one', async () => {
    const { egress } = await behindProxy();
    expect([egress.agentFor('https://127.0.0.1/'), egress.through('127.0.0.1', 443)]).toEqual([
      undefined,
      null,
    ]);
  });

  it('nothing is asked of it without its password, once that was taken away', async () => {
    const { proxy } = await behindProxy();
    const gone = (): string => {
      throw new Error('egress.authorization holds no secret');
    };
    const options = { proxy: new URL(proxy.url), authorization: gone, connectMsMax: 5_000 };
    const egress = createEgress({ ...options, isDirect: directHosts([]) });
    await expect(ask(stamp(), egress)).rejects.toThrow('holds no secret');
    expect(proxy.asked).toEqual([]);
  });

  it('a request in the clear does not come to it', async () => {
    const { proxy, egress } = await behindProxy();
    const url = await serving((_req, res) => res.end('here'));
    expect((await (await ask(question(url), egress)).read(100)).toString()).toBe('here');
    expect(proxy.asked).toEqual([]);
  });
});
