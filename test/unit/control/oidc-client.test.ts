/** How the sidecar shows a provider who it is, and that it asks no endpoint in the clear that an https provider names. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { openOidcProvider } from '../../../src/control/sign-in/oidc-provider.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { noProxy } from '../../../src/core/egress.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { type Authority, makeAuthority } from '../../support/certificates.ts';
import { listeningOn } from '../../support/listening-on.ts';

const order = { code: 'c', verifier: 'v', nonce: 'n', redirectUri: 'https://console.example/back' };
const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function trusted(): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-oidc-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  return makeAuthority(directory, 'trusted');
}

interface Asked {
  readonly authorization: string | undefined;
  readonly fields: Record<string, string>;
}

/** A provider that takes no code, and keeps how it was asked. */
async function startProvider(described: object, authority: Authority | null = null) {
  const asked: Asked[] = [];
  let issuer = '';
  const answer = async (req: IncomingMessage): Promise<object> => {
    const at = (path: string): string => `${issuer}${path}`;
    if (req.url?.startsWith('/.well-known'))
      return {
        issuer,
        ...{ authorization_endpoint: at('/a'), token_endpoint: at('/t'), jwks_uri: at('/k') },
        ...described,
      };
    const fields = Object.fromEntries(new URLSearchParams(await text(req)));
    asked.push({ authorization: req.headers.authorization, fields });
    return { error: 'invalid_grant' };
  };
  const listener: RequestListener = (req, res) => {
    answer(req).then(
      (json) => res.writeHead('error' in json ? 400 : 200).end(JSON.stringify(json)),
      () => res.destroy(),
    );
  };
  const named = { subject: '/CN=provider', alternativeNames: 'IP:127.0.0.1' };
  const server =
    authority === null ? createServer(listener) : createTlsServer(authority.issue(named), listener);
  const { url, close } = await listeningOn(server, authority === null ? 'http' : 'https');
  ends.push(close);
  issuer = url;
  const open = (clientId: string, secret: string | null) =>
    openWith(clientId, secret === null ? null : () => secret);
  const openWith = (clientId: string, clientSecret: (() => string) | null) =>
    openOidcProvider(
      {
        ...{ issuer, clientId, clientSecret },
        ...{ ca: authority?.certificate, scopes: [], egress: noProxy },
      },
      systemClock,
    );
  return { open, openWith, asked };
}

async function redeemed(clientId: string, secret: string | null, described: object = {}): Promise<Asked> {
  const { open, asked } = await startProvider(described);
  await expect(open(clientId, secret).redeem(order)).rejects.toMatchObject({ code: 'unauthenticated' });
  const [first] = asked;
  if (first === undefined || asked.length > 1) throw new Error('It was not asked once.');
  return first;
}

describe('a code is redeemed', () => {
  it('by its name alone where the client has no secret', async () => {
    const { authorization, fields } = await redeemed('console', null);
    expect(authorization).toBeUndefined();
    expect(fields).toEqual({
      grant_type: 'authorization_code',
      code: 'c',
      redirect_uri: order.redirectUri,
      code_verifier: 'v',
      client_id: 'console',
    });
  });

  it('not at all while its secret is gone, and who signs in is not told where that was', async () => {
    const { openWith, asked } = await startProvider({});
    const gone = (): string => {
      throw new HoldpointError(
        'config_invalid',
        'control.signIn.oidc.clientSecret: /run/secret holds no secret.',
      );
    };
    await expect(openWith('console', gone).redeem(order)).rejects.toMatchObject({
      code: 'sign_in_unavailable',
      message: 'The sidecar’s own secret at the OpenID provider is not there.',
    });
    expect(asked).toEqual([]);
  });

  it('with name and secret in the header, each encoded as in a form, where the provider does not say how', async () => {
    const { authorization = '', fields } = await redeemed('a:b c', 'p%+ü');
    const [, encoded = ''] = authorization.split(' ');
    expect(Buffer.from(encoded, 'base64').toString()).toBe('a%3Ab+c:p%25%2B%C3%BC');
    expect(fields).not.toHaveProperty('client_secret');
  });

  it('with both in the body where the provider takes them nowhere else', async () => {
    const post = { token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'] };
    const { authorization, fields } = await redeemed('console', 'secret', post);
    expect(authorization).toBeUndefined();
    expect(fields).toMatchObject({ client_id: 'console', client_secret: 'secret' });
  });

  it('with both in the header where it takes them there too', async () => {
    const both = { token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'] };
    const { authorization, fields } = await redeemed('console', 'secret', both);
    expect(authorization).toMatch(/^Basic /);
    expect(fields).not.toHaveProperty('client_secret');
  });
});

describe('a provider behind TLS', () => {
  it('is asked', async () => {
    const { open } = await startProvider({}, trusted());
    await expect(open('console', null).redeem(order)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri'])(
    'is not used where its %s is in the clear',
    async (endpoint) => {
      const authority = trusted();
      const { open, asked } = await startProvider({ [endpoint]: 'http://127.0.0.1:1/x' }, authority);
      await expect(open('console', null).redeem(order)).rejects.toMatchObject({
        code: 'sign_in_unavailable',
        message: expect.stringContaining('not https'),
      });
      expect(asked).toEqual([]);
    },
  );
});
