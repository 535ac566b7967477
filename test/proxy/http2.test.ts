/** Callers that speak HTTP/2 unasked, as Amazon's SDKs do: the same calls, answers, holds and endings. */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatDelta, chatRequest, chatRole, chatStop, chatText, chatTransfer, done } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

let rig: Rig;
let session: ClientHttp2Session;
beforeEach(async () => {
  rig = await startRig({ policy: holdTransfers });
  session = connect(rig.sidecar.proxyUrl);
  atEnd(() => session.destroy());
});
afterEach(endAll);

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function post(body: string, more: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/v1/chat/completions',
    'content-type': 'application/json',
    ...more,
  });
  stream.end(body);
  return stream;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  let head: Readonly<Record<string, unknown>> = {};
  const chunks: Buffer[] = [];
  stream.on('response', (headers) => {
    head = headers;
  });
  stream.on('data', (piece: Buffer) => chunks.push(piece));
  stream.once('error', reject);
  stream.once('end', () =>
    resolve({ status: Number(head[':status']), headers: head, body: Buffer.concat(chunks).toString() }),
  );
  return promise;
}

test('a call is answered as over HTTP/1.1, and goes upstream with its headers and body', async () => {
  const cookies = ['Set-Cookie: a=1', 'Set-Cookie: b=2'];
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['X-Request-Id: req_1', ...cookies], chatText('Hello.'))),
  );
  const { status, headers, body } = await answerOf(post(chatRequest(), { 'x-mine': 'kept' }));
  expect(status).toBe(200);
  expect(body).toBe(chatText('Hello.'));
  expect(headers).toMatchObject({ 'x-request-id': 'req_1', 'set-cookie': ['a=1', 'b=2'] });
  const [request] = rig.upstream.requests;
  expect(request?.body.toString()).toBe(chatRequest());
  expect(request?.head).toMatch(/\r\nx-mine: kept(\r\n|$)/i);
  const { id, operation } = await rig.sidecar.ada.lastDecision();
  expect(headers['holdpoint-decision']).toBe(id);
  expect(operation).toBe('chat.completions');
});

test('fields that a provider repeats though its standard knows one of them arrive as often, trailers too', async () => {
  const twice = 'ETag: "a"\r\nETag: "b"\r\n';
  rig.upstream.script((_request, answer) =>
    answer.send(`${streamHead.replace(/\r\n$/, `${twice}\r\n`) + chunk(chatStop + done)}0\r\n${twice}\r\n`),
  );
  const stream = post(chatRequest({ stream: true }));
  const seen: string[][] = [];
  const tagsOf = (raw: readonly string[]): string[] => raw.filter((_, i) => raw[i - 1] === 'etag');
  stream.once('response', (_headers, _flags, raw: string[]) => seen.push(tagsOf(raw)));
  stream.once('trailers', (_headers, _flags, raw: string[]) => seen.push(tagsOf(raw)));
  expect((await answerOf(stream)).body).toBe(chatStop + done);
  expect(seen).toEqual([
    ['"a"', '"b"'],
    ['"a"', '"b"'],
  ]);
});

test('a field with a name that every object knows arrives with its own value alone', async () => {
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Constructor: its', '__proto__: its'], chatText('Hello.'))),
  );
  const { headers } = await answerOf(post(chatRequest()));
  const fields = new Map(Object.entries(headers));
  expect([fields.get('constructor'), fields.get('__proto__')]).toEqual(['its', 'its']);
});

test('a field that means something to one connection alone does not pass', async () => {
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['HTTP2-Settings: AAMAAABk'], chatText('Hello.'))),
  );
  const { headers, body } = await answerOf(post(chatRequest()));
  expect(body).toBe(chatText('Hello.'));
  expect(headers).not.toHaveProperty('http2-settings');
});

test('an answer that HTTP/2 cannot say is an error of its stream alone', async () => {
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('799 Odd', [], chatText('Hello.'))));
  await expect(answerOf(post(chatRequest()))).rejects.toThrow('NGHTTP2_INTERNAL_ERROR');
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatText('Hello.'))));
  expect((await answerOf(post(chatRequest()))).body).toBe(chatText('Hello.'));
});

test('a call without a body goes upstream, and is recorded, without one', async () => {
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], '{}')));
  const stream = session.request({ ':method': 'GET', ':path': '/v1/models' });
  expect((await answerOf(stream)).status).toBe(200);
  expect(rig.upstream.requests[0]?.head).not.toMatch(/transfer-encoding|content-length/i);
  const [request] = await rig.sidecar.ada.bodies((await rig.sidecar.ada.lastDecision()).id);
  expect(JSON.stringify(request)).not.toMatch(/transfer-encoding/i);
});

test('a call that says how long its body is goes upstream with that length', async () => {
  const body = chatRequest();
  const { status } = await answerOf(post(body, { 'content-length': String(body.length) }));
  expect(status).toBe(200);
  expect(rig.upstream.requests[0]?.head).toContain(`ontent-length: ${body.length}`);
});

test('a caller that waits to be told to go on with its body is told so', async () => {
  const stream = session.request({
    ...{ ':method': 'POST', ':path': '/v1/chat/completions', expect: '100-continue' },
    'content-length': String(chatRequest().length),
  });
  await once(stream, 'continue');
  stream.end(chatRequest());
  expect((await answerOf(stream)).status).toBe(200);
});

test('cookies that come one by one go upstream as the one field that HTTP/1.1 knows', async () => {
  const stream = session.request({ ':path': '/v1/models', cookie: ['a=1', 'b=2'] });
  await answerOf(stream);
  expect(rig.upstream.requests[0]?.head.match(/^cookie: .*$/gim)).toEqual(['cookie: a=1; b=2']);
});

test('a call that names its host twice is recorded under the one that HTTP/2 goes by', async () => {
  await answerOf(post(chatRequest(), { ':authority': 'one.test', host: 'other.test' }));
  const [request] = await rig.sidecar.ada.bodies((await rig.sidecar.ada.lastDecision()).id);
  expect(JSON.stringify(request)).toContain('one.test');
  expect(JSON.stringify(request)).not.toContain('other.test');
});

test('bodies larger than any window pass both ways, over streams side by side', async () => {
  rig.upstream.script((request, answer) => answer.send(wholeAnswer('200 OK', [], request.body)));
  const bodies = ['a', 'b', 'c'].map((letter) => chatRequest({ user: letter.repeat(700_000) }));
  const answers = await Promise.all(bodies.map((body) => answerOf(post(body, { ':path': '/v1/echo' }))));
  expect(answers.map(({ body }) => body)).toEqual(bodies);
});

test('a streamed answer comes while it is written', async () => {
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead + chunk(chatRole + chatDelta('First.')));
    await seen;
    answer.send(`${chunk(chatStop + done)}0\r\n\r\n`);
  });
  const stream = post(chatRequest({ stream: true }));
  stream.once('data', () => resolve());
  expect((await answerOf(stream)).body).toBe(chatRole + chatDelta('First.') + chatStop + done);
});

test('a held answer waits for its release', async () => {
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatTransfer(25_000))));
  const answer = answerOf(post(chatRequest()));
  await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
  expect(await answer).toMatchObject({ status: 200, body: chatTransfer(25_000) });
});

test('a caller that resets its stream stops the upstream, and the part that came is sealed', async () => {
  const stopped = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead + chunk(chatRole + chatDelta('First.')));
    await answer.closed;
    stopped.resolve();
  });
  const stream = post(chatRequest({ stream: true }));
  const begun = Promise.withResolvers<void>();
  stream.once('data', () => begun.resolve());
  await begun.promise;
  stream.close(constants.NGHTTP2_CANCEL);
  await stopped.promise;
  const { id } = await rig.sidecar.ada.lastDecision();
  expect(await rig.sidecar.ada.outcomeOf(id)).toBe('client_abort');
});

test('a caller whose connection breaks stops the upstreams of all its streams', async () => {
  const stopped: Promise<void>[] = [];
  rig.upstream.script((_request, answer) => {
    stopped.push(answer.closed);
  });
  for (const n of [1, 2]) post(chatRequest({ n })).on('error', () => undefined);
  await waitFor(() => expect(stopped).toHaveLength(2));
  session.destroy();
  await Promise.all(stopped);
});

test('an upstream that breaks off mid-stream is an error, never an end', async () => {
  rig.upstream.script((_request, answer) => {
    answer.send(streamHead + chunk(chatRole + chatDelta('First.')));
    answer.end();
  });
  await expect(answerOf(post(chatRequest({ stream: true })))).rejects.toThrow('NGHTTP2_INTERNAL_ERROR');
});

test('the preface may come in pieces', async () => {
  const { port } = new URL(rig.sidecar.proxyUrl);
  const socket = connectTcp(Number(port), '127.0.0.1');
  atEnd(() => {
    socket.destroy();
  });
  const settings = Promise.withResolvers<Buffer>();
  socket.once('data', settings.resolve);
  for (const piece of ['PRI * HT', 'TP/2.0\r\n\r\nSM\r\n', '\r\n']) {
    const written = Promise.withResolvers<void>();
    socket.write(piece, () => setImmediate(written.resolve));
    await written.promise;
  }
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  const settingsFrameType = 4;
  expect((await settings.promise)[3]).toBe(settingsFrameType);
});

test('what HTTP/1.1 could not say is refused, and the connection goes on', async () => {
  const { status } = await answerOf(post('', { ':method': 'OPTIONS', ':path': '*' }));
  expect(status).toBe(400);
  expect((await answerOf(post(chatRequest()))).status).toBe(200);
});

test('a tunnel within a stream is refused', async () => {
  const { status } = await answerOf(session.request({ ':method': 'CONNECT', ':authority': 'x.test:443' }));
  expect(status).toBe(400);
});

test('a caller that breaks the rules of HTTP/2 loses its own connection, and no other', async () => {
  const { port } = new URL(rig.sidecar.proxyUrl);
  const socket = connectTcp(Number(port), '127.0.0.1');
  atEnd(() => {
    socket.destroy();
  });
  const closed = new Promise<void>((resolve) => socket.resume().once('close', () => resolve()));
  // Nothing but SETTINGS may come first, and DATA belongs to a stream.
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(9)]));
  await closed;
  expect((await answerOf(post(chatRequest()))).status).toBe(200);
});

test('a stream that does not end within the time that a stop gives it is cut', async () => {
  const asked = Promise.withResolvers<void>();
  rig.upstream.script(() => asked.resolve());
  const answer = answerOf(post(chatRequest()));
  const goneAway = new Promise<void>((resolve) => session.once('goaway', () => resolve()));
  await asked.promise;
  const stopped = rig.sidecar.stop();
  await goneAway;
  rig.time.advance(60_000);
  expect((await answer).headers).toEqual({});
  await stopped;
});

test('a stopping sidecar lets a running stream end', async () => {
  const { promise: stopping, resolve } = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    await stopping;
    answer.send(wholeAnswer('200 OK', [], chatText('Late.')));
  });
  const answer = answerOf(post(chatRequest()));
  await waitFor(() => expect(rig.upstream.requests).toHaveLength(1));
  const goneAway = Promise.withResolvers<void>();
  session.once('goaway', () => goneAway.resolve());
  const stopped = rig.sidecar.stop();
  await goneAway.promise;
  resolve();
  expect((await answer).body).toBe(chatText('Late.'));
  await stopped;
});

test('a connection on which nothing is called is closed in time', async () => {
  const limits = { waitMsMax: 1_000, upstreamIdleMsMax: 1_000, callerIdleMsMax: 1_100 };
  const { sidecar } = await startRig({ policy: holdTransfers, limits });
  const idle = connect(sidecar.proxyUrl);
  atEnd(() => idle.destroy());
  idle.on('error', () => undefined);
  await new Promise<void>((resolve) => idle.once('close', () => resolve()));
});
