/** What was begun under a right that ends meanwhile: it goes on no longer than the right. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemRandom } from '../../src/core/clock.ts';
import { type Sidecar, startSidecar } from '../../src/sidecar.ts';
import { addToken, replaceToken, revokeToken } from '../../src/store/token-file.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { connectRaw } from '../support/raw-client.ts';
import { openPage } from './support/page.ts';
import {
  eventually,
  type House,
  nextHold,
  policyText,
  startHouse,
  tools,
  writeHouse,
} from './support/sidecar.ts';

let house: House;
let tokenFile: string;
beforeAll(async () => {
  house = await startHouse();
  tokenFile = join(house.dataDir, 'tokens.json');
});
afterAll(() => house.close());

const grant = (name: string, role: string): string =>
  addToken(tokenFile, { name, role }, Date.now(), systemRandom);
const become = (name: string, role: string): unknown =>
  replaceToken(tokenFile, { name, role }, Date.now(), systemRandom, 'test');
const revoke = (name: string): void => revokeToken(tokenFile, name, 'test', Date.now());

async function events(headers: Record<string, string>) {
  const response = await fetch(`${house.sidecar.controlUrl}/api/v1/events`, { headers });
  expect(response.status).toBe(200);
  const reader = response.body?.getReader();
  await reader?.read();
  return {
    /** Resolves once the sidecar ends the stream, in order or not. */
    over: async (): Promise<void> => {
      for (;;) {
        const next = await reader?.read().catch(() => ({ done: true }));
        if (next === undefined || next.done) return;
      }
    },
  };
}

describe('a stream of events', () => {
  it('ends with the token that it was opened with', async () => {
    const stream = await events({ authorization: `Bearer ${grant('gone', 'viewer')}` });
    revoke('gone');
    await stream.over();
  });

  it('ends where its token is another role’s from now on', async () => {
    const stream = await events({ authorization: `Bearer ${grant('moved', 'auditor')}` });
    const text = readFileSync(tokenFile, 'utf8');
    writeFileSync(tokenFile, text.replace(/("name": "moved",\s*"role": )"auditor"/, '$1"viewer"'));
    await stream.over();
  });

  it('ends with the token that its session was exchanged for, although nothing else is asked of it', async () => {
    const page = openPage(house.sidecar.controlUrl);
    expect((await page.signIn(grant('left', 'viewer'))).status).toBe(201);
    const cookie = [...page.cookies].map((pair) => pair.join('=')).join('; ');
    const stream = await events({
      cookie,
      'holdpoint-session-key': page.key,
      'sec-fetch-site': 'same-origin',
    });
    revoke('left');
    await stream.over();
  });
});

/** Sends all of an order but its last byte, which is sent when told; it has been let in then. */
async function slowly(path: string, token: string, body: string) {
  const client = await connectRaw(house.sidecar.controlUrl);
  const headers = {
    ...{ host: new URL(house.sidecar.controlUrl).host, authorization: `Bearer ${token}` },
    ...{ 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    expect: '100-continue',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  client.send(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  await client.until('100 Continue');
  client.send(body.slice(0, -1));
  return { client, rest: () => client.send(body.slice(-1)) };
}

describe('an order', () => {
  it('counts for nothing where the token ended before it had arrived whole', async () => {
    const caller = house.ask('please transfer 25000');
    const hold = await nextHold(house);
    const token = grant('slow', 'reviewer');
    // Its grant is sealed.
    expect((await house.call('/api/v1/whoami', { token })).status).toBe(200);
    const path = `/api/v1/holds/${hold.id}/rulings`;
    const order = { verdict: 'release', reason: 'mine', digest: hold.digest };
    const { client, rest } = await slowly(path, token, JSON.stringify(order));
    revoke('slow');
    rest();
    await client.until('application/problem+json');
    expect(client.text()).toContain('HTTP/1.1 401');
    client.destroy();
    const json = { verdict: 'deny', reason: 'over', digest: hold.digest };
    expect((await house.call(path, { json })).status).toBe(201);
    await (await caller).text();
  });
});

it('an erasure by who has no right any more when it arrives erases nothing', async () => {
  const asked = await house.ask('a garden');
  await asked.text();
  const decision = asked.headers.get('holdpoint-decision') ?? '';
  const token = grant('eraser', 'privacy');
  expect((await house.call('/api/v1/whoami', { token })).status).toBe(200);
  const order = { scope: { decision }, basis: 'unlawful', reason: 'a claim' };
  const { client, rest } = await slowly('/api/v1/erasures', token, JSON.stringify(order));
  revoke('eraser');
  rest();
  await client.until('application/problem+json');
  expect(client.text()).toContain('HTTP/1.1 401');
  client.destroy();
  expect((await house.call('/api/v1/erasures', { as: 'privacy' })).json).toEqual({ items: [] });
});

it('a report that goes on after the right of its reporter ended is cut off, so that nobody takes it for whole', async () => {
  const token = grant('teller', 'reporter');
  const client = await connectRaw(house.sidecar.controlUrl);
  const headers = [
    `host: ${new URL(house.sidecar.controlUrl).host}`,
    `authorization: Bearer ${token}`,
    'content-type: application/x-ndjson',
    'transfer-encoding: chunked',
  ];
  client.send(`POST /api/v1/decisions:batch HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
  const told = { at: '2026-11-22T10:00:00Z', decider: 'desk', outcome: 'allowed', request: {} };
  let lines = 0;
  // Each is answered once so many are durable, and who may go on is asked about once a second.
  const tellMore = async (): Promise<void> => {
    const some = Array.from({ length: 64 }, () => `${JSON.stringify({ ...told, id: `told-${lines++}` })}\n`);
    const text = some.join('');
    client.send(`${text.length.toString(16)}\r\n${text}\r\n`);
    await client.until(`"told-${lines - 1}"`);
  };
  await tellMore();
  revoke('teller');
  const goesOn = async (): Promise<never> => {
    for (;;) await tellMore();
  };
  await expect(goesOn()).rejects.toThrow('The connection ended');
  expect(client.text()).toContain('HTTP/1.1 200');
  expect(client.text()).not.toContain('"summary"');
  expect(client.text().endsWith('0\r\n\r\n')).toBe(false);
});

describe('an approval that others have yet to join', () => {
  const path = (id: string, what = ''): string => `/api/v1/holds/${id}${what}`;
  const givenOf = async (id: string): Promise<unknown> => (await house.call(path(id))).json;

  it('counts no more once the token of who gave it has ended', async () => {
    const caller = house.ask('delete all records');
    const { id, digest } = await nextHold(house);
    const release = { verdict: 'release', digest };
    const token = grant('mallory', 'reviewer');
    expect((await house.call(path(id, '/rulings'), { token, json: release })).status).toBe(201);
    expect(await givenOf(id)).toMatchObject({ approvals: { needed: 2, given: ['mallory'] } });
    revoke('mallory');
    expect(await givenOf(id)).toMatchObject({ approvals: { needed: 2, given: [] } });
    expect((await house.call(path(id, '/rulings'), { json: release })).status).toBe(201);
    expect(await givenOf(id)).toMatchObject({ state: 'pending', approvals: { given: ['reviewer-1'] } });
    expect((await house.call(path(id, '/rulings'), { as: 'admin', json: release })).status).toBe(201);
    expect(await givenOf(id)).toMatchObject({ state: 'released' });
    await (await caller).text();
    expect((await verifyDirectory(house.dataDir, {})).findings).toEqual([]);
  });

  it('that counts again with the right of who gave it waits for one of those who approved to say so', async () => {
    const caller = house.ask('delete all records');
    const { id, digest } = await nextHold(house);
    const release = { verdict: 'release', digest };
    const token = grant('olga', 'reviewer');
    expect((await house.call(path(id, '/rulings'), { token, json: release })).status).toBe(201);
    become('olga', 'viewer');
    expect((await house.call(path(id, '/rulings'), { json: release })).status).toBe(201);
    // Of the two that are needed one is lacking: who gave the other does not make up for it.
    expect((await house.call(path(id, '/rulings'), { json: release })).status).toBe(409);
    become('olga', 'reviewer');
    // Nothing leaves by itself.
    const both = { needed: 2, given: ['olga', 'reviewer-1'] };
    expect(await givenOf(id)).toMatchObject({ state: 'pending', approvals: both, actions: { release: '' } });
    expect((await house.call(path(id, '/rulings'), { json: release })).status).toBe(201);
    expect(await givenOf(id)).toMatchObject({ state: 'released', approvals: both });
    expect((await caller).status).toBe(200);
    await (await caller).text();
    expect((await verifyDirectory(house.dataDir, {})).findings).toEqual([]);
  });

  it('counts on where the same person has another token that rules', async () => {
    const caller = house.ask('delete all records');
    const { id, digest } = await nextHold(house);
    const release = { verdict: 'release', digest };
    const token = grant('nell', 'reviewer');
    expect((await house.call(path(id, '/rulings'), { token, json: release })).status).toBe(201);
    replaceToken(tokenFile, { name: 'nell', role: undefined }, Date.now(), systemRandom, 'test');
    expect((await house.call(path(id, '/rulings'), { json: release })).status).toBe(201);
    expect(await givenOf(id)).toMatchObject({
      state: 'released',
      approvals: { given: ['nell', 'reviewer-1'] },
    });
    await (await caller).text();
  });
});

const financePolicy = policyText.replace(
  'roles: [reviewer], notRequester: true',
  'roles: [finance, reviewer], breakGlass: { roles: [finance] }',
);
const withFinance = (finance: object) => ({ control: { listen: '127.0.0.1:0', roles: { finance } } });

async function asked(sidecar: Sidecar, token: string, path: string, order?: object) {
  const response = await fetch(`${sidecar.controlUrl}/api/v1${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(order === undefined ? {} : { method: 'POST', body: JSON.stringify(order) }),
  });
  return { status: response.status, text: await response.text() };
}

describe('a role that the configuration says less of after a restart', () => {
  it('rules no more on what was held before, neither by itself, nor alone, nor lent', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdpoint-lesser-role-'));
    const start = (finance: object) => {
      const files = writeHouse(directory, house.provider.url, withFinance(finance));
      writeFileSync(files.policyFile, finance === full ? financePolicy : policyText);
      return startSidecar(files.configFile, {});
    };
    const full = { like: 'reviewer' };
    const before = await start(full);
    const made = (name: string, role: string): string =>
      addToken(join(directory, 'data', 'tokens.json'), { name, role }, Date.now(), systemRandom);
    const [fay, rob] = [made('fay', 'finance'), made('rob', 'reviewer')];
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await asked(before, fay, '/delegations', { to: 'rob', until })).status).toBe(201);
    expect((await asked(before, rob, '/delegations', { to: 'fay', until })).status).toBe(201);
    const caller = fetch(`${before.proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
      body: JSON.stringify({
        model: 'gpt',
        messages: [{ role: 'user', content: 'please transfer 25000' }],
        tools,
      }),
    });
    const held = await eventually(async () => {
      const { items } = heldSchema.parse(JSON.parse((await asked(before, fay, '/holds')).text));
      return items[0];
    });
    const steadsOf = async (sidecar: Sidecar, token: string) => {
      const { text } = await asked(sidecar, token, `/holds/${held.id}`);
      return actionsSchema.parse(JSON.parse(text)).inStead.map(({ name }) => name);
    };
    expect([await steadsOf(before, fay), await steadsOf(before, rob)]).toEqual([['rob'], ['fay']]);
    await before.stop('restart');
    await (await caller).text();

    const after = await start({ permissions: ['see'] });
    const rule = (token: string, more: object) =>
      asked(after, token, `/holds/${held.id}/rulings`, {
        ...{ verdict: 'release', reason: 'as before', digest: held.digest },
        ...more,
      });
    const refused = { status: 403, text: expect.stringContaining('The role finance does not rule.') };
    expect(await rule(fay, {})).toEqual(refused);
    expect(await rule(fay, { breakGlass: true })).toEqual(refused);
    expect(await rule(rob, { inStead: 'fay' })).toEqual(refused);
    expect(await rule(fay, { inStead: 'rob' })).toEqual(refused);
    expect([await steadsOf(after, fay), await steadsOf(after, rob)]).toEqual([[], []]);
    const detail = await asked(after, fay, `/holds/${held.id}`);
    expect(actionsSchema.parse(JSON.parse(detail.text)).actions.release).toContain('does not rule');
    await after.stop('test over');
    rmSync(directory, { recursive: true });
  });
});

const heldSchema = z.object({ items: z.array(z.object({ id: z.string(), digest: z.string() })) });
const actionsSchema = z.object({
  actions: z.object({ release: z.string() }),
  inStead: z.array(z.object({ name: z.string() })),
});
