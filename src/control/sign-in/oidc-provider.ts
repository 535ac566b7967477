/**
 * The OpenID provider as the sidecar asks it: OpenID Connect Discovery 1.0, RFC 6749 with PKCE (RFC 7636), JWKS with
 * keys that change. What it answers is believed as far as TLS and the configured issuer say whose it is.
 */
import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import type { Egress } from '../../core/egress.ts';
import { HoldpointError } from '../../core/errors.ts';
import { type Claims, checkIdToken, type IdTokenTerms, type KeySet } from './id-token.ts';
import { ask, unavailable } from './outgoing.ts';

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client. Throws when it was taken away. */
  readonly clientSecret: (() => string) | null;
  readonly ca: string | undefined;
  readonly egress: Egress;
  /** Beside `openid`. */
  readonly scopes: readonly string[];
}

export interface OidcProvider {
  /** Where a person signs in. */
  authorizationUrl(order: AuthorizationOrder): Promise<URL>;
  /** Redeems a code and checks the ID token it is worth. Rejects with `unauthenticated` or `sign_in_unavailable`. */
  redeem(order: { code: string; verifier: string; nonce: string; redirectUri: string }): Promise<Claims>;
  /** Whether the provider names itself in its answers (RFC 9207). */
  namesItself(): Promise<boolean>;
}

export interface AuthorizationOrder {
  readonly state: string;
  readonly nonce: string;
  /** S256 of the verifier. */
  readonly challenge: string;
  readonly redirectUri: string;
}

const metadataMsMax = 3_600_000;
const keysMsMax = 600_000;
/** A token with a key that is not known makes the keys be read again, but no more often. */
const keysEveryMs = 10_000;

const endpoint = z.string().max(2048);
const metadataSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  jwks_uri: endpoint,
  token_endpoint_auth_methods_supported: z.array(z.string()).default(['client_secret_basic']),
  authorization_response_iss_parameter_supported: z.boolean().default(false),
});
type Metadata = z.output<typeof metadataSchema>;

const keysSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });
const tokensSchema = z.object({ id_token: z.string().max(64 * 1024) });
const refusalSchema = z.object({ error: z.string().regex(/^[a-z_]{1,64}$/) });

export function openOidcProvider(settings: OidcSettings, clock: Clock): OidcProvider {
  const metadata = keptFor(metadataMsMax, clock, () => readMetadata(settings));
  const keys = keptFor(keysMsMax, clock, async () => readKeys((await metadata.get()).jwks_uri, settings));
  const terms: IdTokenTerms = {
    issuer: settings.issuer,
    clientId: settings.clientId,
    nowMs: clock.nowMs,
    keys: async (isStale) => {
      if (isStale && keys.ageMs() >= keysEveryMs) keys.forget();
      return keys.get();
    },
  };
  return {
    authorizationUrl: async ({ state, nonce, challenge, redirectUri }) => {
      const url = new URL((await metadata.get()).authorization_endpoint);
      const parameters = {
        response_type: 'code',
        client_id: settings.clientId,
        redirect_uri: redirectUri,
        scope: ['openid', ...settings.scopes.filter((scope) => scope !== 'openid')].join(' '),
        state,
        nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return url;
    },
    redeem: async ({ code, verifier, nonce, redirectUri }) => {
      const about = await metadata.get();
      const fields = {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      };
      const token = await exchange(about, settings, fields);
      return checkIdToken(token, nonce, terms);
    },
    namesItself: async () => (await metadata.get()).authorization_response_iss_parameter_supported,
  };
}

async function readMetadata({ issuer, ca, egress }: OidcSettings): Promise<Metadata> {
  const url = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const { status, json } = await ask({ method: 'GET', url, ca, egress });
  const parsed = metadataSchema.safeParse(json);
  if (status !== 200 || !parsed.success)
    throw unavailable(`${url.host} does not describe an OpenID provider.`);
  if (parsed.data.issuer !== issuer)
    throw unavailable(`${url.host} names itself another issuer than control.signIn.oidc.issuer.`);
  const { authorization_endpoint, token_endpoint, jwks_uri } = parsed.data;
  for (const where of [authorization_endpoint, token_endpoint, jwks_uri]) requireNoWeaker(where, issuer);
  return parsed.data;
}

/** What is asked over https does not lead to where anybody listens. */
function requireNoWeaker(where: string, issuer: string): void {
  const protocol = URL.canParse(where) ? new URL(where).protocol : '';
  if (protocol === 'https:' || (protocol === 'http:' && new URL(issuer).protocol === 'http:')) return;
  throw unavailable('The OpenID provider has an endpoint that is not https.');
}

async function readKeys(where: string, { ca, egress }: OidcSettings): Promise<KeySet> {
  const { status, json } = await ask({ method: 'GET', url: new URL(where), ca, egress });
  const parsed = keysSchema.safeParse(json);
  if (status !== 200 || !parsed.success) throw unavailable('The OpenID provider does not give its keys.');
  return parsed.data;
}

/** The ID token that a code is worth. */
async function exchange(
  { token_endpoint, token_endpoint_auth_methods_supported: methods }: Metadata,
  { clientId, clientSecret, ca, egress }: OidcSettings,
  fields: Readonly<Record<string, string>>,
): Promise<string> {
  const body = new URLSearchParams(fields);
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
  if (clientSecret === null) body.set('client_id', clientId);
  else if (methods.includes('client_secret_basic') || !methods.includes('client_secret_post'))
    headers['authorization'] = basic(clientId, secretIn(clientSecret));
  else {
    body.set('client_id', clientId);
    body.set('client_secret', secretIn(clientSecret));
  }
  const { status, json } = await ask({
    method: 'POST',
    url: new URL(token_endpoint),
    headers,
    body: body.toString(),
    ca,
    egress,
  });
  const tokens = tokensSchema.safeParse(json);
  if (status === 200 && tokens.success) return tokens.data.id_token;
  const refusal = refusalSchema.safeParse(json);
  if (status >= 500 || !refusal.success)
    throw unavailable(`The OpenID provider answered ${status} without an ID token.`);
  if (refusal.data.error === 'invalid_grant')
    throw new HoldpointError(
      'unauthenticated',
      'The OpenID provider does not take the code.',
      'Sign in again.',
    );
  throw unavailable(`The OpenID provider refuses this client: ${refusal.data.error}.`);
}

/** Whoever signs in is not told where it is kept: the log says that. */
function secretIn(clientSecret: () => string): string {
  try {
    return clientSecret();
  } catch (error) {
    throw unavailable('The sidecar’s own secret at the OpenID provider is not there.', error);
  }
}

/** RFC 6749, section 2.3.1: each is form-encoded before it is joined. */
function basic(clientId: string, secret: string): string {
  const [id, password] = [clientId, secret].map((text) =>
    new URLSearchParams({ '': text }).toString().slice(1),
  );
  return `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`;
}

interface Kept<T> {
  get(): Promise<T>;
  ageMs(): number;
  forget(): void;
}

/** What is asked for once and kept; a failure is not. Whoever asks meanwhile waits for the same answer. */
function keptFor<T>(msMax: number, clock: Clock, read: () => Promise<T>): Kept<T> {
  let value: Promise<T> | null = null;
  let atMs = 0;
  const ageMs = (): number => clock.monoUs() / 1000 - atMs;
  return {
    get: () => {
      if (value !== null && ageMs() < msMax) return value;
      atMs = clock.monoUs() / 1000;
      const reading = read();
      value = reading;
      reading.catch(() => {
        if (value === reading) value = null;
      });
      return reading;
    },
    ageMs,
    forget: () => {
      value = null;
    },
  };
}
