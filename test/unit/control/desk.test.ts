/** The desk where people sign in, before a provider that takes a code as often as it comes. Time is the test's. */
import { createServer, IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createSignInDesk } from '../../../src/control/sign-in/desk.ts';
import { createSessions } from '../../../src/control/sign-in/sessions.ts';
import { systemRandom } from '../../../src/core/clock.ts';
import { noProxy } from '../../../src/core/egress.ts';
import { createLedgerUnderTest } from '../../fault/ledger-under-test.ts';
import { listeningOn } from '../../support/listening-on.ts';
import { createManualTime } from '../../support/time.ts';

const clientId = 'holdpoint';
const origin = new URL('http://127.0.0.1:9000');
const ada = { name: 'ada', role: 'reviewer' } as const;
const key = 'k'.repeat(43);

let issuer: string;
let closeProvider: () => Promise<void>;
/** What it does with a code. */
let redeem: (res: ServerResponse) => Promise<void> | void;
let redeemed: number;
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });

const sendJson = (res: ServerResponse, value: unknown, status = 200): void => {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(value));
};
const refuse = (res: ServerResponse): void => sendJson(res, { error: 'invalid_grant' }, 400);

beforeAll(async () => {
  const server = createServer(async ({ url }, res) => {
    if (url === '/keys') return sendJson(res, { keys: [await exportJWK(publicKey)] });
    if (url === '/token') {
      redeemed += 1;
      return redeem(res);
    }
    return sendJson(res, {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
    });
  });
  const listening = await listeningOn(server);
  issuer = listening.url;
  closeProvider = listening.close;
});
afterAll(() => closeProvider());
beforeEach(() => {
  redeemed = 0;
  redeem = refuse;
});

async function stage() {
  const { clock, schedule, advance } = createManualTime();
  const ledger = await createLedgerUnderTest().open();
  const roles = [{ group: 'desk', role: 'reviewer' }];
  const client = { issuer, clientId, clientSecret: null, ca: undefined, egress: noProxy, scopes: [] };
  const desk = createSignInDesk({
    oidc: { ...client, groupsClaim: 'groups', roles, label: 'Example' },
    token: async () => ada,
    standing: () => ada,
    sessions: createSessions({ idleMsMax: 60_000, lifetimeMsMax: 60_000 }, clock, schedule, systemRandom),
    ...{ ledger, clock, random: systemRandom, publicOrigin: () => origin.origin },
  });
  const visit = (cookies: readonly string[], from = '192.0.2.1') => {
    const req = new IncomingMessage(new Socket());
    req.headers.cookie = cookies.map((cookie) => cookie.split(';')[0]).join('; ');
    return { req, origin, from };
  };
  /** Somebody who was at the provider comes back as often as they like. */
  const begun = async (from?: string) => {
    const { url, cookies } = await desk.begin(visit([]), key);
    const { searchParams } = new URL(url);
    const state = searchParams.get('state') ?? '';
    const token = await new SignJWT({ nonce: searchParams.get('nonce'), groups: ['desk'] })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(issuer)
      .setAudience(clientId)
      .setSubject('ada')
      .setIssuedAt(Math.floor(clock.nowMs() / 1000))
      .setExpirationTime(Math.floor(clock.nowMs() / 1000) + 60)
      .sign(privateKey);
    const comeBack = (query = `code=c&state=${state}`) =>
      desk.complete(visit(cookies, from), new URLSearchParams(query), () => undefined);
    return { state, comeBack, token };
  };
  return { desk, visit, begun, advance };
}

it('a sign-in leads to one session, also where the provider takes its code again', async () => {
  const { comeBack, token } = await (await stage()).begun();
  redeem = (res) => sendJson(res, { id_token: token });
  expect((await comeBack()).caller).toEqual({ name: `oidc:${issuer}#ada`, role: 'reviewer' });
  await expect(comeBack()).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(redeemed).toBe(1);
});

it.each([
  ['two codes', 'code=c&code=d'],
  ['a refusal beside its code', 'code=c&error=access_denied'],
  ['no code', 'x=y'],
])('of an answer with %s nothing is redeemed', async (_what, query) => {
  const { comeBack, state } = await (await stage()).begun();
  await expect(comeBack(`${query}&state=${state}`)).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(redeemed).toBe(0);
});

it('an outage of the provider is told as such to everybody of an address, and is no failure of theirs', async () => {
  const { comeBack, token } = await (await stage()).begun();
  redeem = (res) => sendJson(res, { error: 'invalid_grant' }, 503);
  for (let i = 0; i < 25; i += 1)
    await expect(comeBack()).rejects.toMatchObject({ code: 'sign_in_unavailable' });
  redeem = refuse;
  await expect(comeBack()).rejects.toMatchObject({ code: 'unauthenticated' });
  redeem = (res) => sendJson(res, { id_token: token });
  expect((await comeBack()).caller.name).toBe(`oidc:${issuer}#ada`);
});

it('a sign-in at the provider begins where people come back to, and nowhere else', async () => {
  const { desk, visit } = await stage();
  const elsewhere = { ...visit([]), origin: new URL('http://localhost:9000') };
  await expect(desk.begin(elsewhere, key)).rejects.toMatchObject({ code: 'forbidden' });
});

it('one person signs in so often in a minute', async () => {
  const { desk, visit, advance } = await stage();
  const signIn = () => desk.byToken(visit([]), 'token', key);
  for (let i = 0; i < 30; i += 1) await signIn();
  await expect(signIn()).rejects.toMatchObject({ code: 'too_many_attempts' });
  advance(60_000);
  expect((await signIn()).caller).toEqual(ada);
});

/** The provider takes its time over codes until it goes on; resolves once it has so many, which then end. */
function slowProvider() {
  const goOn = Promise.withResolvers<void>();
  const waiting = new Map<number, () => void>();
  redeem = async (res) => {
    waiting.get(redeemed)?.();
    await goOn.promise;
    refuse(res);
  };
  const has = (count: number) => new Promise<void>((resolve) => waiting.set(count, resolve));
  return { goOn: goOn.resolve, has };
}

it('so many are at the provider at once, and the next when they have come back', async () => {
  const { begun } = await stage();
  const { goOn, has } = slowProvider();
  const all = has(32);
  const first = Array.from({ length: 32 }, async (_, i) => (await begun(`192.0.2.${i}`)).comeBack());
  const ended = Promise.allSettled(first);
  await all;
  const next = await begun('198.51.100.1');
  await expect(next.comeBack()).rejects.toMatchObject({ code: 'sign_in_unavailable' });
  goOn();
  await ended;
  await expect(next.comeBack()).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(redeemed).toBe(33);
});

it('whoever makes up codes at a slow provider keeps nobody from signing in who comes from elsewhere', async () => {
  const { begun } = await stage();
  const { goOn, has } = slowProvider();
  const [half, person] = [has(16), has(17)];
  const stranger = await begun('2001:db8:0:1::1');
  const made = Array.from({ length: 16 }, () => stranger.comeBack());
  await half;
  const sameNetwork = await begun('2001:db8:0:1::2');
  await expect(sameNetwork.comeBack()).rejects.toMatchObject({ code: 'sign_in_unavailable' });
  const ended = Promise.allSettled([...made, (await begun('198.51.100.1')).comeBack()]);
  await person;
  goOn();
  await ended;
  redeem = (res) => sendJson(res, { id_token: sameNetwork.token });
  expect((await sameNetwork.comeBack()).caller.name).toBe(`oidc:${issuer}#ada`);
});
