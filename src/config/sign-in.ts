/** The part of the configuration file about who is let in to the control port besides those who have a token. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { roleNamePattern } from '../core/roles.ts';
import { hasUser } from './address.ts';
import { path } from './place.ts';
import { secret, secretFile } from './secret.ts';

/** One role for each person: which operations it takes is the same for all of its kind. */
const role = z.string().regex(roleNamePattern, 'expected the name of a role');
const mappingsMax = 256;
const hourMs = 3_600_000;

/** https, or http to this machine: what goes there is worth as much as a password. */
function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/** A host as a URL names it. */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** OpenID Connect Discovery 1.0, section 2: no query and no fragment. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  return !hasUser(text) && /^[!-~]+$/.test(text) && !/[?#]/.test(text);
}

export const publicUrlSchema = z
  .string()
  .max(512)
  .refine(isOrigin, 'expected scheme, host and port alone, such as https://holdpoint.example.com')
  .refine(isSafe, 'expected https, but on loopback')
  .optional()
  .describe(
    'Where browsers reach the control port, such as an ingress that ends TLS; the address of control.listen when absent. Its host name needs no mention in hosts.',
  );

const clientMapping = z
  .strictObject({
    uri: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9+.-]*:[!#-+\--~]{1,500}$/, 'expected a URI such as spiffe://example.com/ada')
      .optional()
      .describe('A URI among the subject alternative names.'),
    commonName: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}$/, 'expected a common name such as ada')
      .optional()
      .describe('The subject’s only common name.'),
    role,
  })
  .refine(
    ({ uri, commonName }) => (uri === undefined) !== (commonName === undefined),
    'expected either uri or commonName',
  );

export const controlTlsSchema = z
  .strictObject({
    cert: path.describe('The certificate with its chain, in PEM; read again when it changes.'),
    key: secretFile.describe('Its private key, in PEM; read again when it changes.'),
    clientCa: path
      .optional()
      .describe('The authorities whose certificates name people, in PEM; read again when it changes.'),
    clients: z
      .array(clientMapping)
      .max(mappingsMax)
      .default([])
      .describe('Whom a client’s certificate names, and their role; the first that fits counts.'),
  })
  .refine(
    ({ clientCa, clients }) => (clientCa !== undefined) === clients.length > 0,
    'expected clientCa and clients together: one without the other lets nobody in',
  )
  .optional()
  .describe('TLS on the control port, and people by their certificates.');

const oidc = z.strictObject({
  issuer: z
    .string()
    .max(512)
    .refine(isIssuer, 'expected the issuer’s URL without user, query and fragment')
    .refine(isSafe, 'expected https, but on loopback')
    .describe('The OpenID provider, exactly as it names itself.'),
  clientId: z.string().min(1).max(256),
  clientSecret: secret.optional().describe('Absent for a public client: PKCE is used either way.'),
  caFile: path
    .optional()
    .describe('The authorities of the provider’s own certificate, in PEM, when Node does not trust them.'),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, 'expected a scope such as profile'))
    .max(16)
    .default(['profile'])
    .describe('Asked for beside openid.'),
  groupsClaim: z
    .string()
    .min(1)
    .max(256)
    .default('groups')
    .describe('The claim of the ID token that lists a person’s groups.'),
  roles: z
    .array(z.strictObject({ group: z.string().min(1).max(256), role }))
    .min(1)
    .max(mappingsMax)
    .describe('The role of who is in a group; the first that fits counts, and who is in none is refused.'),
  label: z
    .string()
    .regex(/^[^\p{C}]{1,64}$/u, 'expected a short name without control characters')
    .default('single sign-on')
    .describe('What the console calls it.'),
});

export const signInSchema = z
  .strictObject({
    idleMsMax: z
      .int()
      .min(60_000)
      .max(24 * hourMs)
      .default(hourMs)
      .describe('A session of the console ends when nothing was asked of it for so long.'),
    lifetimeMsMax: z
      .int()
      .min(60_000)
      .max(7 * 24 * hourMs)
      .default(8 * hourMs)
      .describe('A session ends so long after its sign-in, whatever happens.'),
    oidc: oidc.optional().describe('People sign in at an OpenID provider, by the code flow with PKCE.'),
  })
  .prefault({});

export const kubernetesSchema = z
  .strictObject({
    audience: z
      .string()
      .min(1)
      .max(256)
      .default('holdpoint')
      .describe('What a service account’s token must be made for.'),
    credentials: path
      .default('/var/run/secrets/kubernetes.io/serviceaccount')
      .describe('The directory of token, ca.crt and namespace: the sidecar’s own service account.'),
  })
  .optional()
  .describe(
    'Service accounts by their tokens, reviewed by the cluster; RBAC says their role: verb use on roles of holdpoint.dev.',
  );
