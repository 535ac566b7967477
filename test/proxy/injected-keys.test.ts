/** Keys that the sidecar holds: workloads need none, providers get the right one, and it is nowhere else. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import OpenAI from 'openai';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeAuthorityCertificate, makeHostCertificate } from '../../src/store/certificate.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { connectRaw, exchange, rawRequest } from '../support/raw-client.ts';
import {
  chunk,
  type RawUpstream,
  startRawUpstream,
  streamHead,
  wholeAnswer,
} from '../support/raw-upstream.ts';
import { makePlace, type Settings, spawnSidecar, startTestSidecar } from '../support/sidecar.ts';
import { createManualTime } from '../support/time.ts';
import { waitFor } from '../support/wait-for.ts';
import { chatRequest, chatText, chatTransfer } from './answers.ts';
import { holdTransfers } from './policies.ts';
import { decisionIdOf } from './rig.ts';

const realKey = 'sk-REAL-0123456789abcdef';
let upstream: RawUpstream;
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-keys-'));
  atEnd(() => rmSync(directory, { recursive: true }));
  upstream = await startRawUpstream(({ body }, answer) =>
    answer.send(
      wholeAnswer(
        '200 OK',
        ['Content-Type: application/json'],
        body.includes('hold me') ? chatTransfer(25_000) : chatText('Hello.'),
      ),
    ),
  );
});
afterEach(endAll);

const settingsWith = (key: Readonly<Record<string, string>>, more: Partial<Settings> = {}): Settings => ({
  upstreams: { openai: { url: upstream.url, protocol: 'openai', mount: '/', key } },
  env: { THE_KEY: realKey },
  ...more,
});
const ask = (url: string, headers: readonly string[], target = '/v1/chat/completions', more = {}) =>
  exchange(url, rawRequest('POST', target, headers, chatRequest(more)));

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}

test('a workload without a key gets through, and its SDK needs no real one', async () => {
  const sidecar = await startTestSidecar(settingsWith({ env: 'THE_KEY' }));
  await ask(sidecar.proxyUrl, []);
  const client = new OpenAI({ apiKey: 'none', baseURL: `${sidecar.proxyUrl}/v1`, maxRetries: 0 });
  await client.chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hi' }] });
  expect(upstream.requests).toHaveLength(2);
  for (const { head } of upstream.requests) {
    expect(head.match(/authorization: .*/gi)).toEqual([`authorization: Bearer ${realKey}`]);
    expect(head).not.toContain('none');
  }
});

test('each family gets its key where it looks for one, and nothing of what the workload sent', async () => {
  const sidecar = await startTestSidecar({
    upstreams: {
      openai: { url: upstream.url, protocol: 'openai', mount: '/', key: { env: 'THE_KEY' } },
      anthropic: { url: upstream.url, protocol: 'anthropic', mount: '/anthropic', key: { env: 'THE_KEY' } },
      gateway: {
        url: upstream.url,
        protocol: 'openai',
        mount: '/gateway',
        key: { env: 'THE_KEY', header: 'x-gateway-key' },
      },
    },
    env: { THE_KEY: realKey },
  });
  const own = ['Authorization: Bearer OWN', 'x-api-key: OWN', 'api-key: OWN', 'X-Goog-Api-Key: OWN'];
  await ask(sidecar.proxyUrl, own, '/v1/chat/completions?key=OWN&plain=kept');
  await ask(sidecar.proxyUrl, own, '/anthropic/v1/elsewhere?key=OWN');
  await ask(sidecar.proxyUrl, own, '/gateway/v1/chat/completions');
  expect(upstream.requests.map(({ target }) => target)).toEqual([
    '/v1/chat/completions?plain=kept',
    '/v1/elsewhere',
    '/v1/chat/completions',
  ]);
  const heads = upstream.requests.map(({ head }) => head);
  for (const head of heads) expect(head).not.toContain('OWN');
  expect(heads.map((head) => head.split('\r\n').filter((line) => line.includes(realKey)))).toEqual([
    [`authorization: Bearer ${realKey}`],
    [`x-api-key: ${realKey}`],
    [`x-gateway-key: ${realKey}`],
  ]);
});

test('what a workload still sends where the configuration says that a key stands is not stored', async () => {
  const sidecar = await startTestSidecar(settingsWith({ env: 'THE_KEY', header: 'x-gateway-key' }));
  const { head } = await ask(sidecar.proxyUrl, ['X-Gateway-Key: OWN', 'X-Other: kept']);
  const seen = JSON.stringify(await sidecar.ada.bodies(decisionIdOf(head)));
  expect(seen).toContain('kept');
  expect(seen).not.toContain('OWN');
});

test('a call stays attributable to the credential that the workload sent', async () => {
  const sidecar = await startTestSidecar(settingsWith({ env: 'THE_KEY' }));
  const callers: unknown[] = [];
  for (const headers of [['Authorization: Bearer one'], ['Authorization: Bearer two'], []]) {
    const { head } = await ask(sidecar.proxyUrl, headers);
    const { entries } = await sidecar.ada.decision(decisionIdOf(head));
    callers.push(entries[0]?.data['caller']);
  }
  expect(callers).toEqual([
    expect.stringMatching(/^[0-9a-f]{16}$/),
    expect.stringMatching(/^[0-9a-f]{16}$/),
    '',
  ]);
  expect(callers[0]).not.toBe(callers[1]);
});

test('the key is in no record, no file, no answer and no error, of calls that pass, are held or fail', async () => {
  const sidecar = await startTestSidecar(settingsWith({ env: 'THE_KEY' }, { policy: holdTransfers }));
  const passed = await ask(sidecar.proxyUrl, ['Authorization: Bearer own']);
  const waiting = ask(sidecar.proxyUrl, [], '/v1/chat/completions', { user: 'hold me' });
  const hold = await sidecar.ada.nextHold();
  await sidecar.ada.rule(hold, { verdict: 'release' });
  const released = await waiting;
  await upstream.close();
  const failed = await ask(sidecar.proxyUrl, []);
  expect([passed.status, released.status, failed.status]).toEqual([200, 200, 502]);
  const answers = [passed, released, failed];
  for (const { head, body } of answers) expect(`${head}${body}`).not.toContain('REAL');
  for (const { head } of answers) {
    const id = decisionIdOf(head);
    const seen = [await sidecar.ada.decision(id), await sidecar.ada.bodies(id)];
    expect(JSON.stringify(seen)).not.toContain('REAL');
  }
  await sidecar.stop();
  const files = filesBelow(sidecar.place.directory);
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) expect(readFileSync(file).includes('REAL'), file).toBe(false);
});

test('a provider that repeats the key does not hand it out, whole or streaming, in headers or in the body', async () => {
  upstream.script(({ head, body }, answer) => {
    const echo = `{"error":{"message":${JSON.stringify(`Bad key: ${/Bearer \S+/.exec(head)?.[0]}`)}}}`;
    if (!body.includes('"stream":true')) {
      const sent = ['Content-Type: application/json', `X-Sent: ${realKey}`];
      answer.send(wholeAnswer(`401 No ${realKey}`, sent, echo));
      return;
    }
    const [first, second] = [echo.slice(0, 40), echo.slice(40)];
    answer.send(`${streamHead}${chunk('data: ')}${chunk(first)}`);
    answer.send(`${chunk(`${second}\n\n`)}${chunk('')}`);
  });
  const sidecar = await startTestSidecar(settingsWith({ env: 'THE_KEY' }));
  const whole = await ask(sidecar.proxyUrl, ['Accept-Encoding: gzip']);
  const streamed = await ask(sidecar.proxyUrl, [], '/v1/chat/completions', { stream: true });
  const stars = '*'.repeat(realKey.length);
  expect(whole.head).toContain(`HTTP/1.1 401 No ${stars}\r\n`);
  expect(whole.head).toContain(`X-Sent: ${stars}`);
  expect(whole.head).not.toContain('REAL');
  for (const { head, body } of [whole, streamed]) {
    expect(body.toString()).toContain(`"Bad key: Bearer ${stars}"`);
    const stored = JSON.stringify(await sidecar.ada.bodies(decisionIdOf(head)));
    expect(stored).toContain(stars);
    expect(stored).not.toContain('REAL');
  }
  expect(upstream.requests[0]?.head).not.toContain('gzip');
});

test('a provider that compresses all the same does not hand it out, and what has no key in it arrives as it came', async () => {
  const sidecar = await startTestSidecar(settingsWith({ env: 'THE_KEY' }));
  const json = ['Content-Type: application/json', 'Content-Encoding: gzip'];
  for (const path of ['/v1/chat/completions', '/v1/elsewhere']) {
    upstream.script((_request, answer) =>
      answer.send(wholeAnswer('401 No', json, gzipSync(`{"error":"Bad key ${realKey}"}`))),
    );
    const repeated = await ask(sidecar.proxyUrl, [], path);
    expect(repeated.status).toBe(502);
    expect(repeated.body.toString()).toContain('may repeat the key');
    const { entries } = await sidecar.ada.decision(decisionIdOf(repeated.head));
    expect(entries.map(({ type }) => type)).not.toContain('response');
    const clean = gzipSync(chatText('Hello.'));
    upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', json, clean)));
    expect((await ask(sidecar.proxyUrl, [], path)).body).toEqual(clean);
    upstream.script((_request, answer) => answer.send(wholeAnswer('200 OK', json, 'not gzip')));
    expect((await ask(sidecar.proxyUrl, [], path)).status).toBe(502);
    // All of it can be unpacked, and not all of it came.
    const cut = wholeAnswer('200 OK', json, Buffer.concat([clean, clean])).subarray(0, -clean.length);
    upstream.script((_request, answer) => {
      answer.send(cut);
      answer.end();
    });
    expect((await ask(sidecar.proxyUrl, [], path)).status).toBe(502);
  }
});

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

test('a provider that refuses a WebSocket does not hand it out, in its words or compressed', async () => {
  const sidecar = await startTestSidecar(settingsWith({ env: 'THE_KEY' }));
  const refused = async (answer: Buffer) => {
    upstream.script((_request, { send, end }) => {
      send(answer);
      end();
    });
    return exchange(sidecar.proxyUrl, rawRequest('GET', '/v1/realtime?model=gpt-realtime', upgrade));
  };
  const told = await refused(wholeAnswer(`401 No ${realKey}`, [`X-Sent: ${realKey}`], `Bad key ${realKey}`));
  const stars = '*'.repeat(realKey.length);
  expect(`${told.head}${told.body}`).toContain(`401 No ${stars}`);
  expect(told.body.toString()).toBe(`Bad key ${stars}`);
  expect(`${told.head}${told.body}`).not.toContain('REAL');
  const stored = JSON.stringify(await sidecar.ada.bodies(decisionIdOf(told.head)));
  expect(stored).not.toContain('REAL');
  const coding = ['Content-Encoding: gzip'];
  const coded = await refused(wholeAnswer('401 No', coding, gzipSync(`Bad key ${realKey}`)));
  expect(coded.status).toBe(502);
  expect(coded.body.toString()).toContain('may repeat the key');
  const clean = gzipSync('No.');
  expect((await refused(wholeAnswer('401 No', coding, clean))).body).toEqual(clean);
});

test('a tunnel does not hand it out, in the handshake, in a refusal or in its frames, and delays nothing', async () => {
  const frame = (text: string): Buffer => Buffer.concat([Buffer.of(0x81, text.length), Buffer.from(text)]);
  const server = createHttpServer();
  server.on('upgrade', (req, socket) => {
    const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`;
    socket.write(`${head}X-Sent: ${req.headers.authorization}\r\nX-Who: M\xfcller\r\n\r\n`, 'latin1');
    socket.write(frame(`ext ${req.headers['sec-websocket-extensions']} key ${realKey}`));
    socket.once('data', () => socket.write(frame('tells')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const tunnelled = {
    url,
    protocol: 'openai',
    mount: '/',
    key: { env: 'THE_KEY' },
    tunnel: ['/v1/live'],
  } as const;
  const sidecar = await startTestSidecar({ upstreams: { openai: tunnelled }, env: { THE_KEY: realKey } });
  const client = await connectRaw(sidecar.proxyUrl);
  client.send(rawRequest('GET', '/v1/live', [...upgrade, 'Sec-WebSocket-Extensions: permessage-deflate']));
  const stars = '*'.repeat(realKey.length);
  await waitFor(() => expect(client.received().toString('latin1')).toContain(`key ${stars}`));
  client.send('anything');
  // Its last letter is the key's first: it must not wait for what may follow.
  await waitFor(() => expect(client.received().toString('latin1')).toContain('tells'));
  const received = client.received().toString('latin1');
  expect(received).toContain(`Bearer ${stars}`);
  expect(received).toMatch(/\r\nx-who: M\xfcller\r\n/i);
  expect(received).toContain('ext undefined');
  expect(received).not.toContain('REAL');
});

test.each([
  { key: { env: 'NOT_SET' }, says: 'upstreams.openai.key: the environment variable NOT_SET holds no key.' },
  {
    key: { file: '/nowhere/key' },
    says: 'upstreams.openai.key: the file /nowhere/key holds no key: no such file or directory (ENOENT).',
  },
])('a key that is missing stops the start: $says', async ({ key, says }) => {
  // Nothing was made yet, so there is no ledger to verify: no place of the tests' own.
  const config = join(directory, 'holdpoint.yaml');
  const dataDir = join(directory, 'data');
  const { upstreams } = settingsWith(key);
  writeFileSync(config, JSON.stringify({ data: { dir: dataDir }, upstreams }));
  const { startSidecar } = await import('../../src/sidecar.ts');
  await expect(startSidecar(config, {})).rejects.toMatchObject({ code: 'config_invalid', message: says });
  expect(readdirSync(directory)).toEqual(['holdpoint.yaml']);
});

test('a file’s new key is used from the next call on, and one that is gone stops the calls', async () => {
  const file = join(directory, 'key');
  writeFileSync(file, 'sk-one\n');
  const time = createManualTime();
  const machine = { clock: time.clock, schedule: time.schedule };
  const sidecar = await startTestSidecar(settingsWith({ file }, { machine }));
  await ask(sidecar.proxyUrl, []);
  writeFileSync(file, 'sk-two\n');
  time.advance(1_000);
  await ask(sidecar.proxyUrl, []);
  rmSync(file);
  time.advance(1_000);
  const refused = await ask(sidecar.proxyUrl, ['Authorization: Bearer own']);
  expect(upstream.requests.map(({ head }) => /Bearer (\S+)/.exec(head)?.[1])).toEqual(['sk-one', 'sk-two']);
  expect([refused.status, refused.body.toString()]).toEqual([
    502,
    expect.stringContaining('holds no key any more'),
  ]);
});

/** A provider over TLS whose certificate is of an authority that nobody knows. */
async function startSecureUpstream(): Promise<{ url: string; caFile: string; authorizations: string[] }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const times = { fromMs: Date.now() - 60_000, untilMs: Date.now() + 3_600_000 };
  const [issuerName, hosts] = ['Test authority', ['localhost']];
  const ca = { key: privateKey, name: issuerName, hosts, serial: Buffer.of(1), ...times };
  const leaf = { host: 'localhost', publicKey, issuerKey: privateKey, issuerName, serial: Buffer.of(2) };
  const caFile = join(directory, 'provider-ca.pem');
  writeFileSync(caFile, makeAuthorityCertificate(ca));
  const authorizations: string[] = [];
  const cert = makeHostCertificate({ ...leaf, ...times });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const server = createServer({ cert, key }, (req, res) => {
    authorizations.push(req.headers.authorization ?? '');
    res.setHeader('content-type', 'application/json').end(chatText('Hello.'));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `https://localhost:${port}`, caFile, authorizations };
}

test('the key goes only to a provider whose certificate is valid', async () => {
  const { url, caFile, authorizations } = await startSecureUpstream();
  const settings = (env: Readonly<Record<string, string>>): Settings => ({
    ...settingsWith({ env: 'THE_KEY' }),
    upstreams: { openai: { url, protocol: 'openai', mount: '/', key: { env: 'THE_KEY' } } },
    env: { THE_KEY: realKey, ...env },
  });
  const place = makePlace(settings({}));
  const strange = await spawnSidecar(settings({ NODE_EXTRA_CA_CERTS: '' }), place);
  expect((await ask(strange.proxyUrl, [])).status).toBe(502);
  expect(authorizations).toEqual([]);
  await strange.kill('SIGTERM');
  const trusting = await spawnSidecar(settings({ NODE_EXTRA_CA_CERTS: caFile }), place);
  expect((await ask(trusting.proxyUrl, [])).status).toBe(200);
  expect(authorizations).toEqual([`Bearer ${realKey}`]);
});
