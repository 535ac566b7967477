/** TLS on the control port and people by their certificates, with real ones made by OpenSSL. */
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openTlsServer } from '../../src/control/sign-in/certificates.ts';
import { listening } from '../../src/core/listening.ts';
import { type Authority, type Credential, makeAuthority } from '../support/certificates.ts';
import { accessOf } from './support/access.ts';
import { type ConsolePage, openPage, type PageAnswer, type PageInit } from './support/page.ts';
import { eventually, type House, startHouse } from './support/sidecar.ts';

const ada = 'spiffe://example.com/desk/ada';
const directory = mkdtempSync(join(tmpdir(), 'holdpoint-certificates-'));
const file = (name: string): string => join(directory, name);
const whoami = '/api/v1/whoami';

let servers: Authority;
let people: Authority;
let house: House;
let base: string;
const settings = {
  control: {
    listen: '127.0.0.1:0',
    tls: {
      cert: file('tls.crt'),
      key: file('tls.key'),
      clientCa: file('people-ca.pem'),
      clients: [
        { uri: ada, role: 'reviewer' },
        { commonName: 'ops', role: 'admin' },
      ],
    },
  },
};

beforeAll(async () => {
  servers = makeAuthority(directory, 'servers');
  people = makeAuthority(directory, 'people');
  writeServer('localhost');
  writeFileSync(file('people-ca.pem'), people.certificate);
  house = await startHouse({ settings });
  base = house.sidecar.controlUrl;
});
afterAll(async () => {
  await house.close();
  rmSync(directory, { recursive: true });
});

function writeServer(name: string): void {
  const { cert, key } = servers.issue({
    subject: `/CN=${name}`,
    alternativeNames: `DNS:${name},IP:127.0.0.1`,
  });
  writeFileSync(file('tls.crt'), cert);
  writeFileSync(file('tls.key'), key);
}

function pageWith(credential: Partial<Credential> = {}): ConsolePage {
  return openPage(base, { tls: { ca: servers.certificate, ...credential } });
}

/** As a program asks, without what browsers add. */
function program(credential: Partial<Credential>, path = whoami, init: PageInit = {}): Promise<PageAnswer> {
  const headers = {
    origin: null,
    'sec-fetch-site': null,
    'sec-fetch-mode': null,
    'holdpoint-session-key': null,
  };
  return pageWith(credential).send(path, { ...init, headers: { ...headers, ...init.headers } });
}

/** The second once there were many of the first. */
const refusals = [401, 429];
const asAuditor = (): PageInit => ({ headers: { authorization: `Bearer ${house.tokens.auditor}` } });
const hashOf = ({ cert }: Credential): string =>
  `certificate ${createHash('sha256').update(new X509Certificate(cert).raw).digest('hex')}`;

const issue = (subject: string, alternativeNames = '', sections = ''): Credential =>
  people.issue({ subject, alternativeNames, sections });

/** One name that reads like two. */
function hiding(name: string): Credential {
  const credential = issue('/CN=x', '@names', `[names]\n${name}\n`);
  expect(new X509Certificate(credential.cert).subjectAltName).toContain('"');
  return credential;
}

describe('TLS on the control port', () => {
  it('is what the port speaks, and nothing else', async () => {
    expect(new URL(base).protocol).toBe('https:');
    await expect(fetch(base.replace('https', 'http'))).rejects.toThrow();
  });

  it('takes tokens and sessions as before, the cookie bound to the host', async () => {
    const page = pageWith();
    expect((await page.signIn(house.tokens.viewer)).status).toBe(201);
    expect(page.setCookies[0]).toMatch(
      /^__Host-holdpoint-session-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect((await page.send(whoami)).json).toMatchObject({ name: 'viewer-1', role: 'viewer' });
  });

  it('lets nobody in without credentials', async () => {
    expect((await program({})).status).toBe(401);
  });

  it('takes no protocol below 1.2', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const { hostname, port } = new URL(base);
    connect({
      host: hostname,
      port: Number(port),
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    })
      .once('secureConnect', () => resolve('connected'))
      .once('error', () => resolve('refused'));
    expect(await promise).toBe('refused');
  });
});

/** A connection that has not begun its handshake, once the server knows of it. */
async function connectSilently(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const silent = connectTcp(Number(port), hostname);
  await once(silent, 'connect');
  // The server takes connections in their order: it has this one when a later one is answered.
  await openPage(url, { tls: { ca: servers.certificate } }).send('/healthz');
  return silent;
}

describe('a connection that does not shake hands', () => {
  it('is ended when its time for that is over', async () => {
    const { server, cut } = openTlsServer(
      {
        cert: () => readFileSync(file('tls.crt'), 'utf8'),
        key: () => readFileSync(file('tls.key'), 'utf8'),
        clientCa: null,
        clients: [],
      },
      { handshakeTimeout: 20 },
      () => undefined,
      () => undefined,
    );
    // As the control port answers what is no HTTP.
    server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const bound = await listening(server, { host: '127.0.0.1', port: 0 }, 'control.listen');
    const silent = connectTcp(Number(new URL(`https://${bound}`).port), '127.0.0.1');
    await once(silent.resume(), 'close');
    server.close();
    cut();
  });

  it('does not keep the sidecar from stopping', async () => {
    const other = await startHouse({ settings });
    const silent = await connectSilently(other.sidecar.controlUrl);
    const ended = once(silent.resume(), 'close');
    await other.close();
    await ended;
  });
});

/** Whether the server takes part in a second handshake on a connection. */
async function renegotiates(): Promise<boolean> {
  const { hostname, port } = new URL(base);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(
    {
      host: hostname,
      port: Number(port),
      ca: servers.certificate,
      maxVersion: 'TLSv1.2',
      ...issue('/CN=ops'),
    },
    () => {
      socket.removeAllListeners('secureConnect');
      socket.renegotiate({}, (error) => resolve(error === null));
    },
  )
    .once('error', () => resolve(false))
    .once('close', () => resolve(false));
  const answer = await promise;
  socket.destroy();
  return answer;
}

describe('a client’s certificate', () => {
  it('stays the one that the connection began with, which OpenSSL judged', async () => {
    expect(await renegotiates()).toBe(false);
  });

  it('names a person by its URI', async () => {
    const answer = await program(issue('/CN=whatever', `URI:${ada}`));
    expect(answer.json).toMatchObject({ name: `certificate:${ada}`, role: 'reviewer' });
  });

  it('names a person by its common name', async () => {
    expect((await program(issue('/CN=ops'))).json).toMatchObject({
      name: 'certificate:cn=ops',
      role: 'admin',
    });
  });

  it('lets a person take a hold and give it back, but hand it to nobody who has no token', async () => {
    const caller = house.ask('please escalate: take it');
    const token = { authorization: `Bearer ${house.tokens.reviewer}` };
    const held = await eventually(async () => {
      const { json } = await program({}, '/api/v1/holds?state=pending', { headers: token });
      return z.object({ items: z.array(z.object({ id: z.string(), digest: z.string() })) }).parse(json)
        .items[0];
    });
    const credential = issue('/CN=whatever', `URI:${ada}`);
    const order = (path: string, json: object) =>
      program(credential, `/api/v1/holds/${held.id}/${path}`, {
        method: 'POST',
        body: JSON.stringify(json),
        headers: { 'content-type': 'application/json' },
      });
    const me = `certificate:${ada}`;
    expect((await order('assignment', { to: me })).json).toMatchObject({ assignee: me });
    expect((await order('assignment', { to: 'certificate:cn=ops' })).status).toBe(400);
    expect((await order('assignment', { to: '' })).json).toMatchObject({ assignee: '' });
    const ruling = { verdict: 'deny', reason: 'No.', digest: held.digest };
    expect((await order('rulings', ruling)).status).toBe(201);
    await (await caller).text();
  });

  it('is sealed at its first use, with its hash and from where', async () => {
    const credential = issue('/CN=ops');
    await program(credential);
    await program(credential);
    const uses = (await accessOf({ call: (path) => program({}, path, asAuditor()) })).filter(
      ({ by, grant }) => by === 'certificate:cn=ops' && grant === hashOf(credential),
    );
    expect(uses).toEqual([
      {
        action: 'sign in',
        by: 'certificate:cn=ops',
        from: '127.0.0.1',
        grant: hashOf(credential),
        role: 'admin',
        via: 'certificate',
      },
    ]);
  });

  it.each<[string, () => Credential]>([
    [
      'of another authority',
      () => makeAuthority(directory, 'forger').issue({ subject: '/CN=ops', alternativeNames: `URI:${ada}` }),
    ],
    ['that names itself its own authority', () => people.selfSigned('/CN=ops')],
    ['that is out of date', () => people.issue({ subject: '/CN=ops', days: -1 })],
    ['of somebody without a role', () => issue('/CN=stranger', 'URI:spiffe://example.com/stranger')],
    ['with two common names', () => issue('/CN=ops/CN=other')],
    ['with a longer common name', () => issue('/CN=ops2')],
    ['with the common name of another case', () => issue('/CN=OPS')],
    ['with a URI below a known one', () => issue('/CN=x', `URI:${ada}/more`)],
    ['with the URI as a DNS name', () => issue('/CN=x', `DNS:${ada}`)],
    ['with the URI inside a DNS name', () => hiding(`DNS.1 = x, URI:${ada}`)],
    ['with the URI inside another URI', () => hiding(`URI.1 = http://x/, URI:${ada}`)],
    ['with the URI as a mail address', () => hiding(`email.1 = a@b, URI:${ada}`)],
    ['with the URI as the common name', () => issue(`/CN=${ada.replaceAll('/', '\\/')}`)],
    ['with the name of the other form', () => issue('/CN=x', 'URI:cn=ops')],
  ])('%s opens nothing', async (_, make) => {
    expect(refusals).toContain((await program(make())).status);
  });

  it('of nobody does not stand in the way of a token', async () => {
    const headers = { authorization: `Bearer ${house.tokens.viewer}` };
    const answer = await program(issue('/CN=stranger'), whoami, { headers });
    expect(answer.json).toMatchObject({ name: 'viewer-1', role: 'viewer' });
  });

  it('is tried slowly once it has been wrong too often', async () => {
    const credential = issue('/CN=stranger');
    const last = await eventually(async () => {
      const { status } = await program(credential);
      return status === 429 ? status : null;
    });
    expect(last).toBe(429);
  });
});

describe('a browser’s certificate', () => {
  const order: PageInit = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };

  it('signs in to the console by itself', async () => {
    const page = pageWith(issue('/CN=ops'));
    expect((await page.send('/sign-in')).json).toEqual({ oidc: null, certificate: true });
    expect((await page.send(whoami)).status).toBe(200);
    expect((await pageWith().send('/sign-in')).json).toEqual({ oidc: null, certificate: false });
  });

  it.each([
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a sibling site', { origin: null, 'sec-fetch-site': 'same-site' }],
    ['a page without the key', { 'holdpoint-session-key': null }],
  ])('is worth nothing to %s', async (_, headers) => {
    const page = pageWith(issue('/CN=ops'));
    const answer = await page.send('/api/v1/legal-holds', {
      ...order,
      headers: { ...order.headers, ...headers },
    });
    expect(answer.status).toBe(403);
  });
});

describe('changed files', () => {
  it('are taken up: the next connection sees the new certificate', async () => {
    writeServer('renewed');
    expect(await eventually(async () => ((await subjectSeen()) === 'renewed' ? 'renewed' : null))).toBe(
      'renewed',
    );
  });

  it('that do not belong together are not, and the certificate before stays', async () => {
    const { cert } = servers.issue({ subject: '/CN=half', alternativeNames: 'IP:127.0.0.1' });
    writeFileSync(file('tls.crt'), cert);
    // Until the sidecar has looked: client certificates do not count while its files are wrong.
    const credential = issue('/CN=ops');
    await eventually(async () => refusals.includes((await program(credential)).status));
    expect((await pageWith(credential).send('/sign-in')).json).toMatchObject({ certificate: false });
    expect(await subjectSeen()).toBe('renewed');
    writeServer('whole');
    await eventually(async () => (await program(credential)).status === 200);
    expect(await subjectSeen()).toBe('whole');
  });

  it('of authorities end what was let in by the ones before', async () => {
    const credential = issue('/CN=ops');
    const next = makeAuthority(directory, 'next-people');
    writeFileSync(file('people-ca.pem'), next.certificate);
    // The request by which the sidecar finds out ends with the connections before it.
    const statusNow = () =>
      program(credential).then(
        ({ status }) => status,
        () => 0,
      );
    await eventually(async () => refusals.includes(await statusNow()));
    expect((await program(next.issue({ subject: '/CN=ops' }))).status).toBe(200);
    writeFileSync(file('people-ca.pem'), people.certificate);
    await eventually(async () => (await statusNow()) === 200);
  });

  it('of authorities end what had connected before and shakes hands after', async () => {
    const silent = await connectSilently(base);
    const ended = once(silent.resume(), 'close');
    writeFileSync(file('people-ca.pem'), makeAuthority(directory, 'later-people').certificate);
    const credential = issue('/CN=ops');
    await eventually(async () => {
      const status = await program(credential).then(
        (answer) => answer.status,
        () => 0,
      );
      return refusals.includes(status);
    });
    await ended;
    writeFileSync(file('people-ca.pem'), people.certificate);
  });
});

async function subjectSeen(): Promise<string | undefined> {
  const { hostname, port } = new URL(base);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: hostname, port: Number(port), ca: servers.certificate }, resolve).once(
    'error',
    reject,
  );
  await promise;
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return Array.isArray(CN) ? CN.join() : CN;
}
