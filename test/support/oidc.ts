/**
 * A real OpenID provider (`oidc-provider`) in the test's process: people sign in by name with any password, and are in
 * the groups that the test says. Its keys can be changed while it runs.
 */
import { createServer, type RequestListener } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { listeningOn } from './listening-on.ts';

export interface OpenIdProvider {
  readonly issuer: string;
  readonly clientSecret: string;
  /** Name at the provider -> groups; who is not in it is in none. */
  readonly groups: Map<string, readonly string[]>;
  /** Takes the client in once it is known where it is. */
  register(redirectUri: string): Promise<void>;
  /** From now on it signs with a new key and gives that one alone. */
  changeKeys(): Promise<void>;
  close(): Promise<void>;
}

export const clientId = 'holdpoint';
const ttlSeconds = 600;

export async function startOpenIdProvider(): Promise<OpenIdProvider> {
  let answer: RequestListener = (_, res) => res.writeHead(503).end();
  const server = createServer((req, res) => answer(req, res));
  const { url: issuer, close } = await listeningOn(server);
  const clientSecret = 'a secret with spaces, & signs: %';
  const groups = new Map<string, readonly string[]>();
  let redirectUri = '';

  async function open(): Promise<void> {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const key = {
      ...(await exportJWK(privateKey)),
      alg: 'ES256',
      use: 'sig',
      kid: `key-${performance.now()}`,
    };
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [redirectUri],
          response_types: ['code'],
          grant_types: ['authorization_code'],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      jwks: { keys: [key] },
      cookies: { keys: ['of the test'] },
      pkce: { required: () => true },
      claims: { openid: ['sub', 'groups'], profile: ['name'] },
      conformIdTokenClaims: false,
      ttl: {
        Interaction: ttlSeconds,
        Session: ttlSeconds,
        Grant: ttlSeconds,
        AccessToken: ttlSeconds,
        IdToken: ttlSeconds,
      },
      features: { devInteractions: { enabled: true } },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, name: `${id} of the test`, groups: [...(groups.get(id) ?? [])] }),
      }),
    });
    const callback = provider.callback();
    answer = (req, res) => void callback(req, res);
  }

  return {
    issuer,
    clientSecret,
    groups,
    register: (uri) => {
      redirectUri = uri;
      return open();
    },
    changeKeys: open,
    close,
  };
}

/** Goes through the provider's pages as `login`, and returns the address that it sends the browser back to. */
export async function passProvider(authorizationUrl: string, login: string, backTo: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let next: { url: URL; form: URLSearchParams | null } = { url: new URL(authorizationUrl), form: null };
  for (let steps = 0; steps < 20; steps++) {
    if (next.url.href.startsWith(backTo)) return next.url;
    const answer = await fetch(next.url, {
      method: next.form === null ? 'GET' : 'POST',
      ...(next.form === null ? {} : { body: next.form }),
      headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
      redirect: 'manual',
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    const page = await answer.text();
    if (location !== null) {
      next = { url: new URL(location, next.url), form: null };
      continue;
    }
    const prompt = /name="prompt" value="(login|consent)"/.exec(page)?.[1];
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
    if (prompt === undefined || action === undefined)
      throw new Error(`the provider shows: ${page.slice(0, 2000)}`);
    next = { url: new URL(action, next.url), form: new URLSearchParams({ prompt, login, password: 'any' }) };
  }
  throw new Error('the provider leads nowhere');
}
