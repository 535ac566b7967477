/** Requests that a caller sends before it has the answers to those before (RFC 9112 section 9.3.2). */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitingCallsMax } from '../../src/proxy/turns.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatDelta, chatRequest, chatRole, chatStop, chatText, done } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { type Rig, startRig } from './rig.ts';

const requestBytesMax = 64 * 1024;
let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ policy: holdTransfers, limits: { requestBytesMax } });
});
afterEach(endAll);

const chat = (body: string): string => rawRequest('POST', '/v1/chat/completions', [], body);
const begun = chatRole + chatDelta('It begins');
const rest = chatDelta(' and ends.') + chatStop + done;

/** A connection whose call the upstream has, and does not answer. */
async function callUnderWay() {
  const first = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    first.resolve();
    await answer.closed;
  });
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(chat(chatRequest()));
  await first.promise;
  return client;
}

test('a caller that leaves during the first answer has no further call sent, or left open', async () => {
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead + chunk(begun));
    await answer.closed;
  });
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(chat(chatRequest({ stream: true })) + chat(chatRequest({ user: 'second' })));
  await client.until('It begins');
  client.destroy();
  const { id } = await waitFor(() => rig.sidecar.ada.lastDecision());
  expect(await rig.sidecar.ada.outcomeOf(id)).toBe('client_abort');
  // Whatever the connection that is over had begun stands before this one.
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatText('Hello.'))));
  await (await rig.chat(chatRequest())).answer();
  expect(await rig.sidecar.ada.newestIds(3)).toHaveLength(2);
  expect(rig.upstream.requests).toHaveLength(2);
});

test('a later request that cannot be read ends the connection, and no word of that stands in the answer before', async () => {
  const { promise: seen, resolve: clientSawText } = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead + chunk(begun));
    await seen;
    answer.send(`${chunk(rest)}0\r\n\r\n`);
  });
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(chat(chatRequest({ stream: true })));
  await client.until('It begins');
  client.send(
    'POST /v1/chat/completions HTTP/1.1\r\nHost: sidecar\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n',
  );
  clientSawText();
  await client.ended;
  expect(client.text()).not.toContain('400 Bad Request');
});

test('a body that breaks off its framing after it was refused has no second answer', async () => {
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(rawRequest('POST', '/v1/chat/completions', ['Transfer-Encoding: chunked']));
  client.send(chunk('x'.repeat(requestBytesMax + 1)));
  await client.until('HTTP/1.1 413 ');
  client.send('no size\r\n');
  await client.ended;
  expect(client.text().match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413']);
});

test('every call of them is judged, sealed and answered, one after the other', async () => {
  rig.upstream.script((request, answer) =>
    answer.send(wholeAnswer('200 OK', [], chatText(JSON.parse(request.body.toString()).user))),
  );
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(['one', 'two', 'three'].map((user) => chat(chatRequest({ user }))).join(''));
  for (const user of ['one', 'two', 'three']) await client.until(user);
  expect(client.text().match(/one|two|three/g)).toEqual(['one', 'two', 'three']);
});

test('more of them than anybody sends end the connection: what waits is bounded', async () => {
  const client = await callUnderWay();
  client.send(rawRequest('GET', '/v1/models', []).repeat(waitingCallsMax + 1));
  await client.ended;
  const { id } = await waitFor(() => rig.sidecar.ada.lastDecision());
  expect(await rig.sidecar.ada.outcomeOf(id)).toBe('client_abort');
  expect(rig.upstream.requests).toHaveLength(1);
});

test('a call behind one whose answer ends the connection is not taken', async () => {
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(chat(chatRequest({ user: 'x'.repeat(requestBytesMax) })) + chat(chatRequest()));
  await client.ended;
  expect(client.text()).toMatch(/^HTTP\/1.1 413 .*\r\nconnection: close/s);
  await (await rig.chat(chatRequest())).answer();
  expect(await rig.sidecar.ada.newestIds(2)).toHaveLength(1);
});

test.each([
  ['a WebSocket', rawRequest('GET', '/v1/realtime?model=m', ['Connection: Upgrade', 'Upgrade: websocket'])],
  ['CONNECT', rawRequest('CONNECT', 'api.openai.com:443', [])],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
])(
  'no word about %s stands in the answer to the call before: the connection ends',
  async (_what, further) => {
    const client = await callUnderWay();
    client.send(further);
    await client.ended;
    expect(client.text()).toBe('');
    const { id } = await waitFor(() => rig.sidecar.ada.lastDecision());
    expect(await rig.sidecar.ada.outcomeOf(id)).toBe('client_abort');
    expect(rig.upstream.requests).toHaveLength(1);
  },
);
