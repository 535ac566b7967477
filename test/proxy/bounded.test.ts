/** What would go on for ever or fill the memory is bounded, sealed, and has a clear outcome. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { startBulkUpstream } from '../support/bulk-upstream.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import { type RawAnswer, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { createManualTime } from '../support/time.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatText } from './answers.ts';
import { decisionIdOf, startRig } from './rig.ts';

afterEach(endAll);

const tenMinutesMs = 600_000;

test('an upstream that is silent for ten minutes is given up: 504, sealed as upstream_error', async () => {
  const rig = await startRig();
  rig.upstream.script(() => undefined);
  const client = await rig.chat(chatRequest());
  await waitFor(() => expect(rig.upstream.requests).toHaveLength(1));
  rig.time.advance(tenMinutesMs - 1);
  expect(client.text()).toBe('');
  rig.time.advance(1);
  const answer = await client.answer();
  expect(answer.status).toBe(504);
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('upstream_error');
});

test('an upstream that says now and then that it is at work is not silent', async () => {
  const rig = await startRig();
  const said = Promise.withResolvers<RawAnswer>();
  rig.upstream.script((_request, answer) => said.resolve(answer));
  const client = await rig.chat(chatRequest());
  const upstream = await said.promise;
  const heard = atWork();
  rig.time.advance(tenMinutesMs - 1);
  upstream.send('HTTP/1.1 102 Processing\r\n\r\n');
  await heard;
  rig.time.advance(tenMinutesMs - 1);
  upstream.send(wholeAnswer('200 OK', [], chatText('At last.')));
  expect((await client.answer()).status).toBe(200);
});

/** Resolves once the sidecar has read an informational status. */
async function atWork(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onHeaders = (): void => resolve();
  subscribe('undici:request:headers', onHeaders);
  await promise;
  unsubscribe('undici:request:headers', onHeaders);
}

/** More than what lies between two ends of a connection on this machine. */
const longWayBytes = 16 * 1024 * 1024;

test('an upstream that takes a large body slowly is not silent while it takes it', async () => {
  const time = createManualTime();
  const slow = await startSlowUpstream();
  const sidecar = await startTestSidecar({
    upstreams: { openai: { url: slow.url, protocol: 'openai', mount: '/' } },
    machine: { clock: time.clock, schedule: time.schedule },
  });
  const body = Buffer.alloc(4 * longWayBytes, 'x');
  const answering = fetch(`${sidecar.proxyUrl}/v1/blobs`, { method: 'POST', body });
  await slow.take(1);
  for (let taken = 0; taken < 3; taken += 1) {
    time.advance(tenMinutesMs - 1);
    await slow.take(longWayBytes);
  }
  slow.answer(wholeAnswer('200 OK', [], '{}'));
  expect((await answering).status).toBe(200);
});

/** Takes as many bytes as it is told, and leaves the rest in the network. */
async function startSlowUpstream() {
  const { promise: connected, resolve } = Promise.withResolvers<Socket>();
  const server = createServer({ pauseOnConnect: true }, resolve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(async () => {
    server.close();
    (await connected).destroy();
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    take: async (bytesMin: number): Promise<void> => {
      const socket = await connected;
      for (let bytes = 0; bytes < bytesMin; ) {
        const piece: unknown = socket.read();
        if (Buffer.isBuffer(piece)) bytes += piece.length;
        else await once(socket, 'readable');
      }
    },
    answer: (bytes: Buffer): void => {
      connected.then((socket) => socket.resume().write(bytes));
    },
  };
}

test('a caller that does not take its answer holds the upstream back, is cut, and is sealed as client_abort', async () => {
  const pieces = 1_600;
  const upstream = await startBulkUpstream();
  const sidecar = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    // The upstream's silence is shorter: while it is held back, that must not count against it.
    limits: { upstreamIdleMsMax: 150, waitMsMax: 150, callerIdleMsMax: 600 },
  });
  const { hostname, port } = new URL(sidecar.proxyUrl);
  const socket = connect(Number(port), hostname);
  atEnd(() => {
    socket.destroy();
  });
  socket.pause();
  socket.write(rawRequest('GET', `/v1/blobs?pieces=${pieces}`, [], ''));
  const { id } = await waitFor(() => sidecar.ada.lastDecision());
  expect(await sidecar.ada.outcomeOf(id)).toBe('client_abort');
  // What the kernel's buffers took on the way, and far from all of it.
  expect(upstream.sentBytes()).toBeLessThan((pieces * 64 * 1024) / 4);
});

test('a caller that takes one byte now and then is served as long as it takes any', async () => {
  const rig = await startRig();
  const text = chatText('x'.repeat(300));
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], text)));
  const { hostname, port } = new URL(rig.sidecar.proxyUrl);
  const socket = connect(Number(port), hostname);
  atEnd(() => {
    socket.destroy();
  });
  socket.write(rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  let received = '';
  await waitFor(
    () => {
      received += String(socket.read(1) ?? '');
      expect(received.endsWith(text)).toBe(true);
    },
    { interval: 0, timeout: 10_000 },
  );
});

test('a compressed request that unpacks beyond the bound is refused unread and goes nowhere', async () => {
  const upstream = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('200 OK', [], '{}')));
  const sidecar = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits: { decodedBytesMax: 1024 * 1024 },
  });
  const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, ' '));
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`,
  );
  client.send(bomb);
  const answer = await client.answer();
  expect(answer.status).toBe(400);
  expect(answer.body.toString()).toMatch(
    /the content-encoding cannot be undone: more than 1048576 bytes come out.*limits\.decodedBytesMax/,
  );
  expect(upstream.requests).toHaveLength(0);
  expect(await sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('denied');
});

test('a compressed answer that unpacks beyond the bound is held, because nobody can judge it', async () => {
  const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, ' '));
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Encoding: gzip'], bomb)),
  );
  const sidecar = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits: { decodedBytesMax: 1024 * 1024 },
  });
  const answering = exchange(sidecar.proxyUrl, rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'deny', reason: 'a bomb' });
  expect((await answering).status).toBe(403);
});
