/** A sidecar that stops lets what is under way arrive. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, parseAnswer, rawRequest } from '../support/raw-client.ts';
import { type RawAnswer, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText } from './answers.ts';

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
