/** The OpenAPI description is what the server does: every route, every answer. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import { callsOf, complaint, type Description, descriptionSchema, explain } from './support/described.ts';
import { machineWith } from './support/failing-machine.ts';
import {
  type Answer,
  type CallInit,
  eventually,
  type House,
  nextHold,
  outcomeOf,
  readText,
  startHouse,
} from './support/sidecar.ts';

let house: House;
let description: Description;
/** Erasures wait for it. */
let disk = Promise.resolve();
/** `GET /path 200` of everything that was driven. */
const driven = new Set<string>();
const routesDir = new URL('../../src/control/routes/', import.meta.url);

beforeAll(async () => {
  const machine = machineWith((store) => ({
    ...store,
    writeUnfinishedFrom: async (seq) => {
      await disk;
      await store.writeUnfinishedFrom(seq);
    },
  }));
  house = await startHouse({
    machine,
    // Nobody listens there: what is told to it waits.
    settings: {
      retention: {
        rules: [
          { id: 'chat', match: { workload: 'chat-agent' }, keepDays: 90, minimumDays: 30 },
          { id: 'books', match: { workload: 'bookkeeping' }, minimumDays: 3650 },
        ],
        exemptions: [{ id: 'claims', match: { model: 'gpt-4.1' }, bases: ['objection'] }],
      },
      notify: {
        giveUpAfterMs: 1_000,
        to: {
          away: {
            kind: 'email',
            host: '127.0.0.1',
            port: 9,
            tls: 'none',
            from: 'a@example.com',
            to: ['b@example.com'],
            events: ['expired'],
          },
        },
      },
    },
  });
  description = descriptionSchema.parse((await house.call('/openapi.json', { as: null })).json);
});
afterAll(() => house.close());

async function drive(call: string, path: string, init: CallInit = {}): Promise<Answer> {
  const answer = await house.call(path, { method: call.split(' ')[0] ?? 'GET', ...init });
  driven.add(`${call} ${answer.status}`);
  expect(complaint(description, call, answer)).toBe('');
  return answer;
}

describe('the description', () => {
  it('is OpenAPI 3.1', () => {
    expect(description.openapi).toMatch(/^3\.1\.\d+$/);
    expect(Object.keys(description.components.securitySchemes)).toEqual(['token']);
  });

  it('has every path that a route file of the server has, and no other', () => {
    const files = readdirSync(routesDir).map((name) => readText(new URL(name, routesDir).pathname));
    const served = files.flatMap((text) =>
      [...text.matchAll(/\bpath: '(\/[^']*)'/g)].map(([, path]) => path),
    );
    expect(served.length).toBeGreaterThan(10);
    expect(Object.keys(description.paths).sort()).toEqual([...new Set([...served, '/'])].sort());
  });

  it('names each operation once', () => {
    const ids = Object.values(description.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says of each operation who may call it', () => {
    for (const path of Object.values(description.paths)) {
      for (const operation of Object.values(path)) {
        if (operation.security?.length === 0) expect(operation.description).toContain('No token is needed.');
        else expect(operation.description).toContain(`Roles: ${operation['x-roles']?.join(', ')}.`);
      }
    }
  });

  it('refers only to schemas it has', () => {
    const refs = [...JSON.stringify(description).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(refs.length).toBeGreaterThan(10);
    for (const [, name = ''] of refs) expect(description.components.schemas).toHaveProperty([name]);
  });

  it('gives examples that its own schemas accept', () => {
    let examples = 0;
    for (const [path, operations] of Object.entries(description.paths)) {
      for (const operation of Object.values(operations)) {
        const answers = Object.values(operation.responses).flatMap(({ content }) => Object.values(content));
        const body = Object.values(operation.requestBody?.content ?? {});
        for (const { schema, example } of [...answers, ...body]) {
          if (example === undefined) continue;
          examples += 1;
          expect(explain(description, schema, example, path)).toBe('');
        }
      }
    }
    expect(examples).toBeGreaterThan(8);
  });
});

describe('every answer is as described', () => {
  it('of the probes, the page and the description', async () => {
    for (const path of ['/', '/healthz', '/readyz', '/metrics', '/openapi.json'])
      await drive(`GET ${path}`, path, { as: null });
  });

  it('of who asks, the policy and the checkpoint', async () => {
    for (const path of ['/api/v1/whoami', '/api/v1/policy', '/api/v1/ledger/checkpoint'])
      await drive(`GET ${path}`, path);
    await drive('GET /api/v1/summary', '/api/v1/summary?hours=1');
    await drive('GET /api/v1/summary', '/api/v1/summary?hours=0');
    await drive('GET /api/v1/policy/rules', '/api/v1/policy/rules');
    await drive('GET /api/v1/policy/versions', '/api/v1/policy/versions?limit=1');
    await drive('GET /api/v1/policy/versions/{seq}', '/api/v1/policy/versions/2');
    await drive('GET /api/v1/policy/versions/{seq}', '/api/v1/policy/versions/0');
    const draft = { policy: readText(house.policyFile), reason: 'a look' };
    const backtest = 'POST /api/v1/policy/backtest';
    await drive(backtest, '/api/v1/policy/backtest', { as: 'admin', json: draft });
    await drive(backtest, '/api/v1/policy/backtest', { as: 'admin', json: { ...draft, policy: 'none' } });
    await drive('GET /api/v1/ledger/anchors', '/api/v1/ledger/anchors');
    await drive('GET /checkpoint', '/checkpoint', { as: 'auditor' });
    await drive('GET /api/v1/ledger/entries', '/api/v1/ledger/entries', { as: 'auditor' });
  });

  it('of decisions that were made elsewhere', async () => {
    const report = 'POST /api/v1/decisions:batch';
    const path = '/api/v1/decisions:batch';
    const headers = { 'content-type': 'application/x-ndjson' };
    const line = { id: 'e-1', at: '2026-11-26T08:15:00Z', decider: 'rules', outcome: 'denied', request: 'x' };
    const body = `${JSON.stringify(line)}\nnot JSON\n`;
    await drive(report, path, { as: 'reporter', headers, body });
    await drive(report, path, { as: 'reporter', json: {} });
  });

  it('of proofs and tiles', async () => {
    const as = 'auditor';
    const proofs = '/api/v1/ledger/proofs';
    await drive(`GET ${proofs}/inclusion`, `${proofs}/inclusion?seq=0`, { as });
    await drive(`GET ${proofs}/inclusion`, `${proofs}/inclusion?seq=0&size=2`, { as });
    await drive(`GET ${proofs}/inclusion`, `${proofs}/inclusion`, { as });
    await drive(`GET ${proofs}/inclusion`, `${proofs}/inclusion?seq=9999999`, { as });
    await drive(`GET ${proofs}/consistency`, `${proofs}/consistency?from=1&to=2`, { as });
    await drive(`GET ${proofs}/consistency`, `${proofs}/consistency?from=2&to=1`, { as });
    await drive('GET /tile/{level}/{n}', '/tile/0/000.p/2', { as });
    await drive('GET /tile/{level}/{n}', '/tile/0/x001/000.p/2', { as });
    await drive('GET /tile/entries/{n}', '/tile/entries/000.p/1', { as });
    await drive('GET /tile/entries/{n}', '/tile/entries/000', { as });
  });

  it('of a call that passes', async () => {
    const decision = (await house.ask('What is a hold point?')).headers.get('holdpoint-decision') ?? '';
    await drive('GET /api/v1/decisions', '/api/v1/decisions');
    await drive('GET /api/v1/decisions/{id}', `/api/v1/decisions/${decision}`);
    await drive('GET /api/v1/decisions/{id}/exchange', `/api/v1/decisions/${decision}/exchange`);
    await drive('GET /api/v1/decisions/{id}/body', `/api/v1/decisions/${decision}/body`);
  });

  it('of a hold, shown to a reviewer and to a viewer, and released', async () => {
    const asked = house.ask('transfer 25000 EUR');
    const held = await nextHold(house);
    await drive('GET /api/v1/holds', '/api/v1/holds');
    await drive('GET /api/v1/holds', `/api/v1/holds?id=${held.id}`);
    await drive('GET /api/v1/holds', '/api/v1/holds?after=sideways');
    await drive('GET /api/v1/holds/{id}', `/api/v1/holds/${held.id}`);
    await drive('GET /api/v1/holds/{id}', `/api/v1/holds/${held.id}`, { as: 'viewer' });
    await drive('GET /api/v1/decisions', '/api/v1/decisions');
    const ruling = { verdict: 'release', reason: 'fine', digest: held.digest };
    const path = `/api/v1/holds/${held.id}/rulings`;
    const call = 'POST /api/v1/holds/{id}/rulings';
    await drive(call, path, { json: ruling, as: 'viewer' });
    await drive(call, path, { json: { ...ruling, digest: '0'.repeat(64) } });
    await drive(call, path, { json: ruling });
    await drive(call, path, { json: ruling });
    await drive(call, path, { json: {} });
    await drive(call, path, { json: ruling, as: null });
    await drive(call, path, {
      body: new Uint8Array(4 * 1024 * 1024 + 1),
      headers: { 'content-type': 'application/json' },
    });
    await drive(call, '/api/v1/holds/h-00000000-1/rulings', { json: ruling });
    expect((await asked).status).toBe(200);
    await drive('GET /api/v1/holds/{id}', `/api/v1/holds/${held.id}`);
  });

  it('of what reviewers say about a hold, of who is on it, and of rulings on many', async () => {
    const asked = house.ask('please escalate that');
    const held = await nextHold(house);
    const path = `/api/v1/holds/${held.id}`;
    const comment = 'POST /api/v1/holds/{id}/comments';
    expect((await drive(comment, `${path}/comments`, { json: { text: 'Who is this?' } })).status).toBe(201);
    expect((await drive(comment, `${path}/comments`, { json: { text: ' ' } })).status).toBe(400);
    const assign = 'POST /api/v1/holds/{id}/assignment';
    expect((await drive(assign, `${path}/assignment`, { json: { to: 'reviewer-1' } })).status).toBe(201);
    expect((await drive(assign, `${path}/assignment`, { json: { to: 'nobody-1' } })).status).toBe(400);
    const look = 'POST /api/v1/holds/{id}/looking';
    expect((await drive(look, `${path}/looking`, { json: { here: true } })).status).toBe(200);
    expect((await drive(look, '/api/v1/holds/h-1/looking', { json: { here: true } })).status).toBe(404);
    await drive('GET /api/v1/holds/{id}', path);
    await drive('GET /api/v1/holds/{id}', path, { as: 'viewer' });
    const { json } = await drive('GET /api/v1/holds', '/api/v1/holds?state=pending');
    const page = z.object({ items: z.array(z.looseObject({ contentDigest: z.string() })) }).parse(json);
    const order = { verdict: 'deny', reason: 'no', contentDigest: page.items[0]?.contentDigest };
    const call = 'POST /api/v1/rulings';
    expect(
      (await drive(call, '/api/v1/rulings', { json: { ...order, holds: [held.id, 'h-1'] } })).json,
    ).toMatchObject({ ruled: 1, refused: 1 });
    await asked;
    expect((await drive(comment, `${path}/comments`, { json: { text: 'Late.' } })).status).toBe(409);
    expect((await drive(assign, `${path}/assignment`, { json: { to: '' } })).status).toBe(409);
  });

  it('of a release by one person alone, and its review', async () => {
    const asked = house.ask('delete 7 records');
    const held = await nextHold(house);
    const path = `/api/v1/holds/${held.id}`;
    const json = { verdict: 'release', reason: 'fire', digest: held.digest, breakGlass: true };
    await drive('POST /api/v1/holds/{id}/rulings', `${path}/rulings`, { as: 'admin', json });
    await asked;
    await drive('GET /api/v1/reviews', '/api/v1/reviews?state=open', { as: 'viewer' });
    const review = 'POST /api/v1/holds/{id}/review';
    const finding = { verdict: 'justified', text: 'It burned.' };
    expect((await drive(review, `${path}/review`, { as: 'admin', json: finding })).status).toBe(403);
    expect((await drive(review, `${path}/review`, { json: finding })).status).toBe(201);
    expect((await drive(review, `${path}/review`, { json: finding })).status).toBe(409);
    await drive('GET /api/v1/holds/{id}', path);
    await drive('GET /api/v1/reviews', '/api/v1/reviews');
  });

  it('of who rules in whose stead', async () => {
    const path = '/api/v1/delegations';
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const begun = await drive(`POST ${path}`, path, { json: { to: 'privacy-1', until } });
    expect(begun.status).toBe(201);
    expect((await drive(`POST ${path}`, path, { json: { to: 'privacy-1', until } })).status).toBe(400);
    await drive(`GET ${path}`, path, { as: 'viewer' });
    const { seq } = z.object({ seq: z.number() }).parse(begun.json);
    const end = `POST ${path}/{seq}/end`;
    expect((await drive(end, `${path}/${seq}/end`, { as: 'privacy', json: {} })).status).toBe(403);
    expect((await drive(end, `${path}/${seq}/end`, { json: {} })).status).toBe(200);
    expect((await drive(end, `${path}/${seq}/end`, { json: {} })).status).toBe(404);
  });

  it('of a held request, which has no answer yet', async () => {
    const asked = house.ask('please escalate this');
    const held = await nextHold(house);
    await drive('GET /api/v1/holds', '/api/v1/holds?state=pending&limit=1');
    await drive('GET /api/v1/holds/{id}', `/api/v1/holds/${held.id}`);
    await drive('GET /api/v1/decisions/{id}', `/api/v1/decisions/${held.decisionId}`);
    const ruling = { verdict: 'deny', reason: 'no', digest: held.digest };
    await drive('POST /api/v1/holds/{id}/rulings', `/api/v1/holds/${held.id}/rulings`, { json: ruling });
    await asked;
    await drive('GET /api/v1/decisions/{id}/body', `/api/v1/decisions/${held.decisionId}/body`);
  });

  it('of legal holds and erasures', async () => {
    const decision = (await house.ask('What is erased?')).headers.get('holdpoint-decision') ?? '';
    await outcomeOf(house, decision);
    const scope = { decision };
    const holds = 'POST /api/v1/legal-holds';
    const placed = await drive(holds, '/api/v1/legal-holds', {
      as: 'privacy',
      json: { scope, reason: 'a case' },
    });
    const { id } = z.object({ id: z.string() }).parse(placed.json);
    await drive('GET /api/v1/legal-holds', '/api/v1/legal-holds', { as: 'auditor' });
    const lift = 'POST /api/v1/legal-holds/{id}/lift';
    await drive(lift, `/api/v1/legal-holds/${id}/lift`, { as: 'admin', json: { reason: 'closed' } });
    await drive(lift, `/api/v1/legal-holds/${id}/lift`, { as: 'admin', json: { reason: 'closed' } });
    await drive(holds, '/api/v1/legal-holds', { as: 'reviewer', json: { scope, reason: 'a case' } });
    const start = 'POST /api/v1/erasures';
    const order = { basis: 'objection', reason: 'request 1', scope };
    const pathOf = ({ json }: Answer) => `/api/v1/erasures/${z.object({ id: z.string() }).parse(json).id}`;
    const slow = Promise.withResolvers<void>();
    disk = slow.promise;
    const stopped = pathOf(await drive(start, '/api/v1/erasures', { as: 'privacy', json: order }));
    const stop = 'POST /api/v1/erasures/{id}/stop';
    const because = { as: 'privacy', json: { reason: 'a mistake' } } as const;
    expect((await drive(stop, `${stopped}/stop`, because)).json).toMatchObject({ stoppedBy: 'privacy-1' });
    slow.resolve();
    const path = pathOf(await drive(start, '/api/v1/erasures', { as: 'privacy', json: order }));
    await eventually(async () => {
      const { json } = await drive('GET /api/v1/erasures/{id}', path, { as: 'privacy' });
      return z.object({ state: z.string() }).parse(json).state === 'done';
    });
    const late = await drive(stop, `${path}/stop`, because);
    expect(late.json).toMatchObject({ status: 409, code: 'erasure_ended' });
    await drive('GET /api/v1/erasures', '/api/v1/erasures', { as: 'auditor' });
    await drive('GET /api/v1/erasures', '/api/v1/erasures', { as: 'viewer' });
    await drive(start, '/api/v1/erasures', { as: 'privacy', json: { ...order, scope: { match: {} } } });
    await drive('GET /api/v1/decisions/{id}', `/api/v1/decisions/${decision}`);
    const body = 'GET /api/v1/decisions/{id}/body';
    expect((await drive(body, `/api/v1/decisions/${decision}/body`)).status).toBe(410);
  });

  it('of retention', async () => {
    await drive('GET /api/v1/retention', '/api/v1/retention', { as: 'auditor' });
    const look = 'POST /api/v1/retention/{rule}/dry-run';
    const statuses = [];
    for (const rule of ['chat', 'books', 'nope'])
      statuses.push((await drive(look, `/api/v1/retention/${rule}/dry-run`, { as: 'privacy' })).status);
    expect(statuses).toEqual([202, 400, 404]);
  });

  it('of changes of keys', async () => {
    const call = 'POST /api/v1/keys';
    const answers = [];
    for (const action of ['rotate', 'epoch']) {
      answers.push(await drive(call, '/api/v1/keys', { as: 'admin', json: { action, reason: 'yearly' } }));
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const { kek } = z.object({ kek: z.string() }).parse(answers[0]?.json);
    const retire = { action: 'retire', reason: 'gone', kek };
    expect((await drive(call, '/api/v1/keys', { as: 'admin', json: retire })).status).toBe(200);
    // It is none of an earlier epoch any more.
    expect((await drive(call, '/api/v1/keys', { as: 'admin', json: retire })).status).toBe(400);
    expect((await drive(call, '/api/v1/keys', { as: 'auditor', json: retire })).status).toBe(403);
  });

  it('keys of reviewers', async () => {
    const path = '/api/v1/reviewer-keys';
    const made = writeReviewerKey(join(house.directory, 'described.pem'));
    const key = made.publicKey;
    const possession = made.possession(`holdpoint/${house.sidecar.ledger.id}`, 'reviewer-1');
    const json = { owner: 'reviewer-1', key, possession, reason: 'first key' };
    expect((await drive(`POST ${path}`, path, { json })).status).toBe(201);
    expect((await drive(`POST ${path}`, path, { json })).status).toBe(403);
    expect((await drive(`GET ${path}`, path)).status).toBe(200);
    const gone = { key, reason: 'lost' };
    expect((await drive(`POST ${path}/withdraw`, `${path}/withdraw`, { json: gone })).status).toBe(200);
    expect((await drive(`POST ${path}/withdraw`, `${path}/withdraw`, { json: gone })).status).toBe(404);
  });

  it('of messages to receivers, which are tried, given up and sent again', async () => {
    const path = '/api/v1/notifications';
    const test = `POST ${path}/test`;
    const tried = await drive(test, `${path}/test`, { as: 'admin', json: { receiver: 'away' } });
    expect((await drive(test, `${path}/test`, { as: 'admin', json: { receiver: 'none' } })).status).toBe(404);
    const { id } = z.object({ id: z.string() }).parse(tried.json);
    await eventually(async () => {
      const { json } = await drive(`GET ${path}`, `${path}?state=dead`, { as: 'auditor' });
      return z.object({ total: z.number() }).parse(json).total === 1;
    });
    const replay = `POST ${path}/replay`;
    expect((await drive(replay, `${path}/replay`, { as: 'admin', json: { id } })).status).toBe(202);
    expect((await drive(replay, `${path}/replay`, { as: 'admin', json: { id: 'none' } })).status).toBe(404);
  });

  it('of every type of entry that all this sealed', async () => {
    const { json } = await drive('GET /api/v1/ledger/entries', '/api/v1/ledger/entries?limit=1000', {
      as: 'auditor',
    });
    const { items } = z.object({ items: z.array(z.object({ type: z.string() })) }).parse(json);
    expect(new Set(items.map(({ type }) => type))).toEqual(
      new Set([
        'genesis',
        'start',
        'policy',
        'request',
        'response',
        'hold',
        'ruling',
        'delivery',
        'access',
        'erasure',
        'key',
      ]),
    );
  });

  it('of refusals: no token, a wrong role, a wrong parameter, nothing there', async () => {
    for (const call of callsOf(description)) {
      const [method = '', path = ''] = call.split(' ');
      const operation = description.paths[path]?.[method.toLowerCase()];
      if (operation?.security?.length === 0) continue;
      const real = path.replace('{id}', 'd-00000000-1');
      const json = method === 'POST' ? { json: {} } : {};
      expect((await drive(call, real, { as: null, ...json })).status).toBe(401);
      expect((await drive(call, `${real}?colour=red`, { as: 'admin', ...json })).status).toBe(400);
      if (path.includes('{id}')) expect((await drive(call, real, { as: 'admin', ...json })).status).toBe(404);
      if (operation?.['x-roles']?.includes('viewer') === false)
        expect((await drive(call, real, { as: 'viewer', ...json })).status).toBe(403);
    }
  });

  it('of events', async () => {
    const call = 'GET /api/v1/events';
    const response = await fetch(`${house.sidecar.controlUrl}/api/v1/events`, {
      headers: { authorization: `Bearer ${house.tokens.viewer}` },
    });
    driven.add(`${call} ${response.status}`);
    const chunks = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const first = await chunks?.read();
    expect(
      complaint(description, call, {
        ...response,
        status: 200,
        headers: response.headers,
        text: first?.value ?? '',
      }),
    ).toBe('');
    const event = description.components.schemas['HoldEvent'] ?? {};
    const asked = house.ask('transfer 1 EUR');
    // Comments come by themselves between events.
    const data = await eventually(async () => /^data: (.+)$/m.exec((await chunks?.read())?.value ?? '')?.[1]);
    expect(explain(description, event, JSON.parse(data), 'event')).toBe('');
    await chunks?.cancel();
    const held = await nextHold(house);
    const ruling = { verdict: 'release', digest: held.digest };
    await house.call(`/api/v1/holds/${held.id}/rulings`, { json: ruling });
    await eventually(() => asked);
  });

  it('and every success that is described was driven', () => {
    const successes = Object.entries(description.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.keys(responses)
          .filter((status) => status < '300')
          .map((status) => `${method.toUpperCase()} ${path} ${status}`),
      ),
    );
    expect(successes.length).toBeGreaterThan(15);
    for (const success of successes) expect([...driven]).toContain(success);
  });
});
