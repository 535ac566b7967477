/**
 * Calls to the control port, as the session that the browser has in a cookie no script reads. Each carries this page's
 * key besides, without which the cookie opens nothing. A token is sent once, to begin a session, and not kept.
 */
import { type BacktestPage, readBacktestPage } from '../answers/backtest-data.ts';
import {
  type HoldPage,
  type HoldSummary,
  type Identity,
  readHolds,
  readIdentity,
  readSummary,
  type Verdict,
} from '../answers/hold-data.ts';
import { type HoldDetail, type Ruling, readDetail, readFinalRuling } from '../answers/hold-detail.ts';
import { type Ruled, readRuled } from '../answers/oversight-data.ts';
import { flagIn, isShape, listIn, shapeOf, textIn, textsIn } from '../answers/shape.ts';
import { clockSkewMs } from '../words/time.ts';

/** What the sidecar refused, in its own words (RFC 9457). Status 0: it could not be reached. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  /** What can be done about it; may be ''. */
  readonly next: string;

  constructor(status: number, code: string, message: string, next: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.next = next;
  }
}

export interface RulingRequest {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly digest: string;
  readonly amendment?: Readonly<Record<string, unknown>>;
  /** Of a release: ids of the tool calls that go; the answer is delivered without the others. */
  readonly calls?: readonly string[];
  /** Of a release: alone and at once. */
  readonly breakGlass?: true;
  /** Who is away and lent the role it is made in. */
  readonly inStead?: string;
}

/** One ruling on many holds of the same bytes, or one that each is signed with. */
export type ManyRulings = { readonly contentDigest: string } & (
  | { readonly verdict: Verdict; readonly reason: string; readonly holds: readonly string[] }
  | { readonly holds: readonly (SignedRuling & { readonly id: string })[] }
);

/** A ruling as its reviewer signed it. */
export interface SignedRuling {
  readonly signed: { readonly order: string; readonly statement: string; readonly value: string };
}

export interface ReviewerKeys {
  readonly origin: string;
  readonly required: boolean;
  readonly keys: readonly {
    readonly owner: string;
    readonly key: string;
    readonly fingerprint: string;
    readonly withdrawn: boolean;
  }[];
}

export interface Enrolment {
  readonly owner: string;
  readonly key: string;
  readonly possession: string;
  readonly reason: string;
}

/** A draft policy and the decisions to replay it over, newest first. */
export interface BacktestOrder {
  readonly policy: string;
  readonly reason: string;
  readonly limit: number;
  /** Only what is older than this; null for all. */
  readonly before: number | null;
}

/** What the sidecar lets people sign in by beside tokens. */
export interface Offer {
  readonly label: string;
  /** Where the console must be open for it. */
  readonly origin: string;
}

export interface Offered {
  /** Null where no provider is configured. */
  readonly oidc: Offer | null;
  /** The browser has shown a certificate. */
  readonly certificate: boolean;
}

export interface Api {
  offer(): Promise<Offered>;
  signInByToken(token: string): Promise<Identity>;
  /** The address of the provider to go to. */
  beginSignIn(): Promise<string>;
  signOut(): Promise<void>;
  /** The JSON that a path answers with, not looked at yet. */
  get(path: string, signal?: AbortSignal): Promise<unknown>;
  bytes(path: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** The JSON that an order is answered with, not looked at yet. */
  post(path: string, body: unknown): Promise<unknown>;
  whoami(): Promise<Identity>;
  /** The holds that wait, the next deadline first; no more than `limit` of them. */
  pendingHolds(limit: number): Promise<HoldPage>;
  /** A page of all that are listed; `next` leads to the one after it. */
  holds(after: string | null, limit: number): Promise<HoldPage>;
  /** One line of the queue; null when the sidecar no longer knows the hold. */
  holdLine(id: string): Promise<HoldSummary | null>;
  /** The whole hold; that it was read is sealed. */
  hold(id: string): Promise<HoldDetail>;
  finalRuling(decisionId: string): Promise<Ruling | null>;
  rule(id: string, ruling: RulingRequest | SignedRuling): Promise<HoldSummary>;
  /** What became of each, in that order. */
  ruleOnMany(rulings: ManyRulings): Promise<readonly Ruled[]>;
  comment(id: string, text: string): Promise<HoldSummary>;
  /** Says who is on it from now on; '' for nobody. */
  assign(id: string, to: string): Promise<HoldSummary>;
  /** Says whether the hold is open here; who else has it open. */
  look(id: string, here: boolean): Promise<readonly string[]>;
  review(id: string, finding: { readonly verdict: string; readonly text: string }): Promise<HoldSummary>;
  /** Lets somebody rule in one's stead until a time, ISO 8601. */
  beginAbsence(to: string, until: string): Promise<void>;
  endAbsence(seq: number): Promise<void>;
  reviewerKeys(): Promise<ReviewerKeys>;
  enrolKey(enrolment: Enrolment): Promise<void>;
  /** One page of it; that content was read is sealed. */
  backtest(order: BacktestOrder): Promise<BacktestPage>;
  /** The open answer of server-sent events. */
  events(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** The sidecar's clock, as far as its answers tell. */
  nowMs(): number;
}

const answerMsMax = 20_000;
const jsonContent = { 'content-type': 'application/json' };

/** @param key this page's, see `page-key.ts` */
export function createApi(key: string): Api {
  let skewMs = 0;

  async function request(path: string, init: RequestInit): Promise<Response> {
    const sentMs = Date.now();
    const headers = { ...init.headers, 'holdpoint-session-key': key };
    const response = await fetch(path, {
      ...init,
      headers,
      cache: 'no-store',
      credentials: 'same-origin',
    }).catch(unreachable);
    skewMs = clockSkewMs(response.headers.get('date'), sentMs, Date.now());
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  async function json(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await request(path, { ...init, signal: withinTime(init.signal) });
    const body: unknown = JSON.parse(await response.text().catch(unreachable));
    return body;
  }

  function post(path: string, body: unknown): Promise<unknown> {
    return json(path, { method: 'POST', headers: jsonContent, body: JSON.stringify(body) });
  }

  const pathOf = (id: string): string => `/api/v1/holds/${encodeURIComponent(id)}`;

  return {
    offer: async () => readOffer(await json('/sign-in')),
    signInByToken: async (token) =>
      readIdentity(
        await json('/sign-in/token', { method: 'POST', headers: { authorization: `Bearer ${token}` } }),
      ),
    beginSignIn: async () =>
      textIn(shapeOf(await json('/sign-in/oidc', { method: 'POST' }), 'sign-in'), 'url'),
    signOut: async () => {
      await json('/sign-out', { method: 'POST' });
    },
    get: (path, signal) => json(path, { signal: signal ?? null }),
    bytes: async (path, signal) => {
      const response = await request(path, { signal: withinTime(signal) });
      return new Uint8Array(await response.arrayBuffer().catch(unreachable));
    },
    post,
    whoami: async () => readIdentity(await json('/api/v1/whoami')),
    pendingHolds: async (limit) => readHolds(await json(`/api/v1/holds?state=pending&limit=${limit}`)),
    holds: async (after, limit) =>
      readHolds(await json(`/api/v1/holds?limit=${limit}${after === null ? '' : `&after=${after}`}`)),
    holdLine: async (id) =>
      readHolds(await json(`/api/v1/holds?id=${encodeURIComponent(id)}`)).items[0] ?? null,
    hold: async (id) => readDetail(await json(pathOf(id))),
    finalRuling: async (id) => readFinalRuling(await json(`/api/v1/decisions/${encodeURIComponent(id)}`)),
    rule: async (id, ruling) => readSummary(await post(`${pathOf(id)}/rulings`, ruling)),
    ruleOnMany: async (rulings) => readRuled(await post('/api/v1/rulings', rulings)),
    comment: async (id, text) => readSummary(await post(`${pathOf(id)}/comments`, { text })),
    assign: async (id, to) => readSummary(await post(`${pathOf(id)}/assignment`, { to })),
    look: async (id, here) => {
      // Also on the way out, when the page is not there any more to wait for the answer.
      const init = { method: 'POST', headers: jsonContent, body: JSON.stringify({ here }), keepalive: true };
      return textsIn(shapeOf(await json(`${pathOf(id)}/looking`, init), 'lookers'), 'others');
    },
    review: async (id, finding) => readSummary(await post(`${pathOf(id)}/review`, finding)),
    beginAbsence: async (to, until) => {
      await post('/api/v1/delegations', { to, until });
    },
    endAbsence: async (seq) => {
      await post(`/api/v1/delegations/${seq}/end`, {});
    },
    reviewerKeys: async () => readKeys(await json('/api/v1/reviewer-keys')),
    enrolKey: async (enrolment) => {
      await post('/api/v1/reviewer-keys', enrolment);
    },
    backtest: async ({ before, ...order }) =>
      readBacktestPage(
        await post('/api/v1/policy/backtest', { ...order, ...(before === null ? {} : { before }) }),
      ),
    events: async (signal) => {
      const { body } = await request('/api/v1/events', { signal });
      if (body === null) throw new ApiError(0, 'unreachable', 'The sidecar sent no events.', '');
      return body;
    },
    nowMs: () => Date.now() + skewMs,
  };
}

/** There is no answer, or no whole one. */
function unreachable(error: unknown): never {
  throw new ApiError(0, 'unreachable', 'The sidecar cannot be reached.', String(error));
}

function withinTime(signal: AbortSignal | null | undefined): AbortSignal {
  const time = AbortSignal.timeout(answerMsMax);
  return signal == null ? time : AbortSignal.any([signal, time]);
}

function readOffer(value: unknown): Offered {
  const from = shapeOf(value, 'sign-in');
  const certificate = flagIn(from, 'certificate');
  if (from['oidc'] === null) return { oidc: null, certificate };
  const oidc = shapeOf(from['oidc'], 'oidc');
  return { oidc: { label: textIn(oidc, 'label'), origin: textIn(oidc, 'origin') }, certificate };
}

function readKeys(value: unknown): ReviewerKeys {
  const from = shapeOf(value, 'reviewer keys');
  const keys = listIn(from, 'items', (item) => {
    const key = shapeOf(item, 'reviewer key');
    const texts = {
      owner: textIn(key, 'owner'),
      key: textIn(key, 'key'),
      fingerprint: textIn(key, 'fingerprint'),
    };
    return { ...texts, withdrawn: key['withdrawn'] !== null };
  });
  return { origin: textIn(from, 'origin'), required: textIn(from, 'rulings') === 'signed', keys };
}

async function problemOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const from = isShape(body) ? body : {};
  const text = (field: string): string => {
    const value = from[field];
    return typeof value === 'string' ? value : '';
  };
  const message = text('detail') || `The sidecar answered ${response.status}.`;
  return new ApiError(response.status, text('code'), message, text('next'));
}
