/** Answers that send the caller on: SDKs follow at once, and what they ask and get there goes past Holdpoint. */
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatText, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const moved = '{"error":{"message":"It moved."}}';
const elsewhere = 'https://other.example/v1/chat/completions';

/** A sidecar before this upstream, with a path that passes unread. */
async function sidecarTo(url: string): Promise<string> {
  const openai = { url, protocol: 'openai', mount: '/', tunnel: ['/v1/tunnelled'] } as const;
  return (await startTestSidecar({ upstreams: { openai } })).proxyUrl;
}

async function askForSocket(proxyUrl: string, target: string): Promise<RawClient> {
  const client = await connectRaw(proxyUrl);
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  client.send(rawRequest('GET', target, [...upgrade, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']));
  return client;
}

test('a caller that follows redirects asks nobody past Holdpoint', async () => {
  const other = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatText('Hello.'))),
  );
  const rig = await startRig();
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('307 Temporary Redirect', [`Location: ${other.url}/v1/chat/completions`], moved)),
  );
  const following = fetch(`${rig.sidecar.proxyUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chatRequest(),
  });
  const hold = await rig.sidecar.ada.nextHold();
  await rig.sidecar.ada.rule(hold, { verdict: 'deny', reason: 'not there' });
  expect((await following).status).toBe(403);
  expect(other.requests).toHaveLength(0);
});

describe('an answer that sends the caller to another host', () => {
  test.each([
    ['301 Moved Permanently', elsewhere],
    ['302 Found', elsewhere],
    ['303 See Other', elsewhere],
    ['307 Temporary Redirect', elsewhere],
    ['308 Permanent Redirect', elsewhere],
    ['302 Found', `${elsewhere}?sig=AIzaSecret`],
    ['307 Temporary Redirect', '//other.example/v1'],
    ['307 Temporary Redirect', '/\\other.example/v1'],
    ['307 Temporary Redirect', '/\t/other.example/v1'],
    ['307 Temporary Redirect', 'http:other.example'],
    ['307 Temporary Redirect', 'http://['],
    ['307 Temporary Redirect', '//['],
  ])('is held, and arrives as it came once it is released: %s %j', async (status, location) => {
    const rig = await startRig();
    rig.upstream.script((_request, answer) =>
      answer.send(wholeAnswer(status, [`Location: ${location}`], moved)),
    );
    const client = await rig.chat(chatRequest());
    const hold = await rig.sidecar.ada.nextHold();
    expect(client.received()).toHaveLength(0);
    await rig.sidecar.ada.rule(hold, { verdict: 'release' });
    const answer = await client.answer();
    expect(answer.head).toContain(status);
    expect(answer.head).toContain(`Location: ${location}`);
  });

  test.each([
    ['POST', '/v9/invent'],
    ['GET', '/v1/files/file-1/content'],
    ['GET', '/v1/responses/resp_1'],
  ])('is held where something is sent there or read from there: %s %s', async (method, path) => {
    const rig = await startRig();
    rig.upstream.script((_request, answer) =>
      answer.send(wholeAnswer('302 Found', [`Location: ${elsewhere}`], moved)),
    );
    const following = fetch(rig.sidecar.proxyUrl + path, { method, redirect: 'manual' });
    await rig.sidecar.ada.rule(await rig.sidecar.ada.nextHold(), { verdict: 'release' });
    expect((await following).headers.get('location')).toBe(elsewhere);
  });
});

test.each([
  ['POST', '/v1/chat/completions', '/v1/chat/completions/'],
  ['POST', '/v1/chat/completions', 'completions/'],
  ['POST', '/v1/chat/completions', '?again=1'],
  ['GET', '/v1/videos/video_1/content', elsewhere],
  ['HEAD', '/v1/videos/video_1/content', elsewhere],
])(
  'an answer passes that sends the caller back, or to what no rule reads: %s %s %s',
  async (method, path, location) => {
    const rig = await startRig();
    rig.upstream.script((_request, answer) =>
      answer.send(wholeAnswer('307 Temporary Redirect', [`Location: ${location}`], moved)),
    );
    const body = method === 'POST' ? { body: chatRequest() } : {};
    const answer = await fetch(rig.sidecar.proxyUrl + path, { method, redirect: 'manual', ...body });
    expect([answer.status, answer.headers.get('location')]).toEqual([307, location]);
  },
);

test('a key in the address that an answer sends its caller to is not recorded', async () => {
  const rig = await startRig();
  rig.upstream.script((_request, answer) =>
    answer.send(
      wholeAnswer('307 Temporary Redirect', [`Location: ${elsewhere}?alt=sse&key=AIzaSecret`], moved),
    ),
  );
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  await rig.sidecar.ada.rule(hold, { verdict: 'deny', reason: 'not there' });
  await client.answer();
  const { entries } = await rig.sidecar.ada.decision(hold.decisionId);
  const recorded = JSON.stringify([entries, await rig.sidecar.ada.bodies(hold.decisionId)]);
  expect(recorded).toContain(`${elsewhere}?alt=sse&key=[removed]`);
  expect(recorded).not.toContain('AIzaSecret');
});

test('an address with a key is handed to nobody who comes back later: it is not stored', async () => {
  const rig = await startRig();
  const location = `${elsewhere}?sig=AIzaSecret`;
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('302 Found', [`Location: ${location}`], moved)),
  );
  const first = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  first.destroy();
  await waitFor(async () => expect(await rig.sidecar.ada.pending()).toMatchObject([{ caller: 'gone' }]));
  await rig.sidecar.ada.rule(hold, { verdict: 'release' });
  const answer = await (await rig.chat(chatRequest())).answer();
  expect(answer.head).not.toContain('Location');
  expect(answer.body.toString()).toContain('carries a credential, which is never stored');
});

test('an answer that names such an address and was amended goes on as it is stored', async () => {
  const rig = await startRig({ policy: holdTransfers });
  rig.upstream.script((_request, answer) => {
    const fields = ['Content-Type: application/json', `Content-Location: ${elsewhere}?sig=AIzaSecret`];
    answer.send(wholeAnswer('200 OK', fields, chatTransfer(25_000)));
  });
  const client = await rig.chat(chatRequest());
  const hold = await rig.sidecar.ada.nextHold();
  const amendment = { toolCalls: [{ id: 'call_1', arguments: { amount: 5 } }] };
  expect((await rig.sidecar.ada.rule(hold, { verdict: 'amend', amendment })).status).toBe(201);
  const answer = await client.answer();
  expect([answer.status, answer.head]).toEqual([200, expect.stringContaining('sig=[removed]')]);
});

test('a connection that is sent elsewhere is refused, as some clients follow', async () => {
  const rig = await startRig();
  rig.upstream.script((_request, answer) =>
    answer.send(wholeAnswer('302 Found', ['Location: wss://other.example/v1/realtime'], moved)),
  );
  const client = await askForSocket(rig.sidecar.proxyUrl, '/v1/realtime?model=gpt-realtime');
  const answer = await client.answer();
  expect(answer.head).toContain('502');
  expect(answer.head).not.toContain('other.example');
  expect(answer.body.toString()).toContain('past Holdpoint');
});

test.each([
  ['https://other.example/v1/realtime', '502', 'past Holdpoint'],
  ['/v1/other', '307', 'It moved.'],
])('so is an unread tunnel, and only if it is: %s', async (location, status, said) => {
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('307 Temporary Redirect', [`Location: ${location}`], moved)),
  );
  const client = await askForSocket(await sidecarTo(upstream.url), '/v1/tunnelled');
  await client.until(said);
  expect(client.text()).toContain(`HTTP/1.1 ${status} `);
  expect(client.text().toLowerCase().includes('location:')).toBe(status === '307');
  client.end();
});

test('a tunnel that is sent elsewhere is given up at the provider, who may have more to say', async () => {
  const givenUp = Promise.withResolvers<void>();
  const upstream = await startRawUpstream(async (_request, answer) => {
    answer.send(`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${elsewhere}\r\nContent-Length: 9\r\n\r\nIt`);
    await answer.closed;
    givenUp.resolve();
  });
  const client = await askForSocket(await sidecarTo(upstream.url), '/v1/tunnelled');
  await client.until('past Holdpoint');
  await givenUp.promise;
});
