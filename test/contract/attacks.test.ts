/**
 * The table of attacks on the control port: each against the real process, over its socket. What the port refuses is
 * in the ledger afterwards. SECURITY.md names them.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import { systemRandom } from '../../src/core/clock.ts';
import { type Role, roles } from '../../src/core/roles.ts';
import { type DemoProvider, startDemoProvider } from '../../src/demo/provider.ts';
import { addToken } from '../../src/store/token-file.ts';
import { type Running, runSidecar } from './support/process.ts';
import { eventually, tools, writeHouse } from './support/sidecar.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-attacks-'));
let provider: DemoProvider;
let sidecar: Running;
let host: string;
const tokens = new Map<string, string>();

beforeAll(async () => {
  provider = await startDemoProvider({ port: 0 });
  const { configFile, dataDir } = writeHouse(directory, provider.url, {});
  const people = [...roles.map((role) => [role, role] as const), ['billing-agent', 'reviewer'] as const];
  for (const [name, role] of people) {
    const identity: { name: string; role: Role } = { name, role };
    tokens.set(name, addToken(join(dataDir, 'tokens.json'), identity, Date.now(), systemRandom));
  }
  sidecar = await runSidecar(configFile);
  host = new URL(sidecar.controlUrl).host;
});
afterAll(async () => {
  sidecar.child.kill('SIGTERM');
  expect(await sidecar.exited).toBe(0);
  await provider.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What the socket answers to these bytes; ends when the server ends it. */
async function raw(lines: readonly string[], body = ''): Promise<string> {
  const { hostname, port } = new URL(sidecar.controlUrl);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  socket.write(`${[...lines, 'Connection: close', '', ''].join('\r\n')}${body}`);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('utf8');
}
const statusOf = (answer: string): number => Number(answer.split(' ')[1]);
const tokenOf = (name: string): string => tokens.get(name) ?? '';

async function call(name: string | null, path: string, json?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${sidecar.controlUrl}${path}`, {
    method: json === undefined ? 'GET' : 'POST',
    headers: {
      ...(name === null ? {} : { authorization: `Bearer ${tokenOf(name)}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const body: unknown = await response.json();
  return { status: response.status, body, headers: response.headers };
}

const pageSchema = z.object({ items: z.array(z.looseObject({ id: z.string(), digest: z.string() })) });

/** A held call of the workload; `release` ends it. */
async function held() {
  const caller = fetch(`${sidecar.proxyUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
    body: JSON.stringify({
      model: 'm',
      messages: [{ role: 'user', content: 'Please transfer 25000' }],
      tools,
    }),
  });
  const hold = await eventually(
    async () => pageSchema.parse((await call('reviewer', '/api/v1/holds?state=pending')).body).items[0],
  );
  const path = `/api/v1/holds/${hold.id}/rulings`;
  const ruling = { verdict: 'release', reason: '', digest: hold.digest };
  const release = async (): Promise<void> => {
    expect((await call('reviewer', path, ruling)).status).toBe(201);
    expect((await caller).status).toBe(200);
  };
  return { hold, path, ruling, release };
}

describe('an attack on the control port', () => {
  it('without a token rules nothing, from the network namespace of the workload either', async () => {
    const { path, ruling, release } = await held();
    expect((await call(null, path, ruling)).status).toBe(401);
    const headers = { authorization: 'Bearer sk-test', 'holdpoint-workload': 'reviewer' };
    expect((await call(null, path, ruling, headers)).status).toBe(401);
    await release();
  });

  it('in the wrong role rules nothing', async () => {
    const { path, ruling, release } = await held();
    for (const role of ['viewer', 'auditor', 'privacy', 'admin'])
      expect((await call(role, path, ruling)).status, role).toBe(403);
    await release();
  });

  it('by the requester approves nothing of their own', async () => {
    const { path, ruling, release } = await held();
    expect((await call('billing-agent', path, ruling)).status).toBe(403);
    await release();
  });

  it('with a ruling that was used before, on its own hold or another, is refused', async () => {
    const first = await held();
    await first.release();
    expect((await call('reviewer', first.path, first.ruling)).status).toBe(409);
    const second = await held();
    expect((await call('reviewer', second.path, first.ruling)).status).toBe(409);
    await second.release();
  });

  it('with a forged signature is refused although signatures are not required', async () => {
    const { hold, path, ruling, release } = await held();
    const about = { by: 'reviewer', verdict: 'release', digest: hold.digest, decision: 'd', hold: hold.id };
    const forged = writeReviewerKey(join(directory, 'forger.pem')).signOrder(ruling, {
      ...about,
      policy: '',
      policyVersion: '',
      rules: [],
    });
    const { status, body } = await call('reviewer', path, forged);
    expect([status, z.looseObject({ code: z.string() }).parse(body).code]).toEqual([
      403,
      'signature_invalid',
    ]);
    await release();
  });

  it('by a post from another site is refused, as a form and as a script', async () => {
    const { path, ruling, release } = await held();
    const origin = { origin: 'https://evil.example' };
    expect((await call('reviewer', path, ruling, origin)).status).toBe(403);
    const form = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${tokenOf('reviewer')}`];
    const body = JSON.stringify(ruling);
    const typed = [...form, 'Content-Type: text/plain', `Content-Length: ${body.length}`];
    expect(statusOf(await raw(typed, body))).toBe(400);
    await release();
  });

  it('by DNS rebinding is refused by its Host', async () => {
    const lines = [
      'GET /api/v1/whoami HTTP/1.1',
      'Host: evil.example',
      `Authorization: Bearer ${tokenOf('reviewer')}`,
    ];
    expect(statusOf(await raw(lines))).toBe(403);
  });

  it('by clickjacking finds no page that may be framed', async () => {
    const page = await fetch(sidecar.controlUrl);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(page.headers.get('x-frame-options')).toBe('DENY');
  });

  it('with the token in the URL gets nothing, so that none ends up in a log', async () => {
    expect((await call(null, `/api/v1/whoami?access_token=${tokenOf('reviewer')}`)).status).toBe(401);
  });

  it('by fixing a session finds none: no cookie is set, none counts', async () => {
    const { headers } = await call('reviewer', '/api/v1/whoami');
    expect(headers.get('set-cookie')).toBeNull();
    const cookie = `session=${tokenOf('reviewer')}; token=${tokenOf('reviewer')}`;
    expect((await call(null, '/api/v1/whoami', undefined, { cookie })).status).toBe(401);
  });

  it.each(['/console/../../../etc/passwd', '/console/%2e%2e/%2e%2e/package.json', '/..%2f..%2fetc%2fpasswd'])(
    'by the path %s reads no file',
    async (path) => {
      expect(statusOf(await raw([`GET ${path} HTTP/1.1`, `Host: ${host}`]))).toBe(404);
    },
  );

  it('with a body that is too large is refused before it is read', async () => {
    const lines = ['POST /api/v1/holds/h-00000000-1/rulings HTTP/1.1', `Host: ${host}`];
    const tooLarge = [
      `Authorization: Bearer ${tokenOf('admin')}`,
      'Content-Type: application/json',
      'Content-Length: 99999999',
    ];
    expect([404, 413]).toContain(statusOf(await raw([...lines, ...tooLarge])));
    const keys = ['POST /api/v1/keys HTTP/1.1', `Host: ${host}`];
    expect(statusOf(await raw([...keys, ...tooLarge]))).toBe(413);
  });

  it('that sends its body slowly is cut off', { timeout: 40_000 }, async () => {
    const lines = [
      'POST /api/v1/keys HTTP/1.1',
      `Host: ${host}`,
      `Authorization: Bearer ${tokenOf('admin')}`,
    ];
    const slow = [...lines, 'Content-Type: application/json', 'Content-Length: 100'];
    expect(statusOf(await raw(slow, '{'))).toBe(400);
  });

  it('by guessing is slowed down, and the real token still works', async () => {
    const statuses: number[] = [];
    for (let guess = 0; guess < 40; guess += 1) {
      const authorization = `Bearer hp_${String(guess).padStart(43, 'x')}`;
      statuses.push((await call(null, '/api/v1/whoami', undefined, { authorization })).status);
    }
    expect(statuses.at(-1)).toBe(429);
    expect((await call('reviewer', '/api/v1/whoami')).status).toBe(200);
  });

  it('is in the ledger, with who, what, why and from where, and does not fill it', async () => {
    const schema = z.object({ items: z.array(z.looseObject({ type: z.string(), data: z.looseObject({}) })) });
    const { items } = schema.parse((await call('auditor', '/api/v1/ledger/entries?limit=1000')).body);
    const refused = items.filter(({ data }) => data['action'] === 'refused').map(({ data }) => data);
    expect(refused).toContainEqual({
      action: 'refused',
      by: 'viewer',
      code: 'forbidden',
      count: 1,
      from: '127.0.0.1',
      operation: 'ruleOnHold',
      role: 'viewer',
    });
    // Forty guesses and more, in a window or two.
    expect(refused.length).toBeLessThan(3 * 17);
  });
});
