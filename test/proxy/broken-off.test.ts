/** Calls that break off: nobody takes a part for the whole, nothing keeps billing, and the record says how it ended. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openai } from '../../src/provider/openai/family.ts';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { chunk, streamHead, wholeAnswer } from '../support/raw-upstream.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatDelta, chatRequest, chatRole, chatStop, chatText, done } from './answers.ts';
import { holdSecretText, holdTransfers } from './policies.ts';
import { decisionIdOf, type Rig, startRig } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ policy: holdTransfers });
});
afterEach(endAll);

const begun = chatRole + chatDelta('It begins');
const streamed = chatRequest({ stream: true });

/** The one decision of a test whose answer names none. */
async function theOutcome(): Promise<string> {
  const { id } = await waitFor(() => rig.sidecar.ada.lastDecision());
  return rig.sidecar.ada.outcomeOf(id);
}

test('a client that leaves mid-stream stops the upstream; the part that came is sealed as client_abort', async () => {
  const stopped = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead + chunk(begun));
    await answer.closed;
    stopped.resolve();
  });
  const client = await rig.chat(streamed);
  await client.until('It begins');
  const id = decisionIdOf(client.text());
  client.destroy();
  await stopped.promise;
  expect(await rig.sidecar.ada.outcomeOf(id)).toBe('client_abort');
  const { entries } = await rig.sidecar.ada.decision(id);
  expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({ result: 'client_abort' });
  expect((await rig.sidecar.ada.bodies(id)).at(-1)?.text).toBe(begun);
});

test('an answer that Holdpoint fails to take in stops the upstream, and is refused', async () => {
  const stopped = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead + chunk(begun));
    await answer.closed;
    stopped.resolve();
  });
  const reading = vi.spyOn(openai, 'openStream').mockImplementation(() => {
    throw new Error('It has no reader.');
  });
  const answer = await (await rig.chat(streamed)).answer();
  reading.mockRestore();
  expect([answer.status, answer.body.toString()]).toEqual([500, expect.not.stringContaining('It begins')]);
  await stopped.promise;
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('interrupted');
});

test('a client that leaves before any header stops the upstream, and its call is sealed', async () => {
  const stopped = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    await answer.closed;
    stopped.resolve();
  });
  const client = await rig.chat(chatRequest());
  await waitFor(() => expect(rig.upstream.requests).toHaveLength(1));
  client.destroy();
  await stopped.promise;
  expect(await theOutcome()).toBe('client_abort');
});

test.each([
  ['is reset', (answer: { reset(): void }) => answer.reset()],
  ['closes without the last chunk', (answer: { end(): void }) => answer.end()],
])(
  'an upstream stream that %s mid-stream is destroyed towards the client, never ended',
  async (_how, breakOff) => {
    const { promise: seen, resolve: clientSawText } = Promise.withResolvers<void>();
    rig.upstream.script(async (_request, answer) => {
      answer.send(streamHead + chunk(begun));
      await seen;
      breakOff({ reset: answer.reset, end: answer.end });
    });
    const client = await rig.chat(streamed);
    await client.until('It begins');
    clientSawText();
    await client.ended;
    expect(client.text()).not.toContain('\r\n0\r\n\r\n');
    expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(client.text()))).toBe('upstream_truncated');
  },
);

test('a stream that ends in order but without its terminal event counts as truncated', async () => {
  rig.upstream.script((_request, answer) => answer.send(`${streamHead}${chunk(begun)}0\r\n\r\n`));
  const client = await rig.chat(streamed);
  await client.until('It begins');
  await client.ended;
  expect(client.text()).not.toContain('\r\n0\r\n\r\n');
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(client.text()))).toBe('upstream_truncated');
});

test('an answer that breaks off is reset towards a client of HTTP/1.0, which takes an end in order for the whole', async () => {
  const { promise: seen, resolve: clientSawText } = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead + chunk(begun));
    await seen;
    answer.reset();
  });
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(rawRequest('POST', '/v1/chat/completions', [], streamed).replace('HTTP/1.1', 'HTTP/1.0'));
  await client.until('It begins');
  clientSawText();
  expect(await client.ended).toBe('error');
});

test('a whole answer that breaks off is refused in the provider’s envelope: 502', async () => {
  rig.upstream.script((_request, answer) => {
    answer.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"choices":');
    answer.end();
  });
  const answer = await (await rig.chat(chatRequest())).answer();
  expect(answer.status).toBe(502);
  expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'upstream_truncated' } });
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('upstream_truncated');
});

test('an error event after status 200 reaches the client and is not recorded as a success', async () => {
  const stream = `${begun}data: {"error":{"message":"Overloaded","type":"server_error"}}\n\n`;
  rig.upstream.script((_request, answer) => answer.send(`${streamHead}${chunk(stream)}0\r\n\r\n`));
  const answer = await (await rig.chat(streamed)).answer();
  expect(answer.body.toString()).toBe(stream);
  const { entries } = await rig.sidecar.ada.decision(decisionIdOf(answer.head));
  expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({ result: 'error' });
});

test('an error status of the provider reaches the client as it is', async () => {
  const body = '{"error":{"message":"Slow down","code":"rate_limit_exceeded"}}';
  const head = ['Retry-After: 20', 'x-ratelimit-remaining-tokens: 0'];
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('429 Too Many Requests', head, body)));
  const answer = await (await rig.chat(chatRequest())).answer();
  expect(answer.status).toBe(429);
  expect(answer.head).toContain('Retry-After: 20\r\nx-ratelimit-remaining-tokens: 0');
  expect(answer.body.toString()).toBe(body);
});

test('an idle connection that the upstream closed is replaced once, the call succeeds, and it is recorded', async () => {
  rig.upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatText('One.'))));
  const first = await (await rig.chat(chatRequest())).answer();
  let refused = 0;
  rig.upstream.script((_request, answer) => {
    if (refused > 0) return answer.send(wholeAnswer('200 OK', [], chatText('Two.')));
    refused += 1;
    return answer.reset();
  });
  const answer = await (await rig.chat(chatRequest())).answer();
  expect(answer.body.toString()).toBe(chatText('Two.'));
  const resent = async ({ head }: { readonly head: string }) => {
    const { entries } = await rig.sidecar.ada.decision(decisionIdOf(head));
    return entries.find(({ type }) => type === 'response')?.data['resent'];
  };
  expect([await resent(first), await resent(answer)]).toEqual([undefined, true]);
});

test('a fresh connection that is reset is not tried again: the provider may have read the call', async () => {
  rig.upstream.script((_request, answer) => answer.reset());
  const answer = await (await rig.chat(chatRequest())).answer();
  expect(answer.status).toBe(502);
  expect(rig.upstream.requests).toHaveLength(1);
});

test('a used connection that is reset long after the call went out is not replaced: the provider was at work', async () => {
  await (await rig.chat(chatRequest())).answer();
  rig.upstream.script((_request, answer) => {
    rig.time.advance(2_001);
    answer.reset();
  });
  expect((await (await rig.chat(chatRequest())).answer()).status).toBe(502);
  expect(rig.upstream.requests).toHaveLength(2);
});

test('one that the upstream ended in order, just as the call went out on it, is replaced too', async () => {
  await (await rig.chat(chatRequest())).answer();
  let ended = 0;
  rig.upstream.script((_request, answer) => {
    if (ended > 0) return answer.send(wholeAnswer('200 OK', [], chatText('Two.')));
    ended += 1;
    return answer.end();
  });
  expect((await (await rig.chat(chatRequest())).answer()).body.toString()).toBe(chatText('Two.'));
});

const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n';
test.each([
  ['fresh', 'in the middle of its head', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ['fresh', 'after an informational answer', hints],
  ['used', 'in the middle of its head', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ['used', 'after an informational answer', hints],
])(
  'a %s connection that is reset %s is not tried again: the provider has read the call',
  async (connection, _when, begun) => {
    if (connection === 'used') await (await rig.chat(chatRequest())).answer();
    const before = rig.upstream.requests.length;
    rig.upstream.script(async (_request, answer) => {
      answer.send(begun);
      answer.end();
    });
    const answer = await (await rig.chat(chatRequest())).answer();
    expect(answer.status).toBe(502);
    expect(rig.upstream.requests.length - before).toBe(1);
  },
);

test('an event larger than 1 MB passes whole, and a slow reader gets every byte', async () => {
  const stream = begun + chatDelta('x'.repeat(3 * 1024 * 1024)) + chatStop + done;
  rig.upstream.script((_request, answer) => {
    answer.send(streamHead);
    for (let at = 0; at < stream.length; at += 100_000) answer.send(chunk(stream.slice(at, at + 100_000)));
    answer.send('0\r\n\r\n');
  });
  const answer = await (await rig.chat(streamed)).answer();
  expect(answer.body.toString()).toBe(stream);
});

test('a client that leaves while the whole answer is collected for the rules stops the upstream', async () => {
  await endAll();
  rig = await startRig({ policy: holdSecretText });
  const stopped = Promise.withResolvers<void>();
  const sent = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(streamHead + chunk(begun));
    sent.resolve();
    await answer.closed;
    stopped.resolve();
  });
  const client = await rig.chat(streamed);
  await sent.promise;
  client.destroy();
  await stopped.promise;
  expect(await theOutcome()).toBe('client_abort');
});

test('a client that leaves before it has all of a whole answer has not got it', async () => {
  const answer = chatText('x'.repeat(24 * 1024 * 1024));
  rig.upstream.script((_request, upstream) => upstream.send(wholeAnswer('200 OK', [], answer)));
  const { hostname, port } = new URL(rig.sidecar.proxyUrl);
  const client = connect(Number(port), hostname);
  client.write(rawRequest('POST', '/v1/chat/completions', [], chatRequest()));
  // Far more than the network takes is still to come.
  await once(client, 'readable');
  client.resetAndDestroy();
  const { id, entries } = await waitFor(() => rig.sidecar.ada.lastDecision());
  expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({ result: 'ok' });
  expect(await rig.sidecar.ada.outcomeOf(id)).toBe('client_abort');
});

test('an answer of more than is read stops its upstream, and none of it passes', async () => {
  await endAll();
  rig = await startRig({ policy: holdSecretText, limits: { responseBytesMax: 4_096 } });
  const stopped = Promise.withResolvers<void>();
  rig.upstream.script(async (_request, answer) => {
    answer.send(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(5_000)}`);
    await answer.closed;
    stopped.resolve();
  });
  const answer = await (await rig.chat(chatRequest())).answer();
  await stopped.promise;
  expect([answer.status, answer.body.toString()]).toEqual([502, expect.not.stringContaining('xxx')]);
  expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('upstream_error');
});

test('requests that share one connection are answered in order', async () => {
  rig.upstream.script((request, answer) => answer.send(wholeAnswer('200 OK', [], request.target)));
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(rawRequest('GET', '/v1/one', []) + rawRequest('GET', '/v1/two', []));
  await client.until('/v1/one');
  await client.until('/v1/two');
});
