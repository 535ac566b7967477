/** The forward proxy: workloads that cannot be told a base URL, and everything a hostile one may ask of it. */
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { fetch as fetchThrough, ProxyAgent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import { encryptedHello, helloWith, nameEntry, sni } from '../support/client-hello.ts';
import { endAll } from '../support/endings.ts';
import { pythonPath } from '../support/python.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import {
  chunk,
  type RawUpstream,
  type ReceivedRequest,
  startRawUpstream,
  streamHead,
  wholeAnswer,
} from '../support/raw-upstream.ts';
import type { Settings } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatDelta, chatRequest, chatRole, chatStop, chatText, chatTransfer, done } from './answers.ts';
import { denyUnlistedModels, holdTransfers, holdUnlistedModels } from './policies.ts';
import { decisionIdOf } from './rig.ts';
import { askOver, type Behind, connectAnswer, has, openThrough, run, startBehind } from './through.ts';

const json = ['Content-Type: application/json'];
let openai: RawUpstream;
let anthropic: RawUpstream;
/** A sidecar that stops nothing, for all tests that need no settings of their own. */
let behind: Behind;
let before: { readonly openai: number; readonly anthropic: number };

beforeAll(async () => {
  openai = await startRawUpstream((request, answer) => answer.send(answerTo(request)));
  anthropic = await startRawUpstream((_request, answer) => answer.send(wholeAnswer('200 OK', json, '{}')));
  behind = await start();
});
beforeEach(() => {
  before = { openai: openai.requests.length, anthropic: anthropic.requests.length };
});
afterAll(endAll);

function answerTo({ body }: ReceivedRequest): Buffer {
  if (body.includes('"stream":true')) {
    const events = [chatRole, chatDelta('Hel'), chatDelta('lo.'), chatStop, done].map(chunk);
    return Buffer.concat([Buffer.from(streamHead), ...events, chunk('')]);
  }
  const text = body.includes('transfer') ? chatTransfer(25_000) : chatText('Hello.');
  return wholeAnswer('200 OK', json, text);
}

function start(settings: Partial<Settings> = {}): Promise<Behind> {
  const families = { openai: openai.url, anthropic: anthropic.url };
  return startBehind({
    upstreams: {
      openai: {
        url: families.openai,
        protocol: 'openai',
        mount: '/',
        hosts: ['api.openai.com', '127.0.0.1:8443'],
      },
      anthropic: {
        url: families.anthropic,
        protocol: 'anthropic',
        mount: '/anthropic',
        hosts: ['api.anthropic.com'],
      },
    },
    ...settings,
  });
}

/** What the upstreams heard since the test began. */
const heard = (): readonly ReceivedRequest[] => [
  ...openai.requests.slice(before.openai),
  ...anthropic.requests.slice(before.anthropic),
];

const question = (host: string, target = '/v1/chat/completions'): string =>
  rawRequest('POST', target, json, chatRequest()).replace('Host: sidecar', `Host: ${host}`);

const through = (host: string, options = {}, port = 443) =>
  openThrough(behind.forwardUrl, host, { ca: behind.ca, ...options }, port);

/** The official SDK with its own base URL; only how it connects is set. */
function sdkThrough({ forwardUrl, ca }: Behind): OpenAI {
  const dispatcher = new ProxyAgent({ uri: forwardUrl, requestTls: { ca } });
  const fetch = (url: unknown, init: unknown): unknown =>
    Reflect.apply(fetchThrough, null, [url, Object.assign({}, init, { dispatcher })]);
  return new OpenAI({ apiKey: 'sk-own', fetch: fetch as typeof globalThis.fetch, maxRetries: 0 });
}

describe('a workload that knows only its environment', () => {
  test('asks through the openai SDK, whole and streaming, and every call is recorded', async () => {
    const program = fileURLToPath(new URL('openai-process.ts', import.meta.url));
    const { code, out } = await run(process.execPath, [program], {
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: behind.forwardUrl,
      NODE_EXTRA_CA_CERTS: behind.caFile,
      OPENAI_API_KEY: 'sk-own',
    });
    expect({ code, out }).toEqual({ code: 0, out: JSON.stringify({ plain: 'Hello.', streamed: 'Hello.' }) });
    const targets = heard().map(({ target }) => target);
    expect(targets).toEqual(['/v1/chat/completions', '/v1/chat/completions']);
    expect(heard()[0]?.head).toContain('Bearer sk-own');
    const last = await behind.sidecar.ada.lastDecision();
    expect(last).toMatchObject({ operation: 'chat.completions', verdict: 'pass' });
    expect(last.entries[0]?.data).toMatchObject({ upstream: 'openai', stream: true });
  });

  test.runIf(has('curl'))('asks through curl', async () => {
    const url = 'https://api.openai.com/v1/chat/completions';
    const { code, out } = await run('curl', ['-sS', '-d', chatRequest(), url], {
      https_proxy: behind.forwardUrl,
      CURL_CA_BUNDLE: behind.caFile,
    });
    expect({ code, out }).toEqual({ code: 0, out: chatText('Hello.') });
  });

  test.runIf(has(pythonPath))(
    'asks through Python, whose strictest checks accept the certificates',
    async () => {
      const script = `
import ssl, urllib.request
context = ssl.create_default_context()
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler())
print(opener.open("https://api.openai.com/v1/models", timeout=5).status, end="")`;
      const { code, out } = await run(pythonPath, ['-c', script], {
        https_proxy: behind.forwardUrl,
        SSL_CERT_FILE: behind.caFile,
      });
      expect({ code, out }).toEqual({ code: 0, out: '200' });
    },
  );
});

describe('what is decrypted runs through the same pipeline:', () => {
  test('a tool call is held until it is released', async () => {
    const holding = await start({ policy: holdTransfers });
    const messages = [{ role: 'user' as const, content: 'transfer' }];
    const asked = sdkThrough(holding).chat.completions.create({ model: 'gpt-4.1', messages });
    const hold = await holding.sidecar.ada.nextHold();
    await holding.sidecar.ada.rule(hold, { verdict: 'release' });
    expect((await asked).choices[0]?.message.tool_calls).toHaveLength(1);
    expect(await holding.sidecar.ada.outcomeOf(hold.decisionId)).toBe('delivered');
  });

  test('a denial is the SDK’s own 403, and a WebSocket is judged by the same rules', async () => {
    const denying = await start({ policy: denyUnlistedModels });
    const asked = sdkThrough(denying).chat.completions.create({ model: 'other', messages: [] });
    await expect(asked).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError);
    const socket = await openThrough(denying.forwardUrl, 'api.openai.com', { ca: denying.ca });
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const request = rawRequest('GET', '/v1/realtime?model=other', [...upgrade, key]);
    const answer = await askOver(socket, request.replace('Host: sidecar', 'Host: api.openai.com'));
    expect(answer.status).toBe(403);
    const { entries } = await denying.sidecar.ada.lastDecision();
    expect(entries[0]?.data).toMatchObject({ upstream: 'openai', path: '/v1/realtime', verdict: 'deny' });
    expect(heard()).toEqual([]);
  });

  test('the host says which upstream is meant, not the mount', async () => {
    await askOver(await through('api.anthropic.com'), question('api.anthropic.com', '/anthropic/v1/x'));
    expect(anthropic.requests.at(-1)?.target).toBe('/anthropic/v1/x');
    const { entries } = await behind.sidecar.ada.lastDecision();
    expect(entries[0]?.data).toMatchObject({ upstream: 'anthropic' });
  });

  test('an address can be a host too: TLS then names none', async () => {
    const socket = await through('127.0.0.1', { servername: '', host: '127.0.0.1' }, 8443);
    expect((await askOver(socket, question('127.0.0.1:8443'))).status).toBe(200);
    await expect(through('127.0.0.1', { servername: 'api.openai.com' }, 8443)).rejects.toThrow(
      /unrecognized/,
    );
  });

  test('several calls go over one connection', async () => {
    const socket = await through('api.openai.com');
    const first = await askOver(socket, question('api.openai.com'));
    const second = await askOver(socket, question('API.openai.com:443'));
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(decisionIdOf(first.head)).not.toBe(decisionIdOf(second.head));
  });

  test('an absolute target over plain http means the upstream of that host', async () => {
    const { host } = new URL(openai.url);
    const answer = await exchange(behind.forwardUrl, question(host, `${openai.url}/v1/chat/completions`));
    expect(answer.body.toString()).toBe(chatText('Hello.'));
    expect(heard()[0]?.target).toBe('/v1/chat/completions');
    expect((await behind.sidecar.ada.lastDecision()).operation).toBe('chat.completions');
    // RFC 9112 section 3.2.1: where there is no path, it is `/`.
    await exchange(behind.forwardUrl, question(host, `${openai.url}?limit=2`));
    expect(heard()[1]?.target).toBe('/?limit=2');
  });
});

describe('CONNECT to a host that is no upstream', () => {
  test.each([
    'example.com:443',
    'api.openai.com:8443',
    'sub.api.openai.com:443',
    'openai.com:443',
    '127.0.0.1:443',
    '[::1]:443',
    '[::ffff:127.0.0.1]:443',
    'localhost:22',
    '169.254.169.254:80',
    'metadata.google.internal:80',
    '2130706433:443',
    '0x7f.1:443',
    '127.1:443',
    'api.openai.com',
    'user@api.openai.com:443',
    'https://api.openai.com:443',
  ])('%s is refused with 403 and its reason, and recorded', async (target) => {
    const { status, head, body } = await connectAnswer(behind.forwardUrl, target);
    expect(status).toBe(403);
    expect(head.split('\r\n')[0]).toBe('HTTP/1.1 403 Holdpoint does not let this host through');
    expect(body.toString()).toMatch(
      /is no configured upstream|No host can be made out|is a configured upstream's host/,
    );
    const last = await behind.sidecar.ada.lastDecision();
    expect(last.entries[0]?.data).toMatchObject({
      method: 'CONNECT',
      operation: 'tunnel',
      recorded: false,
      rules: ['holdpoint:other-host'],
      upstream: '',
      verdict: 'deny',
    });
    expect(await behind.sidecar.ada.outcomeOf(last.id)).toBe('denied');
  });

  test('is refused to this machine also where others pass', async () => {
    const { forwardUrl, sidecar } = await start({ proxy: { others: 'pass' } });
    const { port } = new URL(openai.url);
    expect((await connectAnswer(forwardUrl, `127.0.0.1:${port}`)).status).toBe(403);
    const opened = openThrough(forwardUrl, 'localhost', {}, Number(port));
    await expect(opened).rejects.toThrow(/unrecognized name/);
    const last = await sidecar.ada.lastDecision();
    expect(last.entries[0]?.data).toMatchObject({
      path: `localhost:${port}`,
      verdict: 'pass',
      recorded: false,
    });
    expect(await sidecar.ada.outcomeOf(last.id)).toBe('upstream_error');
    const request = question(`localhost:${port}`, `http://localhost:${port}/v1/models`);
    expect((await exchange(forwardUrl, request)).status).toBe(403);
    const plain = await sidecar.ada.lastDecision();
    expect(plain.entries[0]?.data).toMatchObject({ method: 'POST', verdict: 'pass', recorded: false });
    expect(await sidecar.ada.outcomeOf(plain.id)).toBe('upstream_error');
    expect(heard()).toEqual([]);
  });

  test('is refused in TLS that comes in one piece with CONNECT, too', async () => {
    const client = await connectRaw(behind.forwardUrl);
    const connect = 'CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n';
    client.send(Buffer.concat([Buffer.from(connect), helloWith([sni(nameEntry('example.com'))])]));
    await client.ended;
    const unrecognizedName = 112;
    expect(client.received().subarray(-7)).toEqual(Buffer.of(0x15, 3, 3, 0, 2, 2, unrecognizedName));
  });

  test('is refused where that cannot be sealed, and what reached the disk says why', async () => {
    const { forwardUrl, sidecar } = await start();
    const { seal } = sidecar.sidecar.ledger;
    vi.spyOn(sidecar.sidecar.ledger, 'seal').mockImplementationOnce((draft) => {
      const away = new HoldpointError('ledger_unavailable', 'The ledger cannot be written.');
      const sealed = seal(draft);
      return { ...sealed, durable: sealed.durable.then(() => Promise.reject(away)) };
    });
    expect((await connectAnswer(forwardUrl, 'example.com:443')).status).toBe(503);
    const { id } = await sidecar.ada.lastDecision();
    expect(await sidecar.ada.outcomeOf(id)).toBe('ledger_unavailable');
  });

  test('is refused with Encrypted Client Hello, which may mean another host, also where others pass', async () => {
    const { forwardUrl, sidecar } = await start({ proxy: { others: 'pass' } });
    const client = await connectRaw(forwardUrl);
    client.send('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n');
    await client.until('\r\n\r\n');
    client.send(helloWith([sni(nameEntry('example.com')), encryptedHello]));
    await client.ended;
    const { entries } = await sidecar.ada.lastDecision();
    expect(entries[0]?.data).toMatchObject({
      path: 'example.com:443',
      rules: ['holdpoint:hidden-host'],
      verdict: 'deny',
    });
  });

  test.each([
    { what: 'denies', policy: denyUnlistedModels },
    { what: 'would hold, which a tunnel cannot wait for,', policy: holdUnlistedModels },
  ])('is refused where others pass if a rule $what', async ({ policy }) => {
    const { forwardUrl, sidecar } = await start({ policy, proxy: { others: 'pass' } });
    await expect(openThrough(forwardUrl, 'example.com', {})).rejects.toThrow(/access denied/);
    const { entries } = await sidecar.ada.lastDecision();
    expect(entries[0]?.data).toMatchObject({ rules: ['the-rule'], verdict: 'deny' });
  });
});

describe('a connection that names two hosts', () => {
  test.each([
    { what: 'another configured host', servername: 'api.anthropic.com' },
    { what: 'an unknown host', servername: 'example.com' },
    { what: 'no host', servername: '' },
  ])('in CONNECT and, in TLS, $what is refused and recorded', async ({ servername }) => {
    await expect(through('api.openai.com', { servername })).rejects.toThrow(/unrecognized name/);
    const last = await behind.sidecar.ada.lastDecision();
    expect(last.entries[0]?.data).toMatchObject({ path: 'api.openai.com:443', verdict: 'deny' });
    expect(await behind.sidecar.ada.outcomeOf(last.id)).toBe('denied');
  });

  test.each([
    { what: 'another Host', request: question('api.anthropic.com') },
    { what: 'Host with another port', request: question('api.openai.com:8443') },
    { what: 'two Hosts', request: question('api.openai.com\r\nHost: api.anthropic.com') },
    { what: 'an empty Host', request: question('') },
    {
      what: 'an absolute target elsewhere',
      request: question('api.openai.com', 'https://api.anthropic.com/v1/messages'),
    },
  ])('in CONNECT and, in a request, $what is refused, and nothing goes out', async ({ request }) => {
    const socket = await through('api.openai.com');
    expect((await askOver(socket, request)).status).toBe(400);
    expect(heard()).toEqual([]);
  });

  test('in an absolute target and in Host is refused, and nothing goes out', async () => {
    const request = question('api.openai.com', `${openai.url}/v1/chat/completions`);
    expect((await exchange(behind.forwardUrl, request)).status).toBe(400);
    expect(heard()).toEqual([]);
  });

  test('cannot hide a tunnel in a tunnel', async () => {
    const socket = await through('api.openai.com');
    const answer = await askOver(socket, 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n');
    expect(answer.status).toBe(400);
  });
});

describe('TLS', () => {
  test('ends with HTTP/1.1 where the client has the choice, and with nothing unknown', async () => {
    const both = await through('api.openai.com', { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(both.alpnProtocol).toBe('http/1.1');
    await expect(through('api.openai.com', { ALPNProtocols: ['spdy/3'] })).rejects.toThrow(
      /no application protocol/,
    );
  });

  test('older than 1.2 is not spoken', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' };
    await expect(through('api.openai.com', old)).rejects.toThrow(/protocol version/);
  });

  test('is not accepted by a client that does not trust the authority', async () => {
    await expect(through('api.openai.com', { ca: [] })).rejects.toThrow(/unable to verify|self.signed/);
  });

  test.each([
    { when: 'after CONNECT was answered', separately: true },
    { when: 'in one packet with CONNECT', separately: false },
  ])('that is none is refused and recorded: $when', async ({ separately }) => {
    const client = await connectRaw(behind.forwardUrl);
    const head = 'CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n';
    const other = 'GET / HTTP/1.1\r\nHost: api.openai.com\r\n\r\n';
    client.send(separately ? head : head + other);
    await client.until('200 ');
    if (separately) client.send(other);
    await client.ended;
    await waitFor(async () => {
      const { entries } = await behind.sidecar.ada.lastDecision();
      expect(entries[0]?.data).toMatchObject({ path: 'api.openai.com:443', verdict: 'deny' });
    });
    expect(heard()).toEqual([]);
  });
});

describe('the port of the forward proxy', () => {
  test.each([
    { what: 'a plain path', target: '/v1/models' },
    { what: 'an https target', target: 'https://api.openai.com/v1/models' },
  ])('says what it is to a request with $what', async ({ target }) => {
    const answer = await exchange(behind.forwardUrl, rawRequest('GET', target, []));
    const says = expect.stringContaining('This port is a forward proxy');
    expect([answer.status, answer.body.toString()]).toEqual([400, says]);
  });

  test('refuses a plain request to any other host, and records it without its secrets', async () => {
    const answer = await exchange(
      behind.forwardUrl,
      question('example.com', 'http://example.com/x?key=SECRET'),
    );
    expect(answer.status).toBe(403);
    const last = await behind.sidecar.ada.lastDecision();
    expect(last.entries[0]?.data).toMatchObject({ path: 'example.com:80', method: 'POST', verdict: 'deny' });
    expect(JSON.stringify(await behind.sidecar.ada.bodies(last.id))).not.toContain('SECRET');
  });

  test.each([
    ['GET', 'http://ada:s3cret@example.com/there?x=1', 'http://[removed]@example.com/there?x=1'],
    ['CONNECT', 'ada:s3cret@example.com:443', '[removed]@example.com:443'],
  ])('stores no password that stands before a host: %s %s', async (method, target, path) => {
    const client = await connectRaw(behind.forwardUrl);
    client.send(`${method} ${target} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n`);
    await client.ended;
    expect(client.text()).toMatch(/^HTTP\/1.1 403 /);
    const last = await behind.sidecar.ada.lastDecision();
    expect(last.entries[0]?.data).toMatchObject({ method, path });
    expect(JSON.stringify([last, await behind.sidecar.ada.bodies(last.id)])).not.toContain('s3cret');
  });

  test('refuses an upgrade in the clear also where others pass, and records it', async () => {
    const { forwardUrl, sidecar } = await start({ proxy: { others: 'pass' } });
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
    ];
    const request = rawRequest('GET', 'http://example.com/live', upgrade).replace(
      'Host: sidecar',
      'Host: example.com',
    );
    expect((await exchange(forwardUrl, request)).status).toBe(403);
    const last = await sidecar.ada.lastDecision();
    expect(last.entries[0]?.data).toMatchObject({ path: 'example.com:80', verdict: 'deny' });
    expect(await sidecar.ada.outcomeOf(last.id)).toBe('denied');
  });

  test('keeps Proxy-Authorization to itself: it is neither forwarded nor stored', async () => {
    const { ada } = behind.sidecar;
    const secret = 'Proxy-Authorization: Basic U0VDUkVU';
    const request = question(new URL(openai.url).host, `${openai.url}/v1/chat/completions`);
    await exchange(behind.forwardUrl, request.replace('\r\n\r\n', `\r\n${secret}\r\n\r\n`));
    const passed = await ada.lastDecision();
    await connectAnswer(behind.forwardUrl, 'example.com:443', [secret]);
    const refused = await ada.lastDecision();
    expect(heard()[0]?.head).not.toMatch(/proxy-authorization/i);
    for (const { id } of [passed, refused]) {
      const stored = JSON.stringify(await ada.bodies(id));
      expect(stored).toContain('Proxy-Authorization');
      expect(stored).not.toContain('U0VDUkVU');
    }
  });

  test('is another one than that of base URLs, which takes no CONNECT', async () => {
    const answer = await connectAnswer(behind.sidecar.proxyUrl, 'api.openai.com:443');
    expect([answer.status, answer.head]).toEqual([405, expect.stringContaining('see proxy.forward')]);
  });

  test('closes with the sidecar at once, connections that wait for nothing included', async () => {
    const { forwardUrl, redirectedTo, ca, sidecar } = await start({ limits: { drainMsMax: 60_000 } });
    const silent = await connectRaw(`http://${redirectedTo}`);
    const client = await connectRaw(forwardUrl);
    client.send('CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n');
    await client.until('200 ');
    const idle = await openThrough(forwardUrl, 'api.openai.com', { ca });
    const closed = new Promise<void>((resolve) => idle.once('close', () => resolve()));
    const from = performance.now();
    await sidecar.stop();
    await Promise.all([client.ended, silent.ended, closed]);
    // Nobody waits for the ten seconds that such connections have to say what they are.
    expect(performance.now() - from).toBeLessThan(5_000);
    await expect(connectRaw(forwardUrl)).rejects.toThrow(/ECONNREFUSED/);
  });
});
