/** Certificates of sites: made once, kept while they are good, made again before they run out. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '../../../src/core/clock.ts';
import type { Site } from '../../../src/proxy/intercept/destination.ts';
import { createTerminator, type Issuer } from '../../../src/proxy/intercept/terminate.ts';
import { openAuthority } from '../../../src/store/ca.ts';
import { atEnd, endAll } from '../../support/endings.ts';
import { connectRaw } from '../../support/raw-client.ts';

const dayMs = 86_400_000;
const site: Site = { scheme: 'https', host: 'a.test', port: 443, upstreams: [] };
let nowMs: number;
let issued: string[];
let secured: TLSSocket[];
let port: number;
let ca: string;

beforeEach(async () => {
  nowMs = Date.now();
  issued = [];
  secured = [];
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-terminate-'));
  const files = { keyFile: join(dir, 'ca.key'), certificateFile: join(dir, 'ca.pem') };
  const authority = openAuthority({ ...files, hosts: ['a.test'], nowMs: () => nowMs, random: systemRandom });
  ca = authority.certificate;
  const issuer: Issuer = {
    issue: (host) => {
      issued.push(host);
      return authority.issue(host);
    },
  };
  const terminate = createTerminator(
    issuer,
    () => nowMs,
    (socket) => {
      secured.push(socket);
      socket.write('accepted');
    },
  );
  const server = createServer((socket) => terminate(socket, site));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  atEnd(() => {
    for (const socket of secured) socket.destroy();
    server.close();
    rmSync(dir, { recursive: true });
  });
});
afterEach(endAll);

/** The serial number of the certificate that a client is shown; 'refused' where it gets none. */
function shownTo(servername: string, session?: Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const options = { ca, servername, ...(session === undefined ? {} : { session }) };
  const client = connectTls({
    socket: connect(port, '127.0.0.1'),
    checkServerIdentity: () => undefined,
    ...options,
  });
  client.once('data', () => {
    resolve(client.isSessionReused() ? 'resumed' : client.getPeerCertificate().serialNumber);
  });
  client.once('close', () => resolve('refused'));
  client.once('error', () => resolve('refused'));
  atEnd(() => {
    client.destroy();
  });
  return promise;
}

test('one certificate serves many connections', async () => {
  expect(await shownTo('a.test')).toBe(await shownTo('a.test'));
  expect(issued).toEqual(['a.test']);
});

test('another one is made days before the first runs out, and when the clock jumps back before it', async () => {
  const first = await shownTo('a.test');
  nowMs += 4 * dayMs;
  expect(await shownTo('a.test')).toBe(first);
  nowMs += 2 * dayMs;
  const second = await shownTo('a.test');
  expect(second).not.toBe(first);
  nowMs -= 8 * dayMs;
  expect(await shownTo('a.test')).not.toBe(second);
  expect(issued).toHaveLength(3);
});

test('a client that names another host, or none, gets no further than the handshake', async () => {
  expect(await shownTo('b.test')).toBe('refused');
  expect(await shownTo('')).toBe('refused');
  expect(secured).toEqual([]);
});

test('a client may write the name in large letters', async () => {
  expect(await shownTo('A.TEST')).toMatch(/^[0-9A-F]+$/);
});

test('a connection whose handshake fails is closed', async () => {
  const client = await connectRaw(`http://127.0.0.1:${port}`);
  client.send('This is no handshake.\r\n');
  await client.ended;
  expect(secured).toEqual([]);
});

test('no connection resumes another: each shakes hands in full', async () => {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const first = connectTls({ socket: connect(port, '127.0.0.1'), ca, servername: 'a.test' });
  first.once('session', resolve);
  atEnd(() => {
    first.destroy();
  });
  const serial = await shownTo('a.test', await promise);
  expect(serial).toMatch(/^[0-9A-F]+$/);
});
