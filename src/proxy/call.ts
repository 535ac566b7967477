/**
 * One call of a workload as the pipeline sees it: what came in, what it means, and whether the caller is
 * still there. Reads the request whole, within bounds; nothing is sent anywhere from here.
 */
import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { canonicalJson } from '../core/canonical-json.ts';
import { decodeContent } from '../core/content-coding.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { RequestFacts } from '../core/facts.ts';
import { headerOf, type RawHeaders, valuesOf } from '../core/http-message.ts';
import type { OperationName, Protocol } from '../provider/protocol.ts';

export interface Upstream {
  readonly name: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Prefix of every path at the upstream, without a trailing slash; '' for none. */
  readonly basePath: string;
  /** `/` or `/anthropic`; the longest that fits wins. */
  readonly mount: string;
  readonly protocol: Protocol;
}

export interface Caller {
  readonly gone: boolean;
  /** Runs once when the caller disconnects before its answer was finished. */
  whenGone(fn: () => void): void;
}

export interface Call {
  readonly res: ServerResponse;
  readonly method: string;
  /** Path and query below the mount. */
  readonly target: string;
  readonly headers: RawHeaders;
  readonly body: Buffer;
  readonly upstream: Upstream;
  readonly operation: OperationName;
  readonly facts: RequestFacts;
  /** What could not be read of the request; it is then refused. */
  readonly defects: readonly string[];
  /** Keyed fingerprint of the credential that was used: attributable, and useless as a credential. */
  readonly credential: string;
  readonly caller: Caller;
  readonly startedUs: number;
}

/** An upgraded connection, as far as it is recorded. */
export type UpgradeCall = Omit<Call, 'res' | 'caller' | 'operation' | 'defects' | 'startedUs'> & {
  readonly operation: 'tunnel';
};

export interface CallBounds {
  readonly requestBytesMax: number;
  readonly decodedBytesMax: number;
}

/** Headers whose values rules may read. */
const factHeaders = [
  'user-agent',
  'openai-organization',
  'openai-project',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
];
const nameCharactersMax = 256;

/** Who asks and where to: everything of a call but its body. */
function readEnvelope(
  req: IncomingMessage,
  upstream: Upstream,
  fingerprint: (secret: string) => string,
  workloadName: string,
) {
  const headers = req.rawHeaders;
  const target = targetBelow(req.url ?? '/', upstream.mount);
  const credential = credentialOf(headers, target);
  const sender = {
    headers: factHeadersOf(headers),
    workload: named(headers, 'holdpoint-workload') || workloadName,
    subject: named(headers, 'holdpoint-subject'),
    purpose: named(headers, 'holdpoint-purpose'),
    session: named(headers, 'holdpoint-session'),
  };
  return {
    upstream,
    headers,
    target,
    path: pathOf(target),
    method: req.method ?? 'GET',
    credential: credential === '' ? '' : fingerprint(credential),
    sender,
  };
}

/** Reads and understands a call. Throws `bad_request` or `body_too_large`. */
export async function readCall(
  req: IncomingMessage,
  res: ServerResponse,
  upstream: Upstream,
  bounds: CallBounds,
  fingerprint: (secret: string) => string,
  startedUs: number,
  workloadName: string,
): Promise<Call> {
  const caller = watchCaller(res);
  const { sender, path, ...envelope } = readEnvelope(req, upstream, fingerprint, workloadName);
  const { method, headers } = envelope;
  const body = await readBody(req, headers, bounds.requestBytesMax);
  const operation = upstream.protocol.operationOf(method, path);
  const { plain, defect } =
    operation === 'unknown' ? { plain: body, defect: null } : decode(headers, body, bounds.decodedBytesMax);
  const contentType = headerOf(headers, 'content-type');
  const reading = upstream.protocol.readRequest(operation, plain, { path, contentType });
  const facts = { provider: upstream.protocol.name, operation, method, path, ...reading.facts, ...sender };
  return {
    ...envelope,
    res,
    body,
    operation,
    facts,
    defects: defect === null ? reading.defects : [defect],
    caller,
    startedUs,
  };
}

/** What an upgrade says of itself; its frames are not read. Throws `no_upstream` or `bad_request`. */
export function readUpgrade(
  req: IncomingMessage,
  upstreams: readonly Upstream[],
  fingerprint: (secret: string) => string,
  workloadName: string,
): UpgradeCall {
  const upstream = upstreamFor(req.url ?? '/', upstreams);
  const { sender, path, ...envelope } = readEnvelope(req, upstream, fingerprint, workloadName);
  const { method } = envelope;
  const reading = upstream.protocol.readRequest('unknown', Buffer.alloc(0), { path, contentType: '' });
  const facts = {
    provider: upstream.protocol.name,
    operation: 'tunnel',
    method,
    path,
    ...reading.facts,
    ...sender,
  };
  return { ...envelope, body: Buffer.alloc(0), operation: 'tunnel', facts };
}

/**
 * Same workload, route, credential, body in canonical form, idempotency key and whatever else rules judge give the
 * same key. Keyed: it is sealed.
 */
export function retryKeyOf(call: Call, key: Buffer): string {
  const mac = createHmac('sha256', key);
  const { facts } = call;
  for (const field of [
    facts.workload,
    call.credential,
    call.upstream.name,
    call.method,
    call.target,
    headerOf(call.headers, 'idempotency-key'),
    facts.subject,
    facts.purpose,
    JSON.stringify(facts.headers),
  ]) {
    mac.update(`${field.length}:${field}`);
  }
  return mac.update(canonicalJson(call.body) ?? call.body).digest('hex');
}

/** True when an SDK says that this is a repetition. */
export function isMarkedRetry(headers: RawHeaders): boolean {
  const count = Number(headerOf(headers, 'x-stainless-retry-count'));
  return Number.isInteger(count) && count > 0;
}

/** True when the caller would rather be told than wait (RFC 7240 section 4.1). */
export function prefersAsync(headers: RawHeaders): boolean {
  return valuesOf(headers, 'prefer').some((value) => /(^|,)\s*respond-async\s*(,|;|$)/i.test(value));
}

/** How long the client itself waits, in ms; null when it does not say. */
export function clientBudgetMs(headers: RawHeaders): number | null {
  const seconds = Number(headerOf(headers, 'x-stainless-timeout'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
}

function watchCaller(res: ServerResponse): Caller {
  let fns: (() => void)[] = [];
  const caller = {
    gone: false,
    whenGone: (fn: () => void) => {
      if (caller.gone) fn();
      else fns.push(fn);
    },
  };
  res.once('close', () => {
    if (res.writableFinished) return;
    caller.gone = true;
    const waiting = fns;
    fns = [];
    for (const fn of waiting) fn();
  });
  return caller;
}

/** The upstream whose mount fits a request's target best. Throws `no_upstream` or `bad_request`. */
export function upstreamFor(url: string, upstreams: readonly Upstream[]): Upstream {
  if (!url.startsWith('/')) {
    throw new HoldpointError(
      'bad_request',
      'The request target must be a path.',
      'Point the SDK’s base URL at Holdpoint; it is not a forward proxy.',
    );
  }
  const path = pathOf(url);
  let best: Upstream | null = null;
  for (const upstream of upstreams) {
    const { mount } = upstream;
    const fits = mount === '/' || path === mount || path.startsWith(`${mount}/`);
    if (fits && mount.length > (best?.mount.length ?? 0)) best = upstream;
  }
  if (best === null) {
    throw new HoldpointError(
      'no_upstream',
      `No upstream is mounted at ${path.slice(0, nameCharactersMax)}.`,
      'Check upstreams.*.mount in the configuration.',
    );
  }
  return best;
}

function targetBelow(url: string, mount: string): string {
  if (mount === '/') return url;
  const below = url.slice(mount.length);
  return below.startsWith('/') ? below : `/${below}`;
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

function readBody(req: IncomingMessage, headers: RawHeaders, bytesMax: number): Promise<Buffer> {
  const announced = Number(headerOf(headers, 'content-length'));
  if (announced > bytesMax) return Promise.reject(tooLarge(bytesMax));
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const collect = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes <= bytesMax) {
      chunks.push(chunk);
      return;
    }
    req.off('data', collect);
    chunks.length = 0;
    reject(tooLarge(bytesMax));
  };
  req.on('data', collect);
  req.on('end', () =>
    resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
  );
  req.on('error', (error) =>
    reject(new HoldpointError('bad_request', `The request ended early: ${messageOf(error)}.`)),
  );
  return promise;
}

function tooLarge(bytesMax: number): HoldpointError {
  return new HoldpointError(
    'body_too_large',
    `The request body exceeds ${bytesMax} bytes.`,
    'Raise limits.requestBytesMax if such calls are meant.',
  );
}

function decode(
  headers: RawHeaders,
  body: Buffer,
  decodedBytesMax: number,
): { plain: Buffer; defect: string | null } {
  try {
    return {
      plain: decodeContent(headerOf(headers, 'content-encoding'), body, decodedBytesMax),
      defect: null,
    };
  } catch (error) {
    return { plain: Buffer.alloc(0), defect: `the content-encoding cannot be undone: ${messageOf(error)}` };
  }
}

function factHeadersOf(headers: RawHeaders): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of factHeaders) {
    const value = headerOf(headers, name);
    if (value !== '') found[name] = value;
  }
  return found;
}

function named(headers: RawHeaders, name: string): string {
  return headerOf(headers, name).slice(0, nameCharactersMax);
}

function credentialOf(headers: RawHeaders, target: string): string {
  for (const name of ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key']) {
    const value = headerOf(headers, name);
    if (value !== '') return value;
  }
  return /[?&]key=([^&]*)/.exec(target)?.[1] ?? '';
}
