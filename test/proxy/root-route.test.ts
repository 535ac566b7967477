/** What a server of one model answers at its root: texts are read, and sound and pictures pass as they are. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';

afterEach(endAll);

const starterPolicy = readFileSync(new URL('../../config/policy.yaml', import.meta.url), 'utf8');

/** ASCII, so that it is the same bytes in every encoding; as long as a beginning is. */
const picture = 'GIF89a\x01\0\x01\0 and the rest';

async function start(type: string, answered: string) {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', [`Content-Type: ${type}`], answered)),
  );
  const sidecar = await startTestSidecar({
    policy: starterPolicy,
    upstreams: { endpoint: { url: upstream.url, protocol: 'openai', mount: '/' } },
  });
  const ask = async (asType: string, body: string) => {
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('POST', '/', [`Content-Type: ${asType}`], body));
    return client.answer();
  };
  return { upstream, sidecar, ask };
}

test('sound is sent to it as it is, and its transcript comes back', async () => {
  const { upstream, ask } = await start('application/json', '{"text":"hello"}');
  const answer = await ask('audio/flac', 'fLaC\u0000 and the rest');
  expect([answer.status, answer.body.toString()]).toEqual([200, '{"text":"hello"}']);
  expect(upstream.requests[0]?.body.toString()).toBe('fLaC\u0000 and the rest');
});

test('a picture that it draws comes back as it is', async () => {
  const { ask } = await start('image/png', picture);
  const answer = await ask('application/json', '{"inputs":"a cat"}');
  expect([answer.status, answer.body.toString()]).toEqual([200, picture]);
});

test('labels and vectors come back as they are', async () => {
  const { ask } = await start('application/json', '[[{"label":"POSITIVE","score":0.99}]]');
  const answer = await ask('application/json', '{"inputs":"a film"}');
  expect([answer.status, answer.body.toString()]).toEqual([200, '[[{"label":"POSITIVE","score":0.99}]]']);
});

test('an answer that was asked for as a stream is read, however it begins', async () => {
  const { sidecar, ask } = await start(
    'text/event-stream',
    `${picture}\n\ndata: {"token":{"text":"hello"}}\n\n`,
  );
  const answered = ask('application/json', '{"inputs":"a cat","stream":true}');
  await Promise.race([sidecar.ada.nextHold(), answered.then(({ body }) => expect(body.toString()).toBe(''))]);
});
