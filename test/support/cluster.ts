/**
 * No cluster: an HTTPS server that answers the two reviews that a Kubernetes API server answers, in the documented form
 * (authentication.k8s.io/v1 TokenReview, authorization.k8s.io/v1 SubjectAccessReview), and refuses what the published
 * schemas do not allow. Whose tokens it knows and what RBAC allows is the test's.
 */
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { TokenReview } from 'kubernetes-models/authentication.k8s.io/v1/TokenReview';
import { SubjectAccessReview } from 'kubernetes-models/authorization.k8s.io/v1/SubjectAccessReview';
import { z } from 'zod';
import type { Credential } from './certificates.ts';
import { listeningOn } from './listening-on.ts';

export interface Cluster {
  readonly url: string;
  /** What it says of each token, in `status`. */
  readonly tokens: Map<string, unknown>;
  /** `username role` for what RBAC allows. */
  readonly bindings: Set<string>;
  /** `username role` for what another authorizer denies, whatever RBAC says. */
  readonly denials: Set<string>;
  /** What it was asked, oldest first. */
  readonly asked: { path: string; authorization: string; spec: Readonly<Record<string, unknown>> }[];
  /** Overrides every answer. */
  broken: { status: number; body: string } | null;
  close(): Promise<void>;
}

const reviewSchema = z.object({ spec: z.record(z.string(), z.unknown()) });
const accessSchema = z.object({
  user: z.string(),
  resourceAttributes: z.object({ name: z.string() }),
});
const tokenSchema = z.object({ token: z.string() });

export async function startCluster(credential: Credential): Promise<Cluster> {
  const tokens = new Map<string, unknown>();
  const bindings = new Set<string>();
  const denials = new Set<string>();
  const asked: Cluster['asked'] = [];
  const state: { broken: Cluster['broken'] } = { broken: null };

  function statusFor(path: string, body: unknown): unknown {
    const { spec } = reviewSchema.parse(body);
    if (path === '/apis/authentication.k8s.io/v1/tokenreviews') {
      new TokenReview(z.custom<ConstructorParameters<typeof TokenReview>[0]>().parse(body)).validate();
      return tokens.get(tokenSchema.parse(spec).token) ?? { authenticated: false };
    }
    if (path !== '/apis/authorization.k8s.io/v1/subjectaccessreviews') throw new Error(`there is no ${path}`);
    new SubjectAccessReview(
      z.custom<ConstructorParameters<typeof SubjectAccessReview>[0]>().parse(body),
    ).validate();
    const { user, resourceAttributes } = accessSchema.parse(spec);
    const asks = `${user} ${resourceAttributes.name}`;
    return { allowed: bindings.has(asks), ...(denials.has(asks) ? { denied: true } : {}) };
  }

  async function answer(req: IncomingMessage): Promise<{ status: number; body: string }> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(Buffer.from(chunk));
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const path = req.url ?? '';
    asked.push({ path, authorization: req.headers.authorization ?? '', spec: reviewSchema.parse(body).spec });
    if (state.broken !== null) return state.broken;
    const review = { ...z.record(z.string(), z.unknown()).parse(body), status: statusFor(path, body) };
    return { status: 201, body: JSON.stringify(review) };
  }

  const server = createServer(credential, (req, res) => {
    answer(req).then(
      ({ status, body }) => res.writeHead(status, { 'content-type': 'application/json' }).end(body),
      (error: unknown) => res.writeHead(400).end(String(error)),
    );
  });
  const { url, close } = await listeningOn(server, 'https');
  return {
    url,
    tokens,
    bindings,
    denials,
    asked,
    get broken() {
      return state.broken;
    },
    set broken(to) {
      state.broken = to;
    },
    close,
  };
}

/** A token that reads like a service account's; its signature is for the cluster to judge. */
export function serviceAccountToken(changes: object = {}): string {
  const claims = {
    iss: 'https://kubernetes.default.svc.cluster.local',
    sub: 'system:serviceaccount:ops:bot',
    aud: ['holdpoint'],
    exp: Math.floor(Date.now() / 1000) + 3600,
    ...changes,
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', kid: 'k' })}.${part(claims)}.${Buffer.from(`${performance.now()}`).toString('base64url')}`;
}
