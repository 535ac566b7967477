/** What is wrong is refused in words its SDK understands, before anything is sent, and with a record where there is a call. */
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { atEnd, endAll } from '../support/endings.ts';
import { createFullDisk } from '../support/full-disk.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { chatRequest, chatText, messagesRequest } from './answers.ts';
import { decisionIdOf } from './rig.ts';

async function upstreamOfText(): Promise<RawUpstream> {
  return startRawUpstream((_request, answer) => answer.send(wholeAnswer('200 OK', [], chatText('Hello.'))));
}

const upstreamsOf = (url: string) => ({
  openai: { url, protocol: 'openai' as const, mount: '/openai' },
  anthropic: { url, protocol: 'anthropic' as const, mount: '/anthropic' },
});
const families = [
  { family: 'openai', target: '/openai/v1/chat/completions', good: chatRequest() },
  { family: 'openai', target: '/openai/v1/responses', good: '{"model":"gpt-4.1","input":"Hi"}' },
  { family: 'anthropic', target: '/anthropic/v1/messages', good: messagesRequest },
] as const;

/** Each family's own envelope with our code in it. */
function codeIn(family: 'openai' | 'anthropic', body: Buffer): unknown {
  const envelope = JSON.parse(body.toString()) as { type?: unknown; error: { code: unknown; type: unknown } };
  expect(typeof envelope.error.type).toBe('string');
  if (family === 'anthropic') expect(envelope.type).toBe('error');
  return envelope.error.code;
}

describe('what is not a call', () => {
  let upstream: RawUpstream;
  let sidecar: TestSidecar;
  beforeAll(async () => {
    upstream = await upstreamOfText();
    sidecar = await startTestSidecar({
      upstreams: upstreamsOf(upstream.url),
      limits: { requestBytesMax: 4096 },
    });
  });
  afterAll(endAll);

  test('a path of a thousand segments is refused before anybody tries to read it', async () => {
    const target = `/openai${'/a'.repeat(1_000)}/v1/chat/completions`;
    const answer = await exchange(sidecar.proxyUrl, rawRequest('POST', target, [], chatRequest()));
    expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
      400,
      { error: { message: expect.stringContaining('more segments') } },
    ]);
    expect(upstream.requests).toEqual([]);
  });

  test.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH\r\n\r\n', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n', 400],
    ['a control character in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\u0000b\r\n\r\n', 400],
    [
      'both Content-Length and Transfer-Encoding',
      'POST /openai/v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'two Content-Lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
      400,
    ],
    ['a length that is none', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\n', 400],
    ['HTTP/1.1 without Host', 'GET /openai/v1/models HTTP/1.1\r\n\r\n', 400],
    ['an obsolete folded header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n', 400],
    [
      'two Content-Types',
      rawRequest(
        'POST',
        '/openai/v1/chat/completions',
        ['Content-Type: text/plain', 'Content-Type: a/b'],
        '{}',
      ),
      400,
    ],
    [
      'two Content-Encodings',
      rawRequest(
        'POST',
        '/openai/v1/responses',
        ['Content-Encoding: identity', 'Content-Encoding: br'],
        '{}',
      ),
      400,
    ],
    ['too large headers', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
    ['an absolute target', 'GET http://evil.example/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['an unknown mount', rawRequest('POST', '/elsewhere/v1/chat/completions', [], '{}'), 404],
    ['a mount’s name as part of another', rawRequest('GET', '/openaix/v1/models', []), 404],
  ])('%s is refused and reaches nobody', async (_what, bytes, status) => {
    const answer = await exchange(sidecar.proxyUrl, bytes);
    expect(answer.status).toBe(status);
    expect(upstream.requests).toHaveLength(0);
  });

  test('a request without Host hears why, in an envelope like all others', async () => {
    const answer = await exchange(sidecar.proxyUrl, 'GET /openai/v1/models HTTP/1.1\r\n\r\n');
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      error: { code: 'bad_request', message: expect.stringContaining('Host') },
    });
  });

  test('bytes that break the protocol behind a good call cannot be taken for its answer', async () => {
    const mayAnswer = Promise.withResolvers<void>();
    upstream.script(async (_request, answer) => {
      await mayAnswer.promise;
      answer.send(wholeAnswer('200 OK', [], chatText('Hello.')));
    });
    const before = upstream.requests.length;
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('POST', '/openai/v1/chat/completions', [], chatRequest()));
    await expect.poll(() => upstream.requests.length, { interval: 2 }).toBe(before + 1);
    client.send('NOT HTTP\r\n\r\n');
    await client.ended;
    expect(client.received()).toHaveLength(0);
    mayAnswer.resolve();
  });

  describe.each(families)('$family at $target', ({ family, target, good }) => {
    test.each([
      ['is not JSON', '{"model": '],
      ['is no object', '[1]'],
      ['names a key twice', `{"model":"gpt-4.1","model":"gpt-5",${good.slice(1)}`],
      ['has bytes after its end', `${good} {}`],
    ])('a body that %s is refused with 400, sealed as denied, and not sent', async (_what, body) => {
      const before = upstream.requests.length;
      const answer = await exchange(sidecar.proxyUrl, rawRequest('POST', target, [], body));
      expect([answer.status, codeIn(family, answer.body)]).toEqual([400, 'bad_request']);
      expect(answer.head).toContain('x-should-retry: false');
      expect(await sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('denied');
      expect(upstream.requests).toHaveLength(before);
    });

    test('a body whose coding cannot be undone is refused with 400', async () => {
      const answer = await exchange(
        sidecar.proxyUrl,
        rawRequest('POST', target, ['Content-Encoding: gzip'], good),
      );
      expect([answer.status, codeIn(family, answer.body)]).toEqual([400, 'bad_request']);
    });

    test('a body over the limit is refused with 413, however it is sent', async () => {
      const large = 'x'.repeat(5_000);
      const announced = rawRequest('POST', target, [], large);
      const chunked = `${rawRequest('POST', target, ['Transfer-Encoding: chunked'])}1388\r\n${large}\r\n0\r\n\r\n`;
      for (const bytes of [announced, chunked]) {
        const answer = await exchange(sidecar.proxyUrl, bytes);
        expect([answer.status, codeIn(family, answer.body)]).toEqual([413, 'body_too_large']);
      }
    });
  });

  test('the answer to a far too large body arrives although the client is still sending', async () => {
    const response = await fetch(`${sidecar.proxyUrl}/openai/v1/chat/completions`, {
      method: 'POST',
      body: Buffer.alloc(20 * 1024 * 1024, 'x'),
    });
    expect(response.status).toBe(413);
  });
});

describe.each(families)('$family at $target, when the upstream fails', ({ family, target, good }) => {
  afterEach(endAll);

  test('cannot be reached: 502 in its envelope, sealed as upstream_error', async () => {
    const upstream = await upstreamOfText();
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url) });
    await upstream.close();
    const answer = await exchange(sidecar.proxyUrl, rawRequest('POST', target, [], good));
    expect([answer.status, codeIn(family, answer.body)]).toEqual([502, 'upstream_unreachable']);
    expect(answer.body.toString()).toContain('whoever runs Holdpoint checks `url` below `upstreams`');
    expect(await sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('upstream_error');
  });

  test('stays silent: 504 in its envelope, sealed as upstream_error', async () => {
    const upstream = await startRawUpstream(() => undefined);
    const sidecar = await startTestSidecar({
      upstreams: upstreamsOf(upstream.url),
      limits: { upstreamIdleMsMax: 150 },
    });
    const answer = await exchange(sidecar.proxyUrl, rawRequest('POST', target, [], good));
    expect([answer.status, codeIn(family, answer.body)]).toEqual([504, 'upstream_timeout']);
    expect(await sidecar.ada.outcomeOf(decisionIdOf(answer.head))).toBe('upstream_error');
  });

  test('answers more than may be recorded: 502 in its envelope', async () => {
    const upstream = await startRawUpstream((_request, answer) =>
      answer.send(wholeAnswer('200 OK', [], chatText('x'.repeat(5_000)))),
    );
    const sidecar = await startTestSidecar({
      upstreams: upstreamsOf(upstream.url),
      limits: { responseBytesMax: 4_096 },
    });
    const answer = await exchange(sidecar.proxyUrl, rawRequest('POST', target, [], good));
    expect([answer.status, codeIn(family, answer.body)]).toEqual([502, 'response_too_large']);
  });
});

describe('an upstream that is not an HTTP server', () => {
  afterEach(endAll);

  test('is a 502', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end('220 smtp.example ESMTP\r\n');
    });
    const listening = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', listening.resolve);
    await listening.promise;
    atEnd(() => {
      server.close();
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(`http://127.0.0.1:${port}`) });
    const answer = await exchange(
      sidecar.proxyUrl,
      rawRequest('POST', '/openai/v1/chat/completions', [], chatRequest()),
    );
    expect(answer.status).toBe(502);
  });
});

describe('a ledger that cannot be written', () => {
  afterEach(endAll);

  test.each(families)('refuses $family at $target with 503; nothing is sent, and it recovers', async (of) => {
    const upstream = await upstreamOfText();
    const disk = createFullDisk();
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url), machine: disk });
    disk.isFull = true;
    const bytes = rawRequest('POST', of.target, [], of.good);
    const answer = await exchange(sidecar.proxyUrl, bytes);
    expect([answer.status, codeIn(of.family, answer.body)]).toEqual([503, 'ledger_unavailable']);
    expect(answer.head).toContain('x-should-retry: true');
    expect(upstream.requests).toHaveLength(0);
    disk.isFull = false;
    const models = rawRequest('GET', '/openai/v1/models', []);
    const recovered = async (): Promise<number> => (await exchange(sidecar.proxyUrl, models)).status;
    await expect.poll(recovered, { timeout: 5_000, interval: 20 }).toBe(200);
  });

  test('delivers nothing of an answer that could not be sealed', async () => {
    const disk = createFullDisk();
    const upstream = await startRawUpstream((_request, answer) => {
      disk.isFull = true;
      answer.send(wholeAnswer('200 OK', [], chatText('Hello.')));
    });
    const sidecar = await startTestSidecar({ upstreams: upstreamsOf(upstream.url), machine: disk });
    const bytes = rawRequest('POST', '/openai/v1/chat/completions', [], chatRequest());
    const answer = await exchange(sidecar.proxyUrl, bytes);
    expect([answer.status, codeIn('openai', answer.body)]).toEqual([503, 'ledger_unavailable']);
    disk.isFull = false;
    const id = decisionIdOf(answer.head);
    expect(await sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });
});
