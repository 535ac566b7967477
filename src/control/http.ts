/** The control port's small HTTP layer: routes, JSON bodies within bounds, RFC 9457 problems. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { type ErrorCode, HoldpointError, httpStatusByCode } from '../core/errors.ts';
import { wrongInput } from '../core/wrong-input.ts';
import { firstInexactNumber } from '../provider/wire/exact-numbers.ts';
import { readJsonText } from '../provider/wire/json.ts';
import type { Problem } from './api/problem.ts';
import type { Operation } from './operation.ts';
import type { Caller, Note } from './sign-in/caller.ts';

export interface ControlRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Values of the `{name}` segments. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Who asks; routes that need nobody get `anonymous`. */
  readonly identity: Caller;
  /** Counts and seals a refusal of one line of an order whose other lines may go on. */
  readonly refused: (code: ErrorCode) => void;
  /**
   * Resolves while the one who asks may still do so. Rejects with `unauthenticated` once their credentials or their role
   * ended: what takes its time must not outlive the right that it began with.
   */
  readonly stillMay: () => Promise<void>;
  /** The same in one step, by what is known without asking anybody: what is sealed next stands under a right that did. */
  readonly requireStanding: () => void;
  /** For the record of a refusal: who it turned out to be, and why in a few words. */
  readonly note: Note;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/api/v1/holds/{id}`. */
  readonly path: string;
  /** The last segment takes what is left of the path, slashes included. */
  readonly takesRest?: true;
  /** A GET that does something, such as to seal that content was read: HEAD, which gives nothing for it, is refused. */
  readonly actsOnGet?: true;
  /** Its body may take longer than others' to arrive. */
  readonly readsLong?: true;
  /** What it is to people outside; null for the console's parts, which need no token and carry no content. */
  readonly operation: Operation | null;
  /** Names it in sealed refusals where it has no operation; it is then for the console's page, and its origin is checked. */
  readonly id?: string;
  /** A browser shows the answer: a refusal is a page and not a problem. */
  readonly forPeople?: true;
  readonly handle: (request: ControlRequest) => Promise<void> | void;
}

export const bodyBytesMax = 4 * 1024 * 1024;
export const bodyMsMax = 15_000;
/** Deeper nesting is no amendment anybody wrote; recursive readers must not be made to find that out. */
const bodyDepthMax = 100;

/** Sent with everything: nothing here may be framed, sniffed, cached or leak where it was read. */
export const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

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
  sign_in_unavailable: 'Nobody can sign in this way just now',
  forbidden: 'Not allowed',
  not_found: 'Not found',
  already_ruled: 'Already ruled',
  digest_mismatch: 'The held bytes are others',
  ruling_expired: 'Too late',
  policy_changed: 'The policy changed',
  signature_required: 'A signature is needed',
  signature_invalid: 'The signature does not hold',
  invalid_argument: 'The request is not valid',
  erased: 'Erased',
  ledger_unavailable: 'The ledger cannot be written',
};

/** The body of a refusal. */
export function problemOf(error: HoldpointError): Problem {
  return {
    type: 'about:blank',
    title: titles[error.code] ?? error.code.replaceAll('_', ' '),
    status: httpStatusByCode[error.code],
    detail: error.code === 'internal' ? 'Holdpoint failed; the log says how.' : error.message,
    code: error.code,
    next: error.next,
  };
}

/** RFC 9457. An answer that has begun is cut, so that nobody takes it for whole. */
export function sendProblem(res: ServerResponse, error: HoldpointError): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const problem = problemOf(error);
  if (problem.status === 401) res.setHeader('www-authenticate', 'Bearer realm="holdpoint"');
  if (problem.status === 429) res.setHeader('retry-after', '60');
  // What is in the way mostly ends soon, and by itself.
  if (problem.code === 'overloaded') res.setHeader('retry-after', '2');
  // What is left of a refused body is not waited for.
  if (!res.req.complete) res.setHeader('connection', 'close');
  sendJson(res, problem.status, problem, 'application/problem+json');
}

/** A refusal as a page, for a browser that came by a link. The texts are ours; nothing of the request is in them. */
export function sendRefusalPage(res: ServerResponse, error: HoldpointError): void {
  const { status, title, detail, next } = problemOf(error);
  if (status === 429) res.setHeader('retry-after', '60');
  const lines = [title, detail, next].map((line) => line.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`));
  const [heading = '', ...rest] = lines;
  const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${heading} · Holdpoint</title></head>
<body><main><h1>${heading}</h1>${rest.map((line) => `<p>${line}</p>`).join('')}<p><a href="/">To the console</a></p></main></body></html>
`;
  sendText(res, status, page, 'text/html; charset=utf-8');
}

/**
 * Reads a JSON body. Throws `invalid_argument` on anything else, `body_too_large` over the bound, and what `stillMay` throws
 * once it has arrived: a right that ends meanwhile orders nothing.
 */
export async function readJsonBody({
  req,
  stillMay,
}: Pick<ControlRequest, 'req' | 'stillMay'>): Promise<unknown> {
  const type = req.headers['content-type'] ?? '';
  // A form on another site can post text/plain without a preflight; it cannot post this.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new HoldpointError(
      'invalid_argument',
      'The body must be application/json.',
      'Set Content-Type: application/json.',
    );
  }
  const bytes = await readBytes(req);
  await stillMay();
  // What is no text would become another one, and be sealed as if it had been sent.
  if (!isUtf8(bytes)) throw new HoldpointError('invalid_argument', 'It is not valid UTF-8.');
  return parseJson(bytes.toString('utf8'));
}

/** Reads a JSON body of a form. Throws what `readJsonBody` throws. */
export async function readOrder<T>(
  request: Pick<ControlRequest, 'req' | 'stillMay'>,
  schema: z.ZodType<T>,
): Promise<T> {
  return checkOrder(schema, await readJsonBody(request));
}

/** What somebody asks for, checked. Throws `invalid_argument`. */
export function checkOrder<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HoldpointError('invalid_argument', wrongInput(parsed.error), 'See /openapi.json.');
}

/**
 * The value of a JSON text that somebody sent. Throws `invalid_argument` where it is none, nests too deeply, has a key
 * twice, or a number that a double does not keep: whoever reads it elsewhere, such as what a reviewer signed, may take the
 * other one.
 */
export function parseJson(text: string): unknown {
  if (depthOf(text) > bodyDepthMax)
    throw new HoldpointError('invalid_argument', `It nests deeper than ${bodyDepthMax} levels.`);
  const { value, defect } = readJsonText(text, 'It');
  if (defect !== '') throw new HoldpointError('invalid_argument', `${defect}.`);
  const inexact = firstInexactNumber(text).slice(0, 80);
  if (inexact === '') return value;
  throw new HoldpointError(
    'invalid_argument',
    `The number ${inexact} would be sealed, and sent on, as ${Number(inexact)}.`,
    'Write it so that a double keeps it, or as a text where its reader takes one.',
  );
}

function readBytes(req: IncomingMessage): Promise<Buffer> {
  const tooLarge = () => new HoldpointError('body_too_large', `The body exceeds ${bodyBytesMax} bytes.`);
  if (Number(req.headers['content-length'] ?? 0) > bodyBytesMax) return Promise.reject(tooLarge());
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const slow = setTimeout(
    () => reject(new HoldpointError('invalid_argument', 'The body took too long.')),
    bodyMsMax,
  );
  const take = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) reject(tooLarge());
    else chunks.push(chunk);
  };
  req.on('data', take);
  req.once('end', () => resolve(Buffer.concat(chunks)));
  const cutOff = (cause?: unknown) =>
    reject(new HoldpointError('invalid_argument', 'The body was cut off.', '', cause));
  // Node says so by an error that is its own, and not by the close alone.
  req.once('error', cutOff);
  req.once('close', () => cutOff());
  return promise.finally(() => {
    clearTimeout(slow);
    req.off('data', take);
  });
}

/** How deep the brackets of a JSON text nest, strings left out; one pass, nothing is built. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i += 1;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x5d || c === 0x7d) depth -= 1;
  }
  return deepest;
}

interface CompiledRoute {
  readonly route: Route;
  readonly segments: readonly string[];
}

export interface Found {
  /** Null where the path is known and the method is not possible on it. */
  readonly route: Route | null;
  readonly params: Readonly<Record<string, string>>;
  /** The methods of the path, for `Allow`. */
  readonly methods: readonly string[];
}

/** Finds the route of a path; null where there is nothing at all. */
export function compileRoutes(routes: readonly Route[]): (method: string, path: string) => Found | null {
  const compiled: readonly CompiledRoute[] = routes.map((route) => ({
    route,
    segments: route.path.split('/'),
  }));
  return (method, path) => {
    const parts = path.split('/');
    const methods: string[] = [];
    for (const { route, segments } of compiled) {
      const params = matchSegments(segments, route.takesRest ? withRest(parts, segments.length) : parts);
      if (params === null) continue;
      const own = route.method === 'GET' && route.actsOnGet !== true ? ['GET', 'HEAD'] : [route.method];
      if (own.includes(method)) return { route, params, methods: [] };
      methods.push(...own);
    }
    return methods.length === 0 ? null : { route: null, params: {}, methods };
  };
}

function withRest(parts: readonly string[], count: number): readonly string[] {
  return parts.length <= count ? parts : [...parts.slice(0, count - 1), parts.slice(count - 1).join('/')];
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
