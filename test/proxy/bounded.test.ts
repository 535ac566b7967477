/** What would go on for ever or fill the memory is bounded, sealed, and has a clear outcome. */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test, vi } from 'vitest';
import { startBulkUpstream } from '../support/bulk-upstream.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText } from './answers.ts';
import { decisionIdOf, startRig } from './rig.ts';

afterEach(endAll);

const tenMinutesMs = 600_000;

test('an upstream that is silent for ten minutes is given up: 504, sealed as upstream_error', async () => {
  const rig = await startRig();
  rig.upstream.script(() => undefined);
  const client = await rig.chat(chatRequest());
  await vi.waitFor(() => expect(rig.upstream.requests).toHaveLength(1));
  rig.time.advance(tenMinutesMs - 1);
  expect(client.text()).toBe('');
  rig.time.advance(1);
  const answer = await client.answer();
  expect(answer.status).toBe(504);
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('upstream_error');
});

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
  const { id } = await vi.waitFor(() => sidecar.ada.lastDecision());
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
  await vi.waitFor(
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
  expect(answer.body.toString()).toContain('content-encoding');
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
