/** A sidecar that stops lets what is under way arrive. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, parseAnswer, type RawClient, rawRequest } from '../support/raw-client.ts';
import {
  chunk,
  type RawAnswer,
  type RawUpstream,
  startRawUpstream,
  streamHead,
  wholeAnswer,
} from '../support/raw-upstream.ts';
import { makePlace, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { chatDelta, chatRequest, chatRole, chatStop, chatText, done } from './answers.ts';

afterEach(endAll);

test('an answer that its caller takes slowly arrives whole', async () => {
  // More than the network takes by itself.
  const text = chatText('x'.repeat(24 * 1024 * 1024));
  const upstream = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('200 OK', [], text)));
  const sidecar = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits: { drainMsMax: 15_000 },
  });
  const { hostname, port } = new URL(sidecar.proxyUrl);
  const socket = connect(Number(port), hostname);
  atEnd(() => {
    socket.destroy();
  });
  socket.write(rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  await once(socket, 'readable');
  const stopped = sidecar.stop();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.resume();
  await once(socket, 'close');
  expect(parseAnswer(Buffer.concat(chunks))?.body.length).toBe(text.length);
  await stopped;
});

test('a connection that is idle ends at once, and a call that is under way is answered', async () => {
  const asked = Promise.withResolvers<RawAnswer>();
  const upstream = await startRawUpstream(({ target }, answer) => {
    if (target === '/v1/models') answer.send(wholeAnswer('200 OK', [], '{}'));
    else asked.resolve(answer);
  });
  const sidecar = await startTestSidecar({
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits: { drainMsMax: 15_000 },
  });
  const [unused, idle, busy] = await Promise.all([
    connectRaw(sidecar.proxyUrl),
    connectRaw(sidecar.proxyUrl),
    connectRaw(sidecar.proxyUrl),
  ]);
  idle.send(rawRequest('GET', '/v1/models', []));
  await idle.answer();
  busy.send(rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  const answer = await asked.promise;
  const stopped = sidecar.stop();
  await Promise.all([unused.ended, idle.ended]);
  answer.send(wholeAnswer('200 OK', [], chatText('Hello.')));
  expect((await busy.answer()).status).toBe(200);
  await stopped;
});

test.each([
  ['before its answer', ''],
  ['amid its answer', streamHead + chunk(chatRole + chatDelta('One moment'))],
])('a call that the stop cuts off in the end, %s, was not left by its caller', async (_, begun) => {
  const asked = Promise.withResolvers<void>();
  const upstream = await startRawUpstream((_request, answer) => {
    if (begun !== '') answer.send(begun);
    asked.resolve();
  });
  const settings = {
    upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
    limits: { drainMsMax: 100 },
  } as const;
  const place = makePlace(settings);
  const first = await startTestSidecar(settings, place);
  const client = await connectRaw(first.proxyUrl);
  client.send(rawRequest('POST', '/v1/chat/completions', [], chatRequest({ stream: begun !== '' })));
  await asked.promise;
  if (begun !== '') await client.until('One moment');
  await first.stop();
  await client.ended;
  const { ada } = await startTestSidecar(settings, place);
  const { id } = await ada.lastDecision();
  expect(await ada.outcomeOf(id)).toBe('interrupted');
  const { entries } = await ada.decision(id);
  const results = entries.flatMap(({ type, data }) => (type === 'response' ? [data['result']] : []));
  expect(results).toEqual(begun === '' ? [] : ['error']);
});

describe('while another call is still being answered,', () => {
  const chat = (more = {}): string => rawRequest('POST', '/v1/chat/completions', [], chatRequest(more));
  const answered = wholeAnswer('200 OK', ['Content-Type: application/json'], chatText('Hello.'));
  let upstream: RawUpstream;
  let sidecar: TestSidecar;
  let other: RawClient;
  let otherAnswer: RawAnswer;
  let client: RawClient;

  /** Sends a call on its connection and resolves once the upstream has it. */
  async function ask(connection: RawClient, more = {}): Promise<RawAnswer> {
    const asked = Promise.withResolvers<RawAnswer>();
    upstream.script((_request, answer) => asked.resolve(answer));
    connection.send(chat(more));
    return asked.promise;
  }

  /** Has the client's connection outlive the beginning of the end: its head went out before. */
  async function stopMidStream(): Promise<{ readonly stopped: Promise<void>; finish(): Promise<void> }> {
    const answer = await ask(client, { stream: true });
    answer.send(streamHead + chunk(chatRole + chatDelta('It begins')));
    await client.until('It begins');
    return {
      stopped: sidecar.stop(),
      finish: async () => {
        answer.send(`${chunk(chatStop + done)}${chunk('')}`);
        await client.until('0\r\n\r\n');
      },
    };
  }

  beforeEach(async () => {
    upstream = await startRawUpstream(() => undefined);
    sidecar = await startTestSidecar({
      upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/' } },
      limits: { drainMsMax: 15_000 },
    });
    other = await connectRaw(sidecar.proxyUrl);
    client = await connectRaw(sidecar.proxyUrl);
    otherAnswer = await ask(other);
  });

  test('an answer says that its connection ends with it', async () => {
    const answer = await ask(client);
    const stopped = sidecar.stop();
    answer.send(answered);
    const { head } = await client.answer();
    expect(head).toMatch(/\r\nconnection: close/i);
    expect(await client.ended).toBe('end');
    otherAnswer.send(answered);
    await stopped;
  });

  test('a further call on a connection that was kept is told to come again, and goes nowhere', async () => {
    const { stopped, finish } = await stopMidStream();
    await finish();
    client.send(chat());
    await client.ended;
    const { head } = parseAnswer(client.received().subarray(client.text().lastIndexOf('HTTP/1.1'))) ?? {};
    expect(head).toMatch(/^HTTP\/1.1 503 .*\r\nx-should-retry: true\r\n/s);
    expect(head).toMatch(/\r\nconnection: close/i);
    expect(upstream.requests).toHaveLength(2);
    otherAnswer.send(answered);
    expect((await other.answer()).status).toBe(200);
    await stopped;
  });

  test('no WebSocket is opened on a connection that was kept', async () => {
    const { stopped, finish } = await stopMidStream();
    await finish();
    client.send(rawRequest('GET', '/v1/realtime?model=m', ['Connection: Upgrade', 'Upgrade: websocket']));
    await client.ended;
    expect(client.text()).toContain('HTTP/1.1 503 ');
    expect(upstream.requests).toHaveLength(2);
    otherAnswer.send(answered);
    await stopped;
  });

  test('who is being told to come again is not cut off when that one has ended', async () => {
    const { stopped, finish } = await stopMidStream();
    await finish();
    client.send('POST /v1/chat/completions HTTP/1.1\r\nHost: sidecar\r\nContent-Length: 2\r\n\r\n{');
    await client.until('HTTP/1.1 503 ');
    otherAnswer.send(answered);
    await other.ended;
    // The last to end: it says that the sidecar is stopping for as long as calls run.
    expect((await fetch(`${sidecar.controlUrl}/readyz`)).status).toBe(503);
    client.send('}');
    expect(await client.ended).toBe('end');
    await stopped;
  });
});
