/** Service accounts on the control port. What answers for the cluster is a server of the test's, see support/cluster.ts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createServiceAccounts } from '../../src/control/sign-in/kubernetes.ts';
import { type Authority, makeAuthority } from '../support/certificates.ts';
import { type Cluster, serviceAccountToken, startCluster } from '../support/cluster.ts';
import { accessOf } from './support/access.ts';
import { type House, startHouse } from './support/sidecar.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdpoint-kubernetes-'));
const credentials = join(directory, 'serviceaccount');
const bot = 'system:serviceaccount:ops:bot';
const whoami = '/api/v1/whoami';

let authority: Authority;
let cluster: Cluster;
let house: House;

beforeAll(async () => {
  authority = makeAuthority(directory, 'cluster');
  cluster = await startCluster(
    authority.issue({ subject: '/CN=apiserver', alternativeNames: 'IP:127.0.0.1' }),
  );
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'token'), 'the-sidecars-own\n');
  writeFileSync(join(credentials, 'ca.crt'), authority.certificate);
  writeFileSync(join(credentials, 'namespace'), 'agents');
  const { hostname, port } = new URL(cluster.url);
  house = await startHouse({
    settings: { control: { listen: '127.0.0.1:0', kubernetes: { credentials } } },
    env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
  });
});
afterAll(async () => {
  await house.close();
  await cluster.close();
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  cluster.tokens.clear();
  cluster.bindings.clear();
  cluster.denials.clear();
  cluster.asked.splice(0);
  cluster.broken = null;
});

/** A token that the cluster knows, with what it says of it. */
function knownToken(status: object = {}, claims: object = {}): string {
  const token = serviceAccountToken(claims);
  const user = { username: bot, uid: 'u-1', groups: ['system:serviceaccounts'], extra: { 'x/pod': ['p'] } };
  cluster.tokens.set(token, { authenticated: true, audiences: ['holdpoint'], user, ...status });
  return token;
}

const ask = (token: string) => house.call(whoami, { token });

describe('a service account', () => {
  it('has the name that the cluster gives it and the role that RBAC lets it use', async () => {
    cluster.bindings.add(`${bot} reviewer`);
    expect((await ask(knownToken())).json).toMatchObject({ name: `kubernetes:${bot}`, role: 'reviewer' });
  });

  it('is asked about with the sidecar’s own token, the audience, and one role after another', async () => {
    cluster.bindings.add(`${bot} auditor`);
    const token = knownToken();
    await ask(token);
    const [review, ...access] = cluster.asked;
    expect(review).toEqual({
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      authorization: 'Bearer the-sidecars-own',
      spec: { token, audiences: ['holdpoint'] },
    });
    expect(access.map(({ spec }) => spec)).toEqual(
      ['admin', 'privacy', 'auditor'].map((name) => ({
        user: bot,
        uid: 'u-1',
        groups: ['system:serviceaccounts'],
        extra: { 'x/pod': ['p'] },
        resourceAttributes: {
          namespace: 'agents',
          verb: 'use',
          group: 'holdpoint.dev',
          resource: 'roles',
          name,
        },
      })),
    );
  });

  it('is on the record at its first use', async () => {
    cluster.bindings.add(`${bot} viewer`);
    await ask(knownToken());
    const entry = {
      action: 'sign in',
      by: `kubernetes:${bot}`,
      from: '127.0.0.1',
      grant: 'use roles/viewer',
    };
    await expect
      .poll(() => accessOf(house), { timeout: 10_000 })
      .toContainEqual({ ...entry, role: 'viewer', via: 'kubernetes' });
  });

  it('is asked about once for many calls, at the same time or after each other', async () => {
    cluster.bindings.add(`${bot} admin`);
    const token = knownToken();
    await Promise.all([ask(token), ask(token), ask(token)]);
    await ask(token);
    expect(cluster.asked.length).toBe(2);
  });

  it.each([
    ['that the cluster does not know', { authenticated: false }],
    ['that was made for the cluster itself', { audiences: [] }],
    ['of a cluster that knows of no audiences', { audiences: undefined }],
    ['that was made for others', { audiences: ['vault'] }],
    ['of a person', { user: { username: 'ada', groups: ['system:masters'] } }],
    ['of nobody', { user: undefined }],
    ['of a name that is none', { user: { username: 'system:serviceaccount:ops:bot\nadmin' } }],
  ])('%s is refused', async (_, status) => {
    for (const role of ['admin', 'viewer']) cluster.bindings.add(`${bot} ${role}`);
    expect((await ask(knownToken(status))).status).toBe(401);
  });

  it('does not get a role that anything denies it', async () => {
    for (const role of ['reviewer', 'viewer']) cluster.bindings.add(`${bot} ${role}`);
    cluster.denials.add(`${bot} reviewer`);
    expect((await ask(knownToken())).json).toMatchObject({ role: 'viewer' });
  });

  it('without a role is refused by name, and that is sealed', async () => {
    expect((await ask(knownToken())).status).toBe(403);
    await expect
      .poll(() => accessOf(house), { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({
          action: 'refused',
          by: `kubernetes:${bot}`,
          code: 'forbidden',
          operation: 'whoami',
          why: 'RBAC lets it use no role',
        }),
      );
  });
});

describe('a token', () => {
  const past = Math.floor(Date.now() / 1000) - 10;
  it.each([
    ['for another audience', { aud: ['vault'] }],
    ['for no audience', { aud: undefined }],
    ['of a person', { sub: 'ada' }],
    ['that is over', { exp: past }],
    ['that never ends', { exp: undefined }],
  ])('%s never leaves the sidecar', async (_, claims) => {
    cluster.bindings.add(`${bot} admin`);
    expect((await ask(knownToken({}, claims))).status).toBe(401);
    expect(cluster.asked).toEqual([]);
  });

  it('of the control port’s own kind never does either', async () => {
    expect((await house.call(whoami, { as: 'viewer' })).status).toBe(200);
    expect(cluster.asked).toEqual([]);
  });
});

describe('a cluster that cannot be asked', () => {
  it.each([
    ['refuses the sidecar', { status: 403, body: '{"kind":"Status"}' }],
    ['answers something else', { status: 201, body: '{"status":{"authenticated":"yes"}}' }],
    ['answers no JSON', { status: 201, body: 'yes' }],
    ['answers without end', { status: 201, body: JSON.stringify('x'.repeat(600 * 1024)) }],
  ])('and %s lets nobody in, and is asked again', async (_, broken) => {
    cluster.bindings.add(`${bot} admin`);
    const token = knownToken();
    cluster.broken = broken;
    const answer = await ask(token);
    expect([answer.status, answer.json]).toEqual([
      503,
      expect.objectContaining({ code: 'sign_in_unavailable' }),
    ]);
    cluster.broken = null;
    expect((await ask(token)).status).toBe(200);
  });
});

describe('what the cluster said', () => {
  function accounts(certificate = authority.certificate, namespace: string | null = 'agents') {
    let nowMs = Date.now();
    const options = {
      server: new URL(cluster.url),
      audience: 'holdpoint',
      roles: [],
      token: () => 'own',
      ca: () => certificate,
      namespace: () => namespace,
    };
    const clock = { nowMs: () => nowMs, monoUs: () => nowMs * 1000 };
    const accountOf = createServiceAccounts(options, clock, async () => undefined);
    const check = (token: string, mayAsk = true) => accountOf(token, '', mayAsk, () => undefined);
    const pass = (ms: number): void => {
      nowMs += ms;
    };
    return { check, pass };
  }

  it('counts for a minute: a role that was taken away is gone then', async () => {
    const { check, pass } = accounts();
    cluster.bindings.add(`${bot} admin`);
    const token = knownToken();
    expect(await check(token)).toMatchObject({ role: 'admin' });
    cluster.bindings.clear();
    pass(59_000);
    expect(await check(token)).toMatchObject({ role: 'admin' });
    pass(1_000);
    await expect(check(token)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it.each([
    ['is nobody’s', () => serviceAccountToken(), 'null'],
    ['may use no role', () => knownToken(), 'forbidden'],
  ])(
    'counts for ten seconds of a token that %s: who lets it in need not wait long',
    async (_, make, first) => {
      const { check, pass } = accounts();
      const token = make();
      const said = () => check(token).then(String, ({ code }: { code: string }) => code);
      expect(await said()).toBe(first);
      knownToken();
      cluster.tokens.set(token, [...cluster.tokens.values()].at(-1));
      cluster.bindings.add(`${bot} viewer`);
      pass(9_999);
      expect(await said()).toBe(first);
      pass(1);
      expect(await check(token)).toMatchObject({ role: 'viewer' });
    },
  );

  it('is of nothing where the sidecar does not know its namespace: no role of another one counts', async () => {
    cluster.bindings.add(`${bot} admin`);
    for (const namespace of [null, ' \n']) {
      const { check } = accounts(authority.certificate, namespace);
      await expect(check(knownToken())).rejects.toMatchObject({ code: 'sign_in_unavailable' });
    }
  });

  it('is asked for by sixteen at once, and others are told to come again', async () => {
    const { check } = accounts();
    cluster.bindings.add(`${bot} admin`);
    const codes = await Promise.all(
      Array.from({ length: 17 }, () => knownToken()).map((token) =>
        check(token).then(
          (caller) => caller?.role,
          ({ code }: { code: string }) => code,
        ),
      ),
    );
    expect(codes).toEqual([...Array.from({ length: 16 }, () => 'admin'), 'sign_in_unavailable']);
    expect(await check(knownToken())).toMatchObject({ role: 'admin' });
  });

  it('does not count beyond the end of the token', async () => {
    const { check, pass } = accounts();
    cluster.bindings.add(`${bot} admin`);
    const token = knownToken({}, { exp: Math.floor(Date.now() / 1000) + 30 });
    expect(await check(token)).toMatchObject({ role: 'admin' });
    pass(31_000);
    expect(await check(token)).toBe(null);
  });

  it('is all that counts for an address that has guessed too often', async () => {
    const { check } = accounts();
    cluster.bindings.add(`${bot} admin`);
    const known = knownToken();
    await check(known);
    const before = cluster.asked.length;
    expect(await check(known, false)).toMatchObject({ role: 'admin' });
    expect(await check(knownToken(), false)).toBe(null);
    expect(cluster.asked.length).toBe(before);
  });

  it('is asked for again of who was let in, however often others of their address have guessed', async () => {
    const { check, pass } = accounts();
    cluster.bindings.add(`${bot} admin`);
    const token = knownToken();
    await check(token);
    pass(60_000);
    expect(await check(token, false)).toMatchObject({ role: 'admin' });
    pass(60_000);
    cluster.broken = { status: 503, body: '' };
    for (let i = 0; i < 2; i += 1)
      await expect(check(token, false)).rejects.toMatchObject({ code: 'sign_in_unavailable' });
    cluster.broken = null;
    expect(await check(token, false)).toMatchObject({ role: 'admin' });
    cluster.tokens.delete(token);
    pass(60_000);
    expect(await check(token, false)).toBe(null);
    const before = cluster.asked.length;
    pass(10_000);
    expect(await check(token, false)).toBe(null);
    expect(cluster.asked.length).toBe(before);
  });

  it('is not believed of a server whose certificate is of another authority', async () => {
    const { check } = accounts(makeAuthority(directory, 'other').certificate);
    await expect(check(knownToken())).rejects.toMatchObject({ code: 'sign_in_unavailable' });
    expect(cluster.asked).toEqual([]);
  });
});

it('does not ask the cluster without end on behalf of who guesses', async () => {
  let status = 0;
  for (let i = 0; i < 60 && status !== 429; i++) ({ status } = await ask(serviceAccountToken()));
  expect(status).toBe(429);
  const before = cluster.asked.length;
  await ask(serviceAccountToken());
  expect(cluster.asked.length).toBe(before);
});
