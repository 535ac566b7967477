/** What passes, passes byte for byte: bodies, header case and order, duplicates, splits, unknown paths. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import {
  chunk,
  type RawUpstream,
  startRawUpstream,
  streamHead,
  wholeAnswer,
} from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { decisionIdOf } from './rig.ts';

let upstream: RawUpstream;
let sidecar: TestSidecar;

beforeAll(async () => {
  upstream = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('200 OK', [], plain)));
  const settings = { url: upstream.url, protocol: 'openai' as const, mount: '/' };
  sidecar = await startTestSidecar({
    policy: holdTransfers,
    upstreams: {
      openai: settings,
      anthropic: { ...settings, url: `${upstream.url}/base/`, protocol: 'anthropic', mount: '/anthropic' },
    },
  });
});
afterAll(endAll);

const plain = chatText('Hello.');
const spaced = `${JSON.stringify(JSON.parse(plain), null, 3)}\n`;
const question = JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'Grüße 👋' }] });
const post = (target: string, headers: readonly string[] = [], body = question) =>
  exchange(sidecar.proxyUrl, rawRequest('POST', target, headers, body));

test('the request body, header case and order, and duplicate headers arrive as they were sent', async () => {
  upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], plain)));
  await post('/v1/chat/completions?a=1&a=2', [
    'Authorization: Bearer sk-1',
    'X-Custom-CASE: One',
    'x-custom-case: two',
    'content-type: application/json',
  ]);
  const request = upstream.requests.at(-1);
  expect(request?.body.toString()).toBe(question);
  expect(request?.target).toBe('/v1/chat/completions?a=1&a=2');
  const names = ['Authorization: Bearer sk-1', 'X-Custom-CASE: One', 'x-custom-case: two'];
  expect(request?.head).toContain(`${names.join('\r\n')}\r\ncontent-type: application/json`);
  expect(request?.head.toLowerCase()).toContain(`\r\nhost: 127.0.0.1:${upstream.port}`);
});

test('hop-by-hop headers, those Connection names, and headers meant for Holdpoint go no further', async () => {
  await post('/v1/chat/completions', [
    'Connection: keep-alive, X-Only-Here',
    'X-Only-Here: 1',
    'Keep-Alive: timeout=5',
    'TE: trailers',
    'Proxy-Connection: keep-alive',
    'Holdpoint-Subject: Jane',
    'Prefer: respond-async',
  ]);
  const head = upstream.requests.at(-1)?.head.toLowerCase() ?? '';
  for (const name of ['x-only-here', 'keep-alive:', 'te:', 'proxy-connection', 'holdpoint-', 'prefer'])
    expect(head).not.toContain(`\r\n${name}`);
});

test('a caller that waits to be told to go on with its body is told so here, and its wish goes no further', async () => {
  upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], plain)));
  const client = await connectRaw(sidecar.proxyUrl);
  const length = `Content-Length: ${Buffer.byteLength(question)}`;
  client.send(rawRequest('POST', '/v1/chat/completions', ['Expect: 100-continue', length]));
  await client.until('HTTP/1.1 100 Continue\r\n\r\n');
  client.send(question);
  await client.until(plain);
  expect(client.text()).toContain('HTTP/1.1 200 OK');
  expect(upstream.requests.at(-1)?.head.toLowerCase()).not.toContain('expect');
});

test('the status line, header case, order and duplicates of the answer come back as they were sent', async () => {
  const headers = ['Content-Type: application/json', 'Set-Cookie: a=1', 'X-Odd-CASE: yes', 'set-cookie: b=2'];
  upstream.script((_request, answer) => answer.send(wholeAnswer('299 Quite Fine', headers, spaced)));
  const answer = await post('/v1/chat/completions');
  expect(answer.head).toMatch(/^HTTP\/1\.1 299 Quite Fine\r\n/);
  expect(answer.head).toContain(headers.join('\r\n'));
  expect(answer.head).toMatch(/\r\nholdpoint-decision: \S+/);
  // Not the upstream's.
  expect(answer.head).not.toMatch(/\r\ndate:/i);
  expect(answer.body.toString()).toBe(spaced);
});

test.each([false, true])(
  'the decision id of an answer is Holdpoint’s own, whatever the upstream claims (stream: %s)',
  async (isStream) => {
    const forged = 'Holdpoint-Decision: forged';
    upstream.script((_request, answer) =>
      answer.send(
        isStream
          ? `${streamHead.replace('\r\n\r\n', `\r\n${forged}\r\n\r\n`)}${chunk(stream)}0\r\n\r\n`
          : wholeAnswer('200 OK', [forged], plain),
      ),
    );
    const answer = await post('/v1/chat/completions', [], chatRequest({ stream: isStream }));
    expect(answer.head.match(/holdpoint-decision/gi)).toHaveLength(1);
    expect(answer.head).not.toContain('forged');
  },
);

test.each([
  ['GET', '/v1/models?limit=2&after=%2Fx', ''],
  ['DELETE', '/v1/files/file-1', ''],
  ['PUT', '/anything//at/../all;p=1', '\u0000\u0001 not json'],
])('%s %s, which nobody here understands, passes untouched', async (method, target, body) => {
  const reply = Buffer.from([0, 255, 13, 10, 13, 10, 7]);
  upstream.script((_request, answer) => answer.send(wholeAnswer('207 Multi', ['Content-Type: x/y'], reply)));
  const answer = await exchange(sidecar.proxyUrl, rawRequest(method, target, [], body));
  expect(upstream.requests.at(-1)).toMatchObject({ method, target });
  expect(upstream.requests.at(-1)?.body.toString('latin1')).toBe(body);
  expect(answer.status).toBe(207);
  expect(answer.body).toEqual(reply);
});

test('a call below a mount reaches its upstream without the mount, below the upstream’s own base path', async () => {
  upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [], plain)));
  await post('/anthropic/v1/other?beta=true');
  expect(upstream.requests.at(-1)?.target).toBe('/base/v1/other?beta=true');
});

test('a head of 48 KiB comes back whole', async () => {
  const long = 'x'.repeat(48 * 1024);
  upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', [`X-Long: ${long}`], plain)));
  const answer = await post('/v1/chat/completions');
  expect(answer.head).toContain(`X-Long: ${long}\r\n`);
  expect(answer.body.toString()).toBe(plain);
});

test('answers without a body keep their status and headers', async () => {
  upstream.script((_request, answer) => answer.send('HTTP/1.1 204 No Content\r\nX-Left: 1\r\n\r\n'));
  const answer = await exchange(sidecar.proxyUrl, rawRequest('GET', '/v1/nothing', []));
  expect(answer.head).toMatch(/^HTTP\/1\.1 204 No Content\r\nX-Left: 1/);
});

test('the answer to HEAD keeps the length it announces', async () => {
  upstream.script((_request, answer) => answer.send('HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\n'));
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('HEAD', '/v1/models', []));
  await client.until('\r\n\r\n');
  expect(client.text()).toContain('Content-Length: 123');
});

const stream = [
  ': a comment\n\n',
  'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Grüße 👋"}}]}\r\n\r\n',
  'data:{"id":"1","choices":[{"index":0,"delta":{"content":" ohne Leerzeichen"}}]}\n\n',
  'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\r',
  'data: [DONE]\n\n',
].join('');

test('a stream comes back byte for byte, however the upstream splits it', async () => {
  const bytes = Buffer.from(stream);
  upstream.script((request, answer) => {
    const split = Number(/x-split: (\d+)/.exec(request.head)?.[1]);
    answer.send(streamHead);
    answer.send(chunk(bytes.subarray(0, split)));
    answer.send(chunk(bytes.subarray(split)));
    answer.send('0\r\n\r\n');
  });
  const splits = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
  const body = chatRequest({ stream: true });
  const answers = await Promise.all(
    splits.map((split) => post('/v1/chat/completions', [`x-split: ${split}`], body)),
  );
  expect(new Set(answers.map((answer) => answer.body.toString()))).toEqual(new Set([stream]));
});

describe('the trailers of a chunked answer', () => {
  const answerWith = (...trailers: readonly string[]): void =>
    upstream.script((_request, answer) => {
      answer.send('HTTP/1.1 200 OK\r\nTrailer: X-Checksum\r\nTransfer-Encoding: chunked\r\n\r\n');
      answer.send(`${chunk(plain)}0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`);
    });
  async function ask(target: string, body = question) {
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('POST', target, [], body));
    await client.until('\r\n0\r\n');
    await client.until('X-Checksum: abc\r\n\r\n');
    const id = decisionIdOf(client.text());
    const { entries } = await sidecar.ada.decision(id);
    const response = (await sidecar.ada.bodies(id)).at(-1);
    return {
      text: client.text(),
      counted: entries.find(({ type }) => type === 'response')?.data['trailers'],
      last: response?.headers?.slice(-4),
    };
  }

  test.each(['/v1/chat/completions', '/v1/unknown'])('pass, and stand in the record: %s', async (target) => {
    answerWith('Content-Digest: sha-256=:aGV4:', 'X-Checksum: abc');
    const { counted, last } = await ask(target);
    expect(counted).toBe(2);
    expect(last).toEqual(['Content-Digest', 'sha-256=:aGV4:', 'X-Checksum', 'abc']);
  });

  test('say nothing that only the head may say', async () => {
    answerWith('holdpoint-decision: d-1', 'Content-Type: text/plain', 'Set-Cookie: a=1', 'X-Checksum: abc');
    const { text, counted, last } = await ask('/v1/chat/completions');
    expect(text).toMatch(/\r\n0\r\nX-Checksum: abc\r\n\r\n$/);
    expect(counted).toBe(1);
    expect(last?.slice(2)).toEqual(['X-Checksum', 'abc']);
  });

  test('come with a held answer that is released, but for those that are never stored', async () => {
    upstream.script((_request, answer) => {
      answer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      answer.send(`${chunk(chatTransfer(25_000))}0\r\nX-Api-Key: never-stored\r\nX-Checksum: abc\r\n\r\n`);
    });
    const asked = ask('/v1/chat/completions', chatRequest({ user: 'trailers' }));
    await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
    const { text } = await asked;
    expect(text.slice(0, text.indexOf('\r\n\r\n'))).not.toContain('X-Checksum');
    expect(text).toMatch(/\r\n0\r\nX-Checksum: abc\r\n\r\n$/);
  });
});

test('a compressed answer and a compressed request keep their coding', async () => {
  const zipped = gzipSync(plain);
  upstream.script((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Encoding: gzip'], zipped)),
  );
  const client = await connectRaw(sidecar.proxyUrl);
  const sent = gzipSync(question);
  client.send(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: s\r\nContent-Encoding: gzip\r\nContent-Length: ${sent.length}\r\n\r\n`,
  );
  client.send(sent);
  const answer = await client.answer();
  expect(answer.body).toEqual(zipped);
  expect(answer.head).toContain('Content-Encoding: gzip');
  expect(upstream.requests.at(-1)?.body).toEqual(sent);
});

test('bytes of concurrent calls never mix, neither on the wire nor in the record', async () => {
  upstream.script((request, answer) => {
    const { user } = JSON.parse(request.body.toString()) as { user: string };
    answer.send(wholeAnswer('200 OK', [], chatText(user)));
  });
  const calls = Array.from({ length: 40 }, (_, i) => `caller-${i}-${'x'.repeat(i * 37)}`);
  await Promise.all(
    calls.map(async (user) => {
      const body = JSON.stringify({ model: 'gpt-4.1', messages: [], user });
      const answer = await post('/v1/chat/completions', [], body);
      expect(answer.body.toString()).toBe(chatText(user));
      const id = /holdpoint-decision: (\S+)/.exec(answer.head)?.[1] ?? '';
      const [request, response] = await sidecar.ada.bodies(id);
      expect(request?.text).toBe(body);
      expect(response?.text).toBe(answer.body.toString());
    }),
  );
});

test('an answer that informational ones come before arrives alone', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n';
  upstream.script((_request, answer) => {
    answer.send(`HTTP/1.1 102 Processing\r\n\r\n${hints}`);
    answer.send(wholeAnswer('200 OK', [], plain));
  });
  const { status, head, body } = await post('/v1/chat/completions');
  expect([status, body.toString()]).toEqual([200, plain]);
  expect(head).not.toMatch(/^link:/im);
});
