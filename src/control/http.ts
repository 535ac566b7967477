/** The control port's small HTTP layer: routes, JSON bodies within bounds, RFC 9457 problems. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, HoldpointError, httpStatusByCode } from '../core/errors.ts';
import type { Identity } from '../store/token-file.ts';

export interface ControlRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Values of the `{name}` segments. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Who asks; routes that need nobody get `anonymous`. */
  readonly identity: Identity;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/api/v1/holds/{id}`. */
  readonly path: string;
  /** False only for probes, metrics, the description and the console's files: they carry no content. */
  readonly needsToken: boolean;
  readonly handle: (request: ControlRequest) => Promise<void> | void;
}

export const bodyBytesMax = 4 * 1024 * 1024;
const bodyMsMax = 15_000;

/** Sent with everything: nothing here may be framed, sniffed, cached or leak where it was read. */
const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function setSecurityHeaders(res: ServerResponse): void {
  for (const [name, value] of Object.entries(securityHeaders)) res.setHeader(name, value);
}

export function sendJson(
  res: ServerResponse,
  status: number,
  value: unknown,
  contentType = 'application/json',
): void {
  sendText(res, status, JSON.stringify(value), contentType);
}

export function sendText(
  res: ServerResponse,
  status: number,
  text: string | Buffer,
  contentType: string,
): void {
  res.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
  res.end(text);
}

const titles: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'A token is needed',
  forbidden: 'Not allowed',
  not_found: 'Not found',
  already_ruled: 'Already ruled',
  digest_mismatch: 'The held bytes are others',
  ruling_expired: 'Too late',
  invalid_argument: 'The request is not valid',
  ledger_unavailable: 'The ledger cannot be written',
};

/** RFC 9457. */
export function sendProblem(res: ServerResponse, error: HoldpointError): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const status = httpStatusByCode[error.code];
  if (status === 401) res.setHeader('www-authenticate', 'Bearer realm="holdpoint"');
  if (status === 429) res.setHeader('retry-after', '60');
  const detail = error.code === 'internal' ? 'Holdpoint failed; the log says how.' : error.message;
  const body = {
    type: 'about:blank',
    title: titles[error.code] ?? error.code.replaceAll('_', ' '),
    status,
    detail,
    code: error.code,
    next: error.next,
  };
  sendJson(res, status, body, 'application/problem+json');
}

/** Reads a JSON body. Throws `invalid_argument` on anything else, `body_too_large` over the bound. */
export async function readJsonBody(req: IncomingMessage): Promise<unknown> {
  const type = req.headers['content-type'] ?? '';
  // A form on another site can post text/plain without a preflight; it cannot post this.
  if (!/^application\/json\b/i.test(type)) {
    throw new HoldpointError(
      'invalid_argument',
      'The body must be application/json.',
      'Set Content-Type: application/json.',
    );
  }
  const text = await readText(req);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HoldpointError('invalid_argument', 'The body is not JSON.', '', error);
  }
}

async function readText(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const slow = setTimeout(
    () => req.destroy(new HoldpointError('invalid_argument', 'The body took too long.')),
    bodyMsMax,
  );
  try {
    for await (const chunk of req) {
      const piece: Buffer = Buffer.from(chunk);
      bytes += piece.length;
      if (bytes > bodyBytesMax)
        throw new HoldpointError('body_too_large', `The body exceeds ${bodyBytesMax} bytes.`);
      chunks.push(piece);
    }
  } finally {
    clearTimeout(slow);
  }
  return Buffer.concat(chunks).toString('utf8');
}

interface CompiledRoute {
  readonly route: Route;
  readonly segments: readonly string[];
}

/** Finds the route of a path; `method_not_allowed` and `not_found` are told apart. */
export function compileRoutes(
  routes: readonly Route[],
): (method: string, path: string) => { route: Route; params: Record<string, string> } {
  const compiled: readonly CompiledRoute[] = routes.map((route) => ({
    route,
    segments: route.path.split('/'),
  }));
  return (method, path) => {
    const parts = path.split('/');
    let pathKnown = false;
    for (const { route, segments } of compiled) {
      const params = matchSegments(segments, parts);
      if (params === null) continue;
      pathKnown = true;
      if (route.method === method || (method === 'HEAD' && route.method === 'GET')) return { route, params };
    }
    if (pathKnown)
      throw new HoldpointError('method_not_allowed', `${method} is not possible here.`, 'See /openapi.json.');
    throw new HoldpointError('not_found', 'There is nothing at this path.', 'See /openapi.json.');
  };
}

function matchSegments(segments: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (segments.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [i, segment] of segments.entries()) {
    const part = parts[i] ?? '';
    if (segment.startsWith('{')) params[segment.slice(1, -1)] = part;
    else if (segment !== part) return null;
  }
  return params;
}

/** A bounded integer from the query, or the fallback. */
export function queryInteger(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw new HoldpointError('invalid_argument', `${name} must be a whole number.`);
  }
  return Math.min(value, max);
}
