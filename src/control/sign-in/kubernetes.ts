/**
 * Service accounts of the cluster, by their tokens: the API server says whose a token is and for whom it was made
 * (authentication.k8s.io/v1 TokenReview), and by RBAC which role that account may use here (authorization.k8s.io/v1
 * SubjectAccessReview): verb `use` on resource `roles` of group `holdpoint.dev`, named after the role, in the sidecar's
 * own namespace. What it says is kept for a minute.
 */
import { z } from 'zod';
import { sha256Hex } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { noProxy } from '../../core/egress.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { ServiceAccounts } from '../auth.ts';
import type { FirstUses } from './first-uses.ts';
import { ask, unavailable } from './outgoing.ts';

export interface KubernetesOptions {
  /** Those that the configuration adds. */
  readonly roles: readonly string[];
  /** The API server. */
  readonly server: URL;
  readonly audience: string;
  /** The sidecar's own service account: its token, its authority and its namespace; null while a file is gone. */
  readonly token: () => string | null;
  readonly ca: () => string | null;
  readonly namespace: () => string | null;
}

const knownMsMax = 60_000;
const unknownMsMax = 10_000;
const reviewsMax = 2_000;
const asksAtOnceMax = 16;
const tokenCharactersMax = 8 * 1024;
/** The first that RBAC allows counts: what may most comes first, a configured role before those that only look or report. */
const rolesInOrder = (configured: readonly string[]): readonly string[] => [
  ...['admin', 'privacy', 'auditor', 'reviewer'],
  ...configured,
  ...['viewer', 'reporter'],
];

const userSchema = z.object({
  username: z.string(),
  uid: z.string().optional(),
  groups: z.array(z.string()).optional(),
  extra: z.record(z.string(), z.array(z.string())).optional(),
});
type User = z.output<typeof userSchema>;
const tokenReviewSchema = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    audiences: z.array(z.string()).default([]),
    user: userSchema.optional(),
  }),
});
const accessReviewSchema = z.object({
  status: z.object({ allowed: z.boolean(), denied: z.boolean().default(false) }),
});

/** Null for a token of nobody's; the role is null where RBAC lets the account use none. */
type Account = { readonly name: string; readonly role: string | null } | null;

interface Review {
  readonly atMs: number;
  readonly account: Promise<Account>;
  /** How long it counts; less for what opens nothing, so that a new binding soon does. */
  msMax: number;
  /** It let somebody in when it was last known: then it is asked for again, whoever else guesses at their address. */
  letsIn: boolean;
}

export function createServiceAccounts(
  options: KubernetesOptions,
  clock: Clock,
  firstUses: FirstUses,
): ServiceAccounts {
  /** By the hash of the token. */
  const reviews = new Map<string, Review>();
  let asking = 0;
  const nowMs = (): number => clock.monoUs() / 1000;

  async function reviewed(token: string): Promise<Account> {
    if (asking >= asksAtOnceMax) throw unavailable('Too many service accounts at once.');
    asking += 1;
    try {
      const user = await userOf(token, options);
      return user === null
        ? null
        : { name: `kubernetes:${user.username}`, role: await roleOf(user, options) };
    } finally {
      asking -= 1;
    }
  }

  function review(token: string, hash: string, letsIn: boolean): Promise<Account> {
    const account = reviewed(token);
    const kept: Review = { atMs: nowMs(), account, msMax: knownMsMax, letsIn };
    const [oldest] = reviews.keys();
    if (reviews.size >= reviewsMax && oldest !== undefined) reviews.delete(oldest);
    reviews.set(hash, kept);
    account.then(
      (found) => {
        kept.letsIn = found?.role != null;
        if (!kept.letsIn) kept.msMax = unknownMsMax;
      },
      // What could not be asked is asked again.
      () => {
        kept.msMax = 0;
        if (!kept.letsIn && reviews.get(hash) === kept) reviews.delete(hash);
      },
    );
    return account;
  }

  return async (token, from, mayAsk, note) => {
    if (!isMeantFor(token, options.audience, clock)) return null;
    const hash = sha256Hex(token);
    const known = reviews.get(hash);
    const isFresh = known !== undefined && nowMs() - known.atMs < known.msMax;
    const letsIn = known?.letsIn === true;
    if (!isFresh) reviews.delete(hash);
    if (!isFresh && !mayAsk && !letsIn) return null;
    const account = await (isFresh ? known.account : review(token, hash, letsIn));
    if (account === null) return null;
    const { name, role } = account;
    if (role === null) {
      note({ by: name, why: 'RBAC lets it use no role' });
      throw new HoldpointError(
        'forbidden',
        'The service account is known, but RBAC lets it use no role here.',
        'Bind it to a Role with verb use on roles of holdpoint.dev; see k8s/README.md.',
      );
    }
    await firstUses({ name, role }, { via: 'kubernetes', grant: `use roles/${role}`, from });
    return { name, role };
  };
}

const claimsSchema = z.object({
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
});

/**
 * Whether it is worth asking the cluster about. Nothing is believed of it: only tokens that say they are a service
 * account's, made for this audience and not over, leave the sidecar, and what was reviewed does not outlive its `exp`.
 */
function isMeantFor(token: string, audience: string, clock: Clock): boolean {
  if (token.length > tokenCharactersMax) return false;
  const claims = claimsSchema.safeParse(jsonIn(token.split('.')[1] ?? ''));
  if (!claims.success) return false;
  const { sub, aud, exp } = claims.data;
  const isForUs = typeof aud === 'string' ? aud === audience : aud.includes(audience);
  return isForUs && isServiceAccount(sub) && exp * 1000 > clock.nowMs();
}

function jsonIn(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isServiceAccount(username: string): boolean {
  return /^system:serviceaccount:[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}$/.test(username);
}

/** Null for a token that the cluster does not know, that was made for others, or that is no service account's. */
async function userOf(token: string, options: KubernetesOptions): Promise<User | null> {
  const { audience } = options;
  const answer = await post(options, '/apis/authentication.k8s.io/v1/tokenreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [audience] },
  });
  const { status } = parsed(tokenReviewSchema, answer);
  // A server that does not know of audiences leaves them out, and then the token is one for the server itself.
  if (!status.authenticated || !status.audiences.includes(audience)) return null;
  return status.user !== undefined && isServiceAccount(status.user.username) ? status.user : null;
}

async function roleOf(user: User, options: KubernetesOptions): Promise<string | null> {
  const { username, uid, groups, extra } = user;
  const namespace = options.namespace()?.trim() ?? '';
  if (namespace === '') throw unavailable('The namespace of the sidecar’s service account is not there.');
  for (const name of rolesInOrder(options.roles)) {
    const answer = await post(options, '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: username,
        ...(uid === undefined ? {} : { uid }),
        ...(groups === undefined ? {} : { groups }),
        ...(extra === undefined ? {} : { extra }),
        resourceAttributes: { namespace, verb: 'use', group: 'holdpoint.dev', resource: 'roles', name },
      },
    });
    const { allowed, denied } = parsed(accessReviewSchema, answer).status;
    if (allowed && !denied) return name;
  }
  return null;
}

async function post(options: KubernetesOptions, path: string, body: unknown): Promise<unknown> {
  const [token, ca] = [options.token()?.trim(), options.ca()];
  if (token === undefined || token === '' || ca === null)
    throw unavailable('The sidecar’s own service account is not there.');
  const { status, json } = await ask({
    method: 'POST',
    url: new URL(path, options.server),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ca,
    // It is the cluster's own, which no proxy leads to.
    egress: noProxy,
  });
  // Created; a proxy in front may say 200.
  if (status === 201 || status === 200) return json;
  throw unavailable(
    `The cluster answered ${status} to a review: may the sidecar’s service account ask for one?`,
  );
}

function parsed<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw unavailable('The cluster answered a review in another form.');
}
