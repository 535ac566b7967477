/** The way out through a forward proxy that nobody here wrote. Tinyproxy comes from Debian. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createServer as createNetServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority } from '../support/certificates.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatText } from './answers.ts';

/** Not loopback, which is reached without a proxy. */
const address = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const isThere = spawnSync('tinyproxy', ['-v']).status === 0 && address !== undefined;
if (!isThere)
  process.stderr.write('a forward proxy of others: not tried, tinyproxy or a network address missing\n');

describe.skipIf(!isThere)('tinyproxy', () => {
  const trusted = getCACertificates('default');
  let directory: string;
  let url: string;
  let asked: number;
  let closeProvider = (): void => undefined;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'holdpoint-tinyproxy-'));
    const authority = makeAuthority(directory, 'authority');
    const identity = authority.issue({ subject: '/CN=provider', alternativeNames: `IP:${address}` });
    setDefaultCACertificates([...trusted, authority.certificate]);
    const server = createServer(identity, (_req, res) => {
      asked += 1;
      res.writeHead(200, { 'content-type': 'application/json' }).end(chatText('Hello.'));
    });
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const bound = server.address();
    url = `https://${address}:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
    closeProvider = () => {
      server.close();
      server.closeAllConnections();
    };
  });
  afterAll(() => {
    closeProvider();
    setDefaultCACertificates(trusted);
    rmSync(directory, { recursive: true });
  });
  afterEach(endAll);

  async function startTinyproxy(): Promise<string> {
    const port = await freePort();
    const file = join(directory, 'tinyproxy.conf');
    const lines = [`Port ${port}`, 'Listen 127.0.0.1', 'Allow 127.0.0.1', 'BasicAuth sidecar hunter2'];
    writeFileSync(file, [...lines, `ConnectPort ${new URL(url).port}`, ''].join('\n'));
    const child = spawn('tinyproxy', ['-d', '-c', file], { stdio: 'ignore' });
    const over = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    atEnd(async () => {
      child.kill();
      await over;
    });
    const proxy = `http://127.0.0.1:${port}`;
    // It says nothing when it listens.
    await waitFor(async () => (await connectRaw(proxy)).end(), { timeout: 8_000, interval: 20 });
    return proxy;
  }

  async function ask(password: string) {
    asked = 0;
    const authorization = `Basic ${Buffer.from(`sidecar:${password}`).toString('base64')}`;
    const sidecar = await startTestSidecar({
      upstreams: { openai: { url, protocol: 'openai', mount: '/' } },
      egress: { proxy: await startTinyproxy(), authorization: { env: 'AUTHORIZATION' } },
      env: { AUTHORIZATION: authorization },
    });
    return exchange(sidecar.proxyUrl, rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  }

  it('carries a call to the provider', async () => {
    expect((await ask('hunter2')).body.toString()).toBe(chatText('Hello.'));
    expect(asked).toBe(1);
  });

  it('carries none with another password, and the call says so', async () => {
    const answer = await ask('other');
    expect([answer.status, asked]).toEqual([502, 0]);
    expect(answer.body.toString()).toMatch(/the egress proxy 127\.0\.0\.1:\d+ answered 40[17] to CONNECT/);
  });
});

async function freePort(): Promise<number> {
  const server = createNetServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}
