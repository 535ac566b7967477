/** Redirected connections: the name in TLS says where they go, and one that says nothing goes nowhere. */
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createOwnConnections } from '../../src/proxy/intercept/blind.ts';
import { acceptedAt } from '../support/accepted.ts';
import { encryptedHello, helloWith, nameEntry, sni } from '../support/client-hello.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { createManualTime, type ManualTime } from '../support/time.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatText } from './answers.ts';
import { decisionIdOf } from './rig.ts';
import { askOver, type Behind, handshake, startBehind } from './through.ts';

let upstream: RawUpstream;
let behind: Behind;
/** Stands still, so that no connection is closed for its silence but where a test says so. */
let time: ManualTime;

beforeAll(async () => {
  time = createManualTime();
  upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatText('Hello.'))),
  );
  behind = await startBehind({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/', hosts: ['api.openai.com'] } },
    machine: { clock: time.clock, schedule: time.schedule },
  });
});
afterAll(endAll);

/** As the kernel hands it over: the client believes that it speaks to the host itself. */
async function redirected(options: ConnectionOptions, { redirectedTo, ca } = behind): Promise<TLSSocket> {
  const [host, port] = redirectedTo.split(':');
  const socket = connect(Number(port), host);
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return handshake(socket, { ca, ...options });
}

const publicAddress = '93.184.216.34';

/** Does as rules of the kernel that redirect the sidecar's own connections too; tells how many there were. */
function redirectTo(door: string): () => number {
  const [host = '', port = ''] = door.split(':');
  const { connect: connectAsAsked } = Socket.prototype;
  let times = 0;
  const redirecting = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (
    this: Socket,
    ...given: readonly unknown[]
  ) {
    if (!JSON.stringify(given).includes(publicAddress)) return Reflect.apply(connectAsAsked, this, given);
    times += 1;
    // Without an end to it the test would not end either.
    if (times > 3) return this.destroy(new Error('It goes round.'));
    return Reflect.apply(connectAsAsked, this, [{ host, port: Number(port), allowHalfOpen: true }]);
  });
  atEnd(() => redirecting.mockRestore());
  return () => times;
}

const question = (host: string): string =>
  rawRequest('POST', '/v1/chat/completions', [], chatRequest()).replace('Host: sidecar', `Host: ${host}`);

test('a call to a configured host runs through the pipeline', async () => {
  const answer = await askOver(
    await redirected({ servername: 'api.openai.com' }),
    question('api.openai.com'),
  );
  expect(answer.body.toString()).toBe(chatText('Hello.'));
  const { entries, operation } = await behind.sidecar.ada.decision(decisionIdOf(answer.head));
  expect([operation, entries[0]?.data['upstream']]).toEqual(['chat.completions', 'openai']);
});

test('a request to another host than TLS named is refused', async () => {
  const before = upstream.requests.length;
  const answer = await askOver(await redirected({ servername: 'api.openai.com' }), question('example.com'));
  expect([answer.status, upstream.requests.length]).toEqual([400, before]);
});

test.each([
  { what: 'a host that is no upstream', servername: 'example.com', path: 'example.com:443' },
  { what: 'a host below an upstream’s', servername: 'x.api.openai.com', path: 'x.api.openai.com:443' },
  { what: 'no host', servername: '', path: '' },
])('TLS that names $what is refused with an alert, and recorded', async ({ servername, path }) => {
  await expect(redirected({ servername })).rejects.toThrow(/unrecognized name/);
  const last = await behind.sidecar.ada.lastDecision();
  expect(last.entries[0]?.data).toMatchObject({ path, method: 'CONNECT', recorded: false, verdict: 'deny' });
});

test('what is not TLS is refused, and recorded', async () => {
  const client = await connectRaw(`http://${behind.redirectedTo}`);
  client.send(question('api.openai.com'));
  await client.ended;
  const last = await behind.sidecar.ada.lastDecision();
  expect(last.entries[0]?.data).toMatchObject({ path: '', verdict: 'deny' });
});

test('a connection that ends before it has said what it is is closed, and is no decision', async () => {
  const { ada } = behind.sidecar;
  await expect(redirected({ servername: 'example.com' })).rejects.toThrow(/unrecognized name/);
  const before = (await ada.lastDecision()).id;
  const client = await connectRaw(`http://${behind.redirectedTo}`);
  client.send(helloWith([sni(nameEntry('example.com'))]).subarray(0, 40));
  client.end();
  await client.ended;
  expect([client.received().length, (await ada.lastDecision()).id]).toEqual([0, before]);
});

test('a connection that is reset before it has said what it is ends, and no other with it', async () => {
  const [host, port] = behind.redirectedTo.split(':');
  const accepted = acceptedAt(Number(port));
  const socket = connect(Number(port), host);
  socket.write(helloWith([sni(nameEntry('example.com'))]).subarray(0, 40));
  const end = await accepted;
  const over = new Promise<void>((resolve) => end.once('close', () => resolve()));
  await once(end, 'readable');
  socket.resetAndDestroy();
  await over;
  const answer = await askOver(
    await redirected({ servername: 'api.openai.com' }),
    question('api.openai.com'),
  );
  expect(answer.status).toBe(200);
});

test('a connection that has not said within ten seconds what it is is closed, and is no decision', async () => {
  const { ada } = behind.sidecar;
  await expect(redirected({ servername: 'example.com' })).rejects.toThrow(/unrecognized name/);
  const before = (await ada.lastDecision()).id;
  const accepted = acceptedAt(Number(behind.redirectedTo.split(':')[1]));
  const client = await connectRaw(`http://${behind.redirectedTo}`);
  const begun = helloWith([sni(nameEntry('example.com'))]).subarray(0, 40);
  client.send(begun);
  const socket = await accepted;
  await waitFor(() => expect(socket.bytesRead).toBe(begun.length));
  time.advance(9_999);
  expect(socket.destroyed).toBe(false);
  time.advance(1);
  await client.ended;
  expect([client.received().length, (await ada.lastDecision()).id]).toEqual([0, before]);
});

test('a call that is under way when the sidecar stops gets its answer', async () => {
  const asked = Promise.withResolvers<void>();
  const answering = Promise.withResolvers<void>();
  const slow = await startRawUpstream(async (_request, answer) => {
    asked.resolve();
    await answering.promise;
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatText('Late.')));
  });
  const stopping = await startBehind({
    upstreams: { openai: { url: slow.url, protocol: 'openai', mount: '/', hosts: ['api.openai.com'] } },
  });
  const client = await redirected({ servername: 'api.openai.com' }, stopping);
  const answer = askOver(client, question('api.openai.com'));
  await asked.promise;
  const stopped = stopping.sidecar.stop();
  answering.resolve();
  expect((await answer).body.toString()).toBe(chatText('Late.'));
  await stopped;
});

test('a host of this machine is refused also where others pass', async () => {
  const passing = await startBehind({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/', hosts: ['api.openai.com'] } },
    proxy: { others: 'pass' },
  });
  await expect(redirected({ servername: 'localhost' }, passing)).rejects.toThrow(/unrecognized name/);
  const last = await passing.sidecar.ada.lastDecision();
  expect(await passing.sidecar.ada.outcomeOf(last.id)).toBe('upstream_error');
});

test('a name that may not be the host’s own is refused also where others pass, as Encrypted Client Hello makes it', async () => {
  const passing = await startBehind({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/', hosts: ['api.openai.com'] } },
    proxy: { others: 'pass' },
  });
  const client = await connectRaw(`http://${passing.redirectedTo}`);
  client.send(helloWith([sni(nameEntry('example.com')), encryptedHello]));
  await client.ended;
  const unrecognizedName = 112;
  expect(client.received()).toEqual(Buffer.of(0x15, 3, 3, 0, 2, 2, unrecognizedName));
  const last = await passing.sidecar.ada.lastDecision();
  expect(last.entries[0]?.data).toMatchObject({
    path: 'example.com:443',
    rules: ['holdpoint:hidden-host'],
    verdict: 'deny',
  });
  expect(await passing.sidecar.ada.outcomeOf(last.id)).toBe('denied');
});

test('a connection of the sidecar’s own that is redirected to itself is refused, and goes out once', async () => {
  const passing = await startBehind({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/', hosts: ['api.openai.com'] } },
    proxy: { others: 'pass' },
    machine: { lookUp: async () => [publicAddress] },
  });
  const wentOut = redirectTo(passing.redirectedTo);
  await expect(redirected({ servername: 'example.com' }, passing)).rejects.toThrow(/unrecognized name/);
  expect(wentOut()).toBe(1);
  const { ada } = passing.sidecar;
  const last = await ada.lastDecision();
  expect(last.entries[0]?.data).toMatchObject({ path: 'example.com:443', verdict: 'deny' });
  expect(await ada.outcomeOf(last.id)).toBe('denied');
});

test('a connection of the sidecar’s own that comes back in is known as one, until it is closed', async () => {
  const own = createOwnConnections();
  const out = new Socket();
  const { promise: accepted, resolve } = Promise.withResolvers<Socket>();
  const { createServer } = await import('node:net');
  const server = createServer(resolve);
  await new Promise<void>((listening) => server.listen(0, '::', listening));
  atEnd(() => {
    out.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise<void>((connected) => out.connect(port, '127.0.0.1', connected));
  const back = await accepted;
  expect(own.includes(back)).toBe(false);
  own.add(out);
  expect(own.includes(back)).toBe(true);
  out.destroy();
  await waitFor(() => expect(own.includes(back)).toBe(false));
  back.destroy();
});
