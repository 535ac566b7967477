/** Signing in at a real OpenID provider, and what becomes of those who are not let in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeReviewerKey } from '../../src/cli/reviewer-key.ts';
import { clientId, type OpenIdProvider, passProvider, startOpenIdProvider } from '../support/oidc.ts';
import { accessOf } from './support/access.ts';
import { type ConsolePage, openPage, type PageAnswer } from './support/page.ts';
import { type House, nextHold, startHouse } from './support/sidecar.ts';

let provider: OpenIdProvider;
let house: House;
let base: string;
const directory = mkdtempSync(join(tmpdir(), 'holdpoint-oidc-'));
const callback = '/sign-in/oidc/callback';

beforeAll(async () => {
  provider = await startOpenIdProvider();
  provider.groups.set('ada', ['staff', 'holdpoint-reviewers']);
  provider.groups.set('both', ['holdpoint-reviewers', 'holdpoint-admins']);
  house = await startOidcHouse(provider);
  base = house.sidecar.controlUrl;
  await provider.register(base + callback);
});
afterAll(async () => {
  await house.close();
  await provider.close();
  rmSync(directory, { recursive: true });
});

async function startOidcHouse({ issuer, clientSecret }: OpenIdProvider): Promise<House> {
  const secretFile = join(directory, 'client-secret');
  writeFileSync(secretFile, `${clientSecret}\n`, { mode: 0o600 });
  const oidc = {
    issuer,
    clientId,
    clientSecret: { file: secretFile },
    label: 'Example ID',
    roles: [
      { group: 'holdpoint-admins', role: 'admin' },
      { group: 'holdpoint-reviewers', role: 'reviewer' },
    ],
  };
  return startHouse({ settings: { control: { listen: '127.0.0.1:0', signIn: { oidc } } } });
}

/** The page asks for the way to the provider. */
async function begin(page: ConsolePage): Promise<URL> {
  const answer = await page.send('/sign-in/oidc', { method: 'POST' });
  expect(answer.status).toBe(200);
  return new URL(z.object({ url: z.string() }).parse(answer.json).url);
}

/** The browser comes back: a navigation from another site, without what a script would add. */
function comeBack(page: ConsolePage, back: URL, method = 'GET'): Promise<PageAnswer> {
  // What is Strict stays behind.
  const lax = [...page.cookies].filter(([name]) => name.startsWith('holdpoint-sign-in'));
  return page.send(back.pathname + back.search, {
    method,
    headers: {
      'holdpoint-session-key': null,
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      cookie: lax.length === 0 ? null : lax.map((pair) => pair.join('=')).join('; '),
    },
  });
}

async function signIn(
  login: string,
  page = openPage(base),
): Promise<{ page: ConsolePage; answer: PageAnswer; back: URL }> {
  const back = await passProvider((await begin(page)).href, login, base + callback);
  return { page, answer: await comeBack(page, back), back };
}

const decisionSchema = z.object({
  entries: z.array(z.looseObject({ type: z.string(), data: z.looseObject({}) })),
});

/** What is sealed of the ruling. */
async function rulingOf(decision: string): Promise<unknown> {
  const { json } = await house.call(`/api/v1/decisions/${decision}`, { as: 'auditor' });
  return decisionSchema.parse(json).entries.find(({ type }) => type === 'ruling')?.data;
}

const whoami = '/api/v1/whoami';

describe('signing in at the provider', () => {
  it('is offered to the console, with the origin where it works', async () => {
    expect((await openPage(base).send('/sign-in')).json).toEqual({
      oidc: { label: 'Example ID', origin: base },
      certificate: false,
    });
  });

  it('asks for a code with PKCE, state and nonce, each made for this sign-in', async () => {
    const [one, other] = [await begin(openPage(base)), await begin(openPage(base))];
    expect(Object.fromEntries(one.searchParams)).toEqual({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: base + callback,
      scope: 'openid profile',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(one.searchParams.get(name)).not.toBe(other.searchParams.get(name));
  });

  it('gives a session whose name is the issuer and the subject', async () => {
    const { page, answer } = await signIn('ada');
    expect([answer.status, answer.headers.location]).toEqual([303, '/']);
    // What the way there needed is gone.
    expect([...page.cookies.keys()]).toEqual([`holdpoint-session-${new URL(base).port}`]);
    expect((await page.send(whoami)).json).toMatchObject({
      name: `oidc:${provider.issuer}#ada`,
      role: 'reviewer',
      display: 'ada of the test',
    });
  });

  it('is sealed with who, as what, why and from where', async () => {
    await signIn('ada');
    await expect
      .poll(() => accessOf(house), { timeout: 10_000 })
      .toContainEqual({
        action: 'sign in',
        by: `oidc:${provider.issuer}#ada`,
        display: 'ada of the test',
        from: '127.0.0.1',
        grant: 'group holdpoint-reviewers',
        role: 'reviewer',
        via: 'oidc',
      });
  });

  it('gives who is in several groups the role of the first that is configured', async () => {
    const { page } = await signIn('both');
    expect((await page.send(whoami)).json).toMatchObject({ role: 'admin' });
  });

  it('lets them lend their role to nobody: that it stands is seen at their sign-in alone', async () => {
    const { page } = await signIn('ada');
    const lent = await page.send('/api/v1/delegations', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ to: 'reviewer', until: new Date(Date.now() + 60_000).toISOString() }),
    });
    expect([lent.status, lent.json]).toMatchObject([
      400,
      { detail: 'A role is lent by somebody who has a control token of it.' },
    ]);
  });

  it('lets them rule, on the record under that name and with what they are called', async () => {
    const { page } = await signIn('ada');
    const asked = house.ask('transfer 100 EUR');
    const held = await nextHold(house);
    const ruled = await page.send(`/api/v1/holds/${held.id}/rulings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ verdict: 'release', digest: held.digest }),
    });
    expect(ruled.status).toBe(201);
    expect((await asked).status).toBe(200);
    const decision = await house.call(`/api/v1/decisions/${held.decisionId}`);
    expect(JSON.stringify(decision.json)).toContain(`"by":"oidc:${provider.issuer}#ada"`);
    expect(await rulingOf(held.decisionId)).toMatchObject({
      by: `oidc:${provider.issuer}#ada`,
      display: 'ada of the test',
      role: 'reviewer',
    });
  });
});

describe('a person of a provider', () => {
  it('enrols a key under the name that is sealed', async () => {
    const { page } = await signIn('ada');
    const key = writeReviewerKey(join(directory, 'ada.pem'));
    const owner = `oidc:${provider.issuer}#ada`;
    const possession = key.possession(`holdpoint/${house.sidecar.ledger.id}`, owner);
    const enrolled = await page.send('/api/v1/reviewer-keys', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ owner, key: key.publicKey, possession, reason: 'first key' }),
    });
    expect([enrolled.status, enrolled.json]).toEqual([201, expect.objectContaining({ owner })]);
  });
});

describe('who comes back', () => {
  it('without a group that has a role is refused by name, and that is sealed', async () => {
    const { page, answer } = await signIn('mallory');
    expect(answer.status).toBe(403);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.text).toContain('in no group that has a role here');
    expect((await page.send(whoami)).status).toBe(401);
    await expect
      .poll(() => accessOf(house), { timeout: 10_000 })
      .toContainEqual({
        action: 'refused',
        by: `oidc:${provider.issuer}#mallory`,
        code: 'forbidden',
        count: 1,
        from: '127.0.0.1',
        operation: 'signInByOidc',
        role: '',
        why: 'in no group that has a role',
      });
  });

  it('after the group was taken away is refused', async () => {
    provider.groups.set('leaver', ['holdpoint-reviewers']);
    expect((await signIn('leaver')).answer.status).toBe(303);
    provider.groups.delete('leaver');
    expect((await signIn('leaver')).answer.status).toBe(403);
  });

  it('with a state that was not made here is refused, and no code is redeemed', async () => {
    const page = openPage(base);
    const back = await passProvider((await begin(page)).href, 'ada', base + callback);
    const forged = new URL(back);
    forged.searchParams.set('state', 's'.repeat(43));
    expect((await comeBack(page, forged)).status).toBe(401);
    // The code is still good: it never went anywhere.
    expect((await comeBack(page, back)).status).toBe(303);
  });

  it('asked for by HEAD is refused, and no code is redeemed', async () => {
    const page = openPage(base);
    const back = await passProvider((await begin(page)).href, 'ada', base + callback);
    expect((await comeBack(page, back, 'HEAD')).status).toBe(405);
    expect((await comeBack(page, back)).status).toBe(303);
  });

  it('in another browser than it was begun in is refused', async () => {
    const attacker = openPage(base);
    const back = await passProvider((await begin(attacker)).href, 'ada', base + callback);
    const victim = openPage(base);
    expect((await comeBack(victim, back)).status).toBe(401);
    await begin(victim);
    expect((await comeBack(victim, back)).status).toBe(401);
  });

  it('with a cookie that was made up is refused', async () => {
    const page = openPage(base);
    const back = await passProvider((await begin(page)).href, 'ada', base + callback);
    for (const [name, value] of page.cookies)
      page.cookies.set(name, value.replace(/[0-9a-f]{64}/, 'a'.repeat(64)));
    expect((await comeBack(page, back)).status).toBe(401);
  });

  it('a second time with the same code is refused, in either order of the doors', async () => {
    const page = openPage(base);
    const back = await passProvider((await begin(page)).href, 'ada', base + callback);
    const kept = page.copy();
    const results = await Promise.all([comeBack(page, back), comeBack(kept, back)]);
    expect(results.map(({ status }) => status).sort()).toEqual([303, 401]);
    const again = openPage(base, { cookies: kept.cookies, key: page.key });
    expect((await comeBack(again, back)).status).toBe(401);
  });

  it('from another issuer than was asked is refused', async () => {
    const page = openPage(base);
    const back = await passProvider((await begin(page)).href, 'ada', base + callback);
    for (const issuer of ['https://evil.example', null]) {
      const mixed = new URL(back);
      if (issuer === null) mixed.searchParams.delete('iss');
      else mixed.searchParams.set('iss', issuer);
      expect((await comeBack(page, mixed)).status).toBe(401);
    }
  });

  it('with the provider’s refusal is told so, without its words', async () => {
    const page = openPage(base);
    const state = (await begin(page)).searchParams.get('state') ?? '';
    const back = new URL(`${base}${callback}`);
    const parameters = { state, iss: provider.issuer, error: 'access_denied', error_description: '<b>x</b>' };
    for (const [name, value] of Object.entries(parameters)) back.searchParams.set(name, value);
    const answer = await comeBack(page, back);
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain('<b>x');
    await expect
      .poll(() => accessOf(house), { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({ code: 'unauthenticated', operation: 'signInByOidc', why: 'access_denied' }),
      );
  });

  it('with what is no word for a refusal has none of it sealed', async () => {
    const page = openPage(base);
    const state = (await begin(page)).searchParams.get('state') ?? '';
    const words = new URLSearchParams({ state, iss: provider.issuer, error: 'Grüße vom Fremden' });
    expect((await comeBack(page, new URL(`${base}${callback}?${words}`))).status).toBe(401);
    await expect
      .poll(() => accessOf(house), { timeout: 10_000 })
      .toContainEqual(expect.objectContaining({ operation: 'signInByOidc', why: 'no code' }));
    expect(JSON.stringify(await accessOf(house))).not.toContain('Fremden');
  });

  it('has no use of the session that was there before, nor anybody else', async () => {
    const page = openPage(base);
    await page.signIn(house.tokens.viewer);
    const fixed = page.copy();
    const { answer } = await signIn('ada', page);
    expect(answer.status).toBe(303);
    expect((await fixed.send(whoami)).status).toBe(401);
    expect((await page.send(whoami)).json).toMatchObject({ role: 'reviewer' });
  });

  it('to a page with another key has a cookie that opens nothing there', async () => {
    const { page } = await signIn('ada');
    const other = openPage(base, { cookies: page.cookies });
    expect((await other.send(whoami)).status).toBe(401);
  });
});

describe('another site', () => {
  it('cannot make a browser begin a sign-in', async () => {
    const page = openPage(base);
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await page.send('/sign-in/oidc', { method: 'POST', headers })).status).toBe(403);
    expect((await page.send('/sign-in/oidc')).status).toBe(405);
  });

  it('rebinding a name gets no answer from the way back', async () => {
    const headers = { host: 'evil.example' };
    expect((await openPage(base).send(`${callback}?code=x&state=y`, { headers })).status).toBe(403);
  });

  it('sends nobody anywhere but to the console', async () => {
    const { answer } = await signIn('ada');
    expect(answer.headers.location).toBe('/');
  });
});

it('stops answering an address that comes back wrong again and again', async () => {
  const page = openPage(base);
  const back = new URL(`${base}${callback}?code=x&state=y`);
  const statuses: number[] = [];
  for (let i = 0; i < 40 && statuses.at(-1) !== 429; i++) statuses.push((await comeBack(page, back)).status);
  expect(statuses.at(-1)).toBe(429);
});
