/** Who gets into the control port and what gets out of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { addToken } from '../../src/store/token-file.ts';
import { openPage } from './support/page.ts';
import { mainFile } from './support/process.ts';
import { type Answer, type House, nextHold, readText, startHouse } from './support/sidecar.ts';

let house: House;
let port: number;

beforeAll(async () => {
  house = await startHouse();
  port = Number(new URL(house.sidecar.controlUrl).port);
});
afterAll(() => house.close());

/** What a socket answers to bytes that no HTTP client would send. */
async function raw(bytes: string | Buffer, options: { end?: boolean } = {}): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  socket.write(bytes);
  if (options.end !== false) socket.end();
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('utf8');
}

const get = (path: string, headers: string) =>
  `GET ${path} HTTP/1.1\r\nconnection: close\r\n${headers}\r\n\r\n`;
const statusOf = (answer: string) => Number(answer.split(' ')[1]);
const bearer = () => `authorization: Bearer ${house.tokens.reviewer}`;

describe('a token', () => {
  it('is needed', async () => {
    const answer = await house.call('/api/v1/whoami', { as: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="holdpoint"');
  });

  it('that is not known is refused', async () => {
    expect((await house.call('/api/v1/whoami', { token: `hp_${'x'.repeat(43)}` })).status).toBe(401);
  });

  it.each(['', 'Basic YTpi', 'Bearer', 'Bearer short', `Bearer ${'x'.repeat(500)}`, 'bearer a b'])(
    'is not read from "%s"',
    async (authorization) => {
      expect((await house.call('/api/v1/whoami', { as: null, headers: { authorization } })).status).toBe(401);
    },
  );

  it('is read whatever the case of the word before it', async () => {
    for (const scheme of ['bearer', 'BEARER']) {
      const headers = { authorization: `${scheme} ${house.tokens.reviewer}` };
      expect((await house.call('/api/v1/whoami', { as: null, headers })).status).toBe(200);
    }
  });

  it('in a URL is refused, even beside a valid one', async () => {
    for (const name of ['token', 'access_token', 'key']) {
      const answer = await house.call(`/api/v1/holds?${name}=${house.tokens.reviewer}`);
      expect(answer.status).toBe(401);
      expect(answer.text).not.toContain(house.tokens.reviewer);
    }
  });

  it('in a URL is refused without a name too, also where none is needed', async () => {
    for (const path of ['/api/v1/holds', '/'])
      expect((await house.call(`${path}?${house.tokens.reviewer}`)).status).toBe(401);
  });

  it('in a URL is told so by the name of what it is in, whatever it looks like', async () => {
    for (const name of ['token', 'access_token'])
      expect((await house.call(`/api/v1/holds?${name}=x`)).status).toBe(401);
  });

  it('made while the sidecar runs works at once', async () => {
    const file = join(house.dataDir, 'tokens.json');
    const token = addToken(file, { name: 'late', role: 'viewer' }, Date.now(), systemRandom);
    expect((await house.call('/api/v1/whoami', { token })).json).toMatchObject({
      name: 'late',
      role: 'viewer',
    });
  });

  it('is kept as a hash only, in a file that only its owner reads', () => {
    const file = join(house.dataDir, 'tokens.json');
    const text = readText(file);
    for (const token of Object.values(house.tokens)) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(token.slice(3, 20));
    }
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('cannot be made twice for one name', () => {
    const file = join(house.dataDir, 'tokens.json');
    expect(() => addToken(file, { name: 'viewer-1', role: 'admin' }, Date.now(), systemRandom)).toThrow(
      'A token for viewer-1 exists already.',
    );
  });

  it('is not lost when processes add tokens at the same time', async () => {
    const names = ['p1', 'p2', 'p3', 'p4'];
    const children = names.map((name) =>
      spawn(process.execPath, [
        mainFile,
        'token',
        'new',
        '--config',
        house.configFile,
        '--name',
        name,
        '--role',
        'viewer',
      ]),
    );
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]));
    expect(codes).toEqual([0, 0, 0, 0]);
    const text = readText(join(house.dataDir, 'tokens.json'));
    for (const name of names) expect(text).toContain(`"name": "${name}"`);
    expect(readdirSync(house.dataDir).filter((name) => /lock|new/.test(name))).toEqual([]);
  });
});

describe('guessing tokens', () => {
  it('gets 429 after some failures in a minute, while a valid token still passes', async () => {
    let last: Answer | undefined;
    for (let i = 0; i < 45 && last?.status !== 429; i++)
      last = await house.call('/api/v1/whoami', { token: `hp_${String(i).padStart(43, 'x')}` });
    expect(last?.status).toBe(429);
    expect(last?.headers.get('retry-after')).toBe('60');
    expect((await house.call('/api/v1/whoami')).status).toBe(200);
  });
});

describe('a role', () => {
  it('viewer reads no content: not of a hold, not of a decision, not in the queue', async () => {
    const asked = house.ask('transfer 100 EUR, says the canary-prompt');
    const held = await nextHold(house);
    const shown = await house.call(`/api/v1/holds/${held.id}`, { as: 'viewer' });
    expect(shown.json).toMatchObject({ exchange: null, headline: 'Transfers need a reviewer' });
    expect((await house.call('/api/v1/holds', { as: 'viewer' })).text).not.toContain('transfer_funds');
    expect((await house.call(`/api/v1/decisions/${held.decisionId}/body`, { as: 'viewer' })).status).toBe(
      403,
    );
    const decision = await house.call(`/api/v1/decisions/${held.decisionId}`, { as: 'viewer' });
    expect(decision.text).not.toContain('canary-prompt');
    const json = { verdict: 'release', digest: held.digest };
    await house.call(`/api/v1/holds/${held.id}/rulings`, { json });
    await asked;
  });

  it('viewer and auditor cannot rule, and learn nothing from an amendment they try', async () => {
    const asked = house.ask('transfer 100 EUR');
    const held = await nextHold(house);
    const amend = {
      verdict: 'amend',
      reason: 'x',
      digest: held.digest,
      amendment: { toolCalls: [{ id: 'no', arguments: {} }] },
    };
    for (const as of ['viewer', 'auditor', 'privacy', 'admin'] as const) {
      const answer = await house.call(`/api/v1/holds/${held.id}/rulings`, { as, json: amend });
      expect(answer.status).toBe(403);
      expect(answer.json).toMatchObject({ detail: 'This hold needs one of the roles: reviewer.' });
    }
    await house.call(`/api/v1/holds/${held.id}/rulings`, {
      json: { verdict: 'release', digest: held.digest },
    });
    await asked;
  });

  it('reviewer does not read the ledger, auditor does; proofs are for both', async () => {
    for (const proof of ['inclusion?seq=0', 'consistency?from=1'])
      expect((await house.call(`/api/v1/ledger/proofs/${proof}`, { as: 'reviewer' })).status).toBe(200);
    const tiles = ['/checkpoint', '/tile/0/000.p/1', '/tile/entries/000.p/1'];
    for (const path of ['/api/v1/ledger/entries', ...tiles]) {
      expect((await house.call(path, { as: 'reviewer' })).status).toBe(403);
      expect((await house.call(path, { as: 'auditor' })).status).toBe(200);
    }
  });

  it('of the requester does not let it rule on its own call', async () => {
    const asked = house.ask('transfer 100 EUR', { headers: { 'holdpoint-workload': 'reviewer-1' } });
    const held = await nextHold(house);
    const path = `/api/v1/holds/${held.id}/rulings`;
    const json = { verdict: 'release', digest: held.digest };
    expect(held['requester']).toBe('reviewer-1');
    const answer = await house.call(path, { json });
    expect(answer.status).toBe(403);
    const token = addToken(
      join(house.dataDir, 'tokens.json'),
      { name: 'other', role: 'reviewer' },
      Date.now(),
      systemRandom,
    );
    expect((await house.call(path, { json, token })).status).toBe(201);
    await asked;
  });
});

describe('a browser of another site', () => {
  it.each(['http://evil.example', 'null', 'https://127.0.0.1.evil.example', 'http://127.0.0.1:1'])(
    'is refused by its Origin %s',
    async (origin) => {
      expect((await house.call('/api/v1/whoami', { headers: { origin } })).status).toBe(403);
    },
  );

  it('is let in under its own origin', async () => {
    const origin = house.sidecar.controlUrl;
    expect((await house.call('/api/v1/whoami', { headers: { origin } })).status).toBe(200);
  });

  it('is refused when it fetches across sites', async () => {
    const answer = await raw(
      get(
        '/api/v1/whoami',
        `host: 127.0.0.1\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: cors\r\n${bearer()}`,
      ),
    );
    expect(statusOf(answer)).toBe(403);
  });

  it.each(['evil.example', 'evil.example:8788', '127.0.0.1.evil.example', 'localhost.evil.example', ''])(
    'is refused when it rebinds the name "%s"',
    async (host) => {
      for (const path of ['/api/v1/whoami', '/'])
        expect(statusOf(await raw(get(path, `host: ${host}\r\n${bearer()}`)))).toBe(403);
    },
  );

  it.each([
    '127.0.0.1',
    '127.0.0.1:8788',
    'localhost:8788',
    '[::1]:8788',
    '10.0.0.7:8788',
    'holdpoint.example.com',
    'HOLDPOINT.example.com:443',
  ])('is let in under the name %s', async (host) => {
    expect(statusOf(await raw(get('/api/v1/whoami', `host: ${host}\r\n${bearer()}`)))).toBe(200);
  });

  it('is no matter to probes, which come under any name', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect(statusOf(await raw(get(path, 'host: evil.example')))).toBe(200);
  });

  it('cannot post a form', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])
      expect(
        (
          await house.call('/api/v1/holds/h-00000000-1/rulings', {
            body: '{}',
            headers: { 'content-type': type },
          })
        ).status,
      ).not.toBe(201);
  });
});

describe('a body', () => {
  let path: string;
  let digest: string;
  let asked: Promise<Response>;
  beforeAll(async () => {
    asked = house.ask('transfer 7 EUR');
    const held = await nextHold(house);
    path = `/api/v1/holds/${held.id}/rulings`;
    digest = held.digest;
  });
  afterAll(async () => {
    await house.call(path, { json: { verdict: 'release', digest } });
    await asked;
  });
  const head = (more: string) =>
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${bearer()}\r\ncontent-type: application/json\r\n${more}\r\n\r\n`;

  it('that says it is too large gets 413 before it is sent', async () => {
    const answer = await raw(head(`content-length: ${4 * 1024 * 1024 + 1}`));
    expect(statusOf(answer)).toBe(413);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  it('that grows too large gets 413', async () => {
    const chunk = `${(1024 * 1024).toString(16)}\r\n${' '.repeat(1024 * 1024)}\r\n`;
    const answer = await raw(`${head('transfer-encoding: chunked')}${chunk.repeat(5)}0\r\n\r\n`);
    expect(statusOf(answer)).toBe(413);
  });

  it('that is cut off rules nothing', async () => {
    await raw(`${head('content-length: 500')}{"verdict":"release"`);
    expect((await house.call(path.replace('/rulings', ''))).json).toMatchObject({ state: 'pending' });
  });

  it.each([
    ['is not JSON', '{"verdict":'],
    ['is no object', '[]'],
    ['has an unknown field', '{"verdict":"release","digest":"DIGEST","force":true}'],
    ['has an unknown verdict', '{"verdict":"approve","digest":"DIGEST"}'],
    ['has no digest', '{"verdict":"release"}'],
    ['has a digest that is none', '{"verdict":"release","digest":"abc"}'],
    ['has a reason that is no text', '{"verdict":"release","digest":"DIGEST","reason":7}'],
    [
      'has a reason that is too long',
      `{"verdict":"release","digest":"DIGEST","reason":"${'x'.repeat(4001)}"}`,
    ],
    ['denies without a reason', '{"verdict":"deny","digest":"DIGEST"}'],
    ['denies with a blank reason', '{"verdict":"deny","digest":"DIGEST","reason":"  "}'],
    [
      'denies with a reason that nobody sees',
      '{"verdict":"deny","digest":"DIGEST","reason":"\u200b\u00ad\u0000"}',
    ],
    ['amends without an amendment', '{"verdict":"amend","digest":"DIGEST","reason":"x"}'],
    ['releases with an amendment', '{"verdict":"release","digest":"DIGEST","amendment":{"text":"x"}}'],
    [
      'nests without end',
      `{"verdict":"amend","digest":"DIGEST","reason":"x","amendment":{"toolCalls":[{"id":"a","arguments":${'['.repeat(100_000)}${']'.repeat(100_000)}}]}}`,
    ],
  ])('that %s gets 400', async (_, body) => {
    const answer = await house.call(path, {
      body: body.replace('DIGEST', digest),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: 'invalid_argument' });
  });

  it('of another content type gets 400', async () => {
    for (const type of ['text/plain', 'application/jsonp', 'multipart/form-data; boundary=x']) {
      const answer = await house.call(path, {
        body: `{"verdict":"release","digest":"${digest}"}`,
        headers: { 'content-type': type },
      });
      expect(answer.json).toMatchObject({ status: 400, detail: 'The body must be application/json.' });
    }
  });
});

describe('a path', () => {
  it.each([
    '/api/v1/holds/../../../etc/passwd',
    '/api/v1/holds/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/console/../../../package.json',
    '/console/%2e%2e/%2e%2e/package.json',
    '/console/..%2f..%2fpackage.json',
    '/console/',
    '/api/v1/holds/h-1',
    '/api/v1/decisions/d-00000000-999999999999999999999',
    '/nothing',
    '//',
    '//127.0.0.1/api/v1/whoami',
    '/\\\\127.0.0.1/api/v1/whoami',
  ])('%s leads nowhere', async (path) => {
    expect(statusOf(await raw(get(path, `host: 127.0.0.1\r\n${bearer()}`)))).toBe(404);
  });

  it.each([
    ['hold', 'holds', 'h'],
    ['decision', 'decisions', 'd'],
  ])('to a %s that is none says so, whatever the id is of', async (what, resource, kind) => {
    const ledger = house.sidecar.ledger.id.slice(0, 8);
    for (const seq of ['0', '999999', 'x']) {
      const answer = await house.call(`/api/v1/${resource}/${kind}-${ledger}-${seq}`);
      expect(answer.json).toMatchObject({
        status: 404,
        code: 'not_found',
        detail: `There is no such ${what} here.`,
        next: `List them with: holdpoint ${resource} list`,
      });
    }
  });

  it('of a request without Host is refused as everything else is', async () => {
    const answer = await raw('GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n');
    expect(statusOf(answer)).toBe(400);
    expect(answer).toContain('content-type: application/problem+json');
    expect(answer).toContain("frame-ancestors 'none'");
  });

  it('that is no path gets 400', async () => {
    expect(statusOf(await raw(get('http://[', 'host: 127.0.0.1')))).toBe(400);
  });

  it('with another method gets 405 and the methods it has', async () => {
    const answer = await house.call('/api/v1/holds', { method: 'DELETE' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each([
    'colour=red',
    'limit=0',
    'limit=-1',
    'limit=1e3',
    'limit=501',
    'limit=',
    'state=open',
    'limit=1&limit=2',
  ])('with the parameter %s gets 400', async (query) => {
    expect((await house.call(`/api/v1/holds?${query}`)).status).toBe(400);
  });
});

describe('every answer', () => {
  const strict = {
    'cache-control': 'no-store',
    'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
  const headersOf = (answer: string) =>
    Object.fromEntries(
      (answer.split('\r\n\r\n')[0] ?? '')
        .split('\r\n')
        .slice(1)
        .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );

  it.each([
    ['200', () => get('/api/v1/whoami', `host: 127.0.0.1\r\n${bearer()}`)],
    ['200', () => get('/', 'host: 127.0.0.1')],
    ['200', () => get('/metrics', 'host: 127.0.0.1')],
    ['401', () => get('/api/v1/whoami?token=x', 'host: 127.0.0.1')],
    ['403', () => get('/api/v1/whoami', `host: evil.example\r\n${bearer()}`)],
    ['404', () => get('/nothing', 'host: 127.0.0.1')],
    ['405', () => 'PUT / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n'],
    ['400', () => 'nonsense\r\n\r\n'],
    ['400', () => get('/', `host: 127.0.0.1\r\nx: ${'y'.repeat(20_000)}`)],
  ])('forbids framing, sniffing and caching: %s', async (status, request) => {
    const answer = await raw(request());
    expect(String(statusOf(answer))).toBe(status);
    expect(headersOf(answer)).toMatchObject(strict);
  });

  it('to HEAD has headers and no body', async () => {
    for (const path of ['/healthz', '/api/v1/holds', '/api/v1/events', '/nothing']) {
      const answer = await raw(
        `HEAD ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n${bearer()}\r\n\r\n`,
      );
      expect(answer.startsWith('HTTP/1.1 ')).toBe(true);
      expect(answer.split('\r\n\r\n')[1]).toBe('');
      expect(headersOf(answer)).toMatchObject(strict);
    }
  });
});

describe('HEAD', () => {
  it('of what is sealed as read is refused, and seals nothing', async () => {
    const caller = house.ask('transfer 20 EUR').then((answer) => answer.text());
    const { id, decisionId, digest } = await nextHold(house);
    const { ledger } = house.sidecar;
    const typesOf = async () =>
      (await ledger.decision(ledger.seqOfId('d', decisionId) ?? -1)).map(({ type }) => type);
    for (const path of [`holds/${id}`, `decisions/${decisionId}/body`, `decisions/${decisionId}/exchange`]) {
      const answer = await house.call(`/api/v1/${path}`, { method: 'HEAD' });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
    }
    expect(await typesOf()).toEqual(['request', 'response', 'hold']);
    await house.call(`/api/v1/holds/${id}/rulings`, { json: { verdict: 'deny', reason: 'No.', digest } });
    await caller;
  });
});

describe('the token file', () => {
  it('that cannot be read lets nobody in, and says nothing of itself to the caller, nor to a session from before', async () => {
    const other = await startHouse();
    try {
      const page = openPage(other.sidecar.controlUrl);
      expect((await page.signIn(other.tokens.reviewer)).status).toBe(201);
      writeFileSync(join(other.dataDir, 'tokens.json'), '{ broken');
      for (const answer of [await other.call('/api/v1/whoami'), await page.send('/api/v1/whoami')]) {
        expect(answer.status).toBe(500);
        expect(answer.text).not.toMatch(/tokens\.json|broken/);
      }
    } finally {
      await other.close();
    }
  });
});
