/** What the sidecar makes of a provider that lies, and of a real one that changes its keys. Time is the test's. */
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OidcProvider, openOidcProvider } from '../../../src/control/sign-in/oidc-provider.ts';
import { createRoundTrips } from '../../../src/control/sign-in/round-trip.ts';
import { systemClock, systemRandom } from '../../../src/core/clock.ts';
import { noProxy } from '../../../src/core/egress.ts';
import { listeningOn } from '../../support/listening-on.ts';
import { clientId, passProvider, startOpenIdProvider } from '../../support/oidc.ts';

const nonce = 'n'.repeat(43);
const redirectUri = 'http://127.0.0.1:1/sign-in/oidc/callback';
const order = { code: 'any', verifier: 'v'.repeat(43), nonce, redirectUri };

describe('an ID token', () => {
  let issuer: string;
  let provider: OidcProvider;
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;
  /** What the provider gives for a code. */
  let tokenOf: () => Promise<string>;
  let described: Record<string, unknown> | null;
  /** The keys that it names as its own. */
  let named: readonly object[];
  let close: () => Promise<void>;
  let jwk: object;

  beforeAll(async () => {
    keys = await generateKeyPair('RS256', { extractable: true });
    jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
    const server = createServer((req, res) => {
      const answerTo = async (): Promise<unknown> => {
        if (req.url?.startsWith('/.well-known')) return described;
        if (req.url === '/keys') return { keys: named };
        return { id_token: await tokenOf(), token_type: 'Bearer', access_token: 'x' };
      };
      answerTo().then(
        (json) => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json)),
        () => res.writeHead(500).end(),
      );
    });
    ({ url: issuer, close } = await listeningOn(server));
  });
  afterAll(() => close());

  function open(changes: Record<string, unknown> = {}, clock = systemClock): void {
    named = [jwk];
    described = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      ...changes,
    };
    const settings = {
      issuer,
      clientId,
      clientSecret: () => 'secret',
      ca: undefined,
      scopes: [],
      egress: noProxy,
    };
    provider = openOidcProvider(settings, clock);
  }

  function claims(changes: object = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    return { iss: issuer, aud: clientId, sub: 'ada', nonce, iat: now, exp: now + 300, ...changes };
  }

  const signed = (payload: JWTPayload) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(keys.privateKey);

  it('that is good names the subject', async () => {
    open();
    tokenOf = () => signed(claims());
    expect((await provider.redeem(order)).subject).toBe('ada');
  });

  const past = Math.floor(Date.now() / 1000) - 3600;
  it.each<[string, object]>([
    ['for another sign-in', { nonce: 'm'.repeat(43) }],
    ['for no sign-in', { nonce: undefined }],
    ['for another client', { aud: 'other' }],
    ['for several clients and asked for by none', { aud: [clientId, 'other'] }],
    ['for several clients and asked for by another', { aud: [clientId, 'other'], azp: 'other' }],
    ['for this client and asked for by another', { azp: 'other' }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['of an issuer that begins the same', { iss: 'http://127.0.0.1' }],
    ['that has expired', { exp: past + 60, iat: past }],
    ['that has expired two minutes ago', { exp: past + 3480 }],
    ['that was made in two minutes', { iat: past + 3720 }],
    ['that never expires', { exp: undefined }],
    ['that was made long ago', { iat: past }],
    ['that was made in the future', { iat: past + 7200, exp: past + 9000 }],
    ['that does not say when it was made', { iat: undefined }],
    ['of nobody', { sub: undefined }],
    ['of an empty subject', { sub: '' }],
    ['of a subject that is no name', { sub: 'ada lovelace\n' }],
    ['of a subject that is too long', { sub: 'a'.repeat(256) }],
  ])('%s is refused', async (_, changes) => {
    open();
    tokenOf = () => signed(claims(changes));
    await expect(provider.redeem(order)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it.each([
    ['aud', { aud: 'other' }],
    ['iat', { iat: past + 7200, exp: past + 9000 }],
    ['exp', { exp: past + 3480 }],
  ])('is refused with the claim that is wrong: %s', async (claim, changes) => {
    open();
    tokenOf = () => signed(claims(changes));
    await expect(provider.redeem(order)).rejects.toThrow(`(${claim}).`);
  });

  it.each([
    ['has expired half a minute ago', { exp: past + 3570 }],
    ['was made in half a minute', { iat: past + 3630 }],
  ])('that %s is taken: clocks differ by that much', async (_, changes) => {
    open();
    tokenOf = () => signed(claims(changes));
    expect((await provider.redeem(order)).subject).toBe('ada');
  });

  it('that nobody signed is refused', async () => {
    open();
    tokenOf = async () => new UnsecuredJWT(claims()).encode();
    await expect(provider.redeem(order)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('signed with the client’s secret, or with the public key for one, is refused', async () => {
    open();
    for (const secret of ['secret', JSON.stringify(await exportJWK(keys.publicKey))]) {
      tokenOf = () =>
        new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .sign(new TextEncoder().encode(secret.padEnd(32)));
      await expect(provider.redeem(order)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('signed by another key of that name is refused, whatever key it brings along', async () => {
    open();
    const forged = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(forged.publicKey);
    tokenOf = () =>
      new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', kid: 'one', jwk }).sign(forged.privateKey);
    await expect(provider.redeem(order)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('with one bit of its signature or its claims changed is refused', async () => {
    open();
    const [head = '', body = '', signature = ''] = (await signed(claims())).split('.');
    const flipped = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
    for (const token of [
      `${head}.${body}.${flipped(signature)}`,
      `${head}.${flipped(body)}.${signature}`,
      `${flipped(head)}.${body}.${signature}`,
      `${head}.${body}.`,
      'x',
    ]) {
      tokenOf = async () => token;
      await expect(provider.redeem(order)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  it.each([
    ['names itself another issuer', { issuer: 'https://evil.example' }],
    ['has an endpoint that is no address', { token_endpoint: 'nowhere' }],
    ['has an endpoint in a file', { jwks_uri: 'file:///etc/passwd' }],
    ['does not say where', { token_endpoint: undefined }],
    ['describes itself without end', { more: 'x'.repeat(600 * 1024) }],
  ])('is not asked for from a provider that %s', async (_, changes) => {
    open(changes);
    tokenOf = () => signed(claims());
    await expect(provider.redeem(order)).rejects.toMatchObject({ code: 'sign_in_unavailable' });
  });

  it('counts no longer than ten minutes under a key that its provider took away', async () => {
    let passedMs = 0;
    open({}, { nowMs: systemClock.nowMs, monoUs: () => passedMs * 1000 });
    tokenOf = () => signed(claims());
    expect((await provider.redeem(order)).subject).toBe('ada');
    named = [{ ...jwk, kid: 'two' }];
    passedMs = 599_999;
    expect((await provider.redeem(order)).subject).toBe('ada');
    passedMs = 600_000;
    await expect(provider.redeem(order)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is taken once its provider describes itself again', async () => {
    open();
    const about = described;
    described = null;
    tokenOf = () => signed(claims());
    await expect(provider.redeem(order)).rejects.toMatchObject({ code: 'sign_in_unavailable' });
    described = about;
    expect((await provider.redeem(order)).subject).toBe('ada');
  });

  it.each([
    ['that is too short to trust', { n: 'x'.repeat(171) }],
    ['that is none', { n: undefined }],
    ['of another kind than it says', { kty: 'RSA', n: 5 }],
  ])('is not judged by a key of its provider’s %s, which is said', async (_, broken) => {
    open();
    named = [{ ...jwk, ...broken }];
    tokenOf = () => signed(claims());
    await expect(provider.redeem(order)).rejects.toMatchObject({
      code: 'sign_in_unavailable',
      message: expect.stringContaining('key cannot be used'),
    });
  });

  it('is asked for once in each scope, from an issuer whose name ends with a slash too', async () => {
    open({ issuer: `${issuer}/` });
    const settings = { issuer: `${issuer}/`, clientId, clientSecret: null, ca: undefined, egress: noProxy };
    const named = openOidcProvider({ ...settings, scopes: ['groups', 'openid'] }, systemClock);
    const url = await named.authorizationUrl({ state: 's', nonce, challenge: 'c', redirectUri });
    expect(url.searchParams.get('scope')).toBe('openid groups');
  });

  it('is not waited for where nobody answers', async () => {
    open({ token_endpoint: 'http://127.0.0.1:1/token' });
    await expect(provider.redeem(order)).rejects.toMatchObject({ code: 'sign_in_unavailable' });
  });
});

describe('a provider that changes its keys', () => {
  it('is asked for the new ones, and not more often than every ten seconds', async () => {
    const real = await startOpenIdProvider();
    try {
      await real.register(redirectUri);
      let nowMs = Date.now();
      const clock = { nowMs: () => nowMs, monoUs: () => nowMs * 1000 };
      const secret = () => real.clientSecret;
      const settings = {
        issuer: real.issuer,
        clientId,
        clientSecret: secret,
        ca: undefined,
        scopes: [],
        egress: noProxy,
      };
      const provider = openOidcProvider(settings, clock);
      const signIn = async (): Promise<string> => {
        const trip = createRoundTrips(clock, systemRandom).begin('a'.repeat(64));
        const url = await provider.authorizationUrl({ ...trip, redirectUri });
        const back = await passProvider(url.href, 'ada', redirectUri);
        const code = back.searchParams.get('code') ?? '';
        return (await provider.redeem({ ...trip, code, redirectUri })).subject;
      };
      expect(await signIn()).toBe('ada');
      await real.changeKeys();
      await expect(signIn()).rejects.toMatchObject({ code: 'unauthenticated' });
      nowMs += 10_000;
      expect(await signIn()).toBe('ada');
    } finally {
      await real.close();
    }
  });
});
