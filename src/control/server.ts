/** The control plane's socket: host and origin check, credentials, route, problem. Shares nothing with the data plane but parts. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { lacksHost } from '../core/http-message.ts';
import { listening } from '../core/listening.ts';
import { createServer } from '../core/node-http.ts';
import { checkOrigin, refuseTokenInUrl } from './auth.ts';
import {
  compileRoutes,
  problemOf,
  type Route,
  securityHeaders,
  sendProblem,
  sendRefusalPage,
  setSecurityHeaders,
} from './http.ts';
import { noParameters, readQuery, requireRole } from './operation.ts';
import type { ControlParts } from './parts.ts';
import { createRefusals } from './refusals.ts';
import { backtestRoutes } from './routes/backtest.ts';
import { bulkRoutes } from './routes/bulk-rulings.ts';
import { consoleRoutes } from './routes/console.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { delegationRoutes } from './routes/delegations.ts';
import { deliberationRoutes } from './routes/deliberation.ts';
import { erasureRoutes } from './routes/erasures.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { holdRoutes } from './routes/holds.ts';
import { keyRoutes } from './routes/keys.ts';
import { ledgerRoutes } from './routes/ledger.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { openapiRoutes } from './routes/openapi.ts';
import { policyRoutes } from './routes/policy.ts';
import { reportRoutes } from './routes/reports.ts';
import { reviewerKeyRoutes } from './routes/reviewer-keys.ts';
import { reviewRoutes } from './routes/reviews.ts';
import { summaryRoutes } from './routes/summary.ts';
import type { Caller, Note } from './sign-in/caller.ts';
import { openTlsServer } from './sign-in/certificates.ts';
import { openSignIn, type SignInOptions } from './sign-in/open.ts';
import { openOrigins } from './sign-in/origin.ts';
import { createUnderWay, whenSent } from './under-way.ts';

export interface ControlListener {
  readonly url: string;
  close(): Promise<void>;
}

export interface ControlOptions extends SignInOptions {
  readonly host: string;
  readonly port: number;
  readonly hostNames: readonly string[];
  /** Scheme, host and port under which browsers come; null for those of the socket. */
  readonly publicUrl: string | null;
  readonly onRefused: (code: string) => void;
}

/** What is known of a call when it is refused. */
interface Asked {
  operation: string;
  by: string;
  role: string;
  why: string;
  forPeople: boolean;
}

const anonymous: Caller = { name: 'anonymous', role: 'viewer' };
/** Ours, and not the caller's. */
const failures: ReadonlySet<string> = new Set(['internal', 'ledger_damaged', 'sign_in_unavailable']);
const requestMsMax = 30_000;
/** How long answers may take to end when the sidecar stops. */
const lastAnswersMsMax = 2_000;
/** Of a body that is read as fast as it can be sealed. */
const longRequestMsMax = 600_000;
const httpBounds = {
  requestTimeout: longRequestMsMax,
  headersTimeout: requestMsMax,
  maxHeaderSize: 16 * 1024,
  // Refused as everything else is: node:http's own answer is no problem+json.
  requireHostHeader: false,
};

/** Listens; rejects with `config_invalid` when the address is taken. */
export async function listenControl(options: ControlOptions, parts: ControlParts): Promise<ControlListener> {
  const origins = openOrigins(options.publicUrl);
  const signIn = openSignIn(options, parts, origins, () => tls);
  const described: Route[] = [
    ...healthRoutes(parts),
    ...holdRoutes(parts),
    ...deliberationRoutes(parts),
    ...delegationRoutes(parts),
    ...bulkRoutes(parts),
    ...reviewRoutes(parts),
    ...decisionRoutes(parts),
    ...reportRoutes(parts),
    ...erasureRoutes(parts),
    ...ledgerRoutes(parts),
    ...policyRoutes(parts),
    ...backtestRoutes(parts),
    ...summaryRoutes(parts),
    ...keyRoutes(parts),
    ...reviewerKeyRoutes(parts),
    ...notificationRoutes(parts),
    ...eventRoutes(parts),
    ...signIn.routes,
    ...consoleRoutes(),
  ];
  const routes = [...described, ...openapiRoutes(described)];
  const find = compileRoutes(routes);
  const hostNames = new Set(
    [...options.hostNames, ...origins.publicHostNames].map((name) => name.toLowerCase()),
  );

  const refusals = createRefusals(parts.ledger, (error) => parts.onError('A refusal was not sealed', error));

  function noteRefusal(req: IncomingMessage, { by, role, operation, why }: Asked, code: string): void {
    options.onRefused(code);
    const from = req.socket.remoteAddress ?? '';
    refusals.take({ by, role, operation, code, from, ...(why === '' ? {} : { why }) });
  }

  async function answer(
    req: IncomingMessage,
    res: ServerResponse,
    asked: Asked,
    liftLimit: () => void,
  ): Promise<void> {
    if (lacksHost(req))
      throw new HoldpointError('bad_request', 'An HTTP/1.1 request has a Host header.', 'Send one.');
    const { pathname, searchParams } = urlOfRequest(req);
    refuseTokenInUrl(searchParams);
    const found = find(req.method ?? 'GET', pathname);
    if (found === null)
      throw new HoldpointError(
        'not_found',
        'There is nothing at this path.',
        'See /openapi.json. Calls to a model provider go to the port of proxy.listen.',
      );
    const { route, params, methods } = found;
    if (route === null) {
      res.setHeader('allow', methods.join(', '));
      throw new HoldpointError(
        'method_not_allowed',
        'This method is not possible here.',
        `Use ${methods.join(' or ')}; see /openapi.json.`,
      );
    }
    const { operation } = route;
    asked.operation = operation?.id ?? route.id ?? '';
    asked.forPeople = route.forPeople === true;
    const needsToken = operation !== null && operation.roles !== null;
    // Probes come with the pod's address as Host and from agents that send no Origin; they carry nothing.
    if (needsToken || pathname === '/' || route.id !== undefined) checkOrigin(req, hostNames);
    const note: Note = (about) => void Object.assign(asked, about);
    let identity = anonymous;
    let stillMay = (): Promise<void> => Promise.resolve();
    let requireStanding = (): void => undefined;
    if (needsToken) {
      const { caller, session, again, now } = await signIn.authenticate(req, note);
      identity = caller;
      stillMay = async () => requireSame(caller, await again());
      requireStanding = () => requireSame(caller, now());
      session?.cover(res);
      asked.by = identity.name;
      asked.role = identity.role;
      requireRole(operation, identity.role, parts.roles);
      if (operation.query === undefined) readQuery(searchParams, noParameters);
    }
    // Finding out who asks can take a while. Whoever left meanwhile reads nothing, and says so no second time.
    if (res.closed) return;
    // Only now: whoever is refused does not get to send for longer.
    if (route.readsLong === true) liftLimit();
    const refused = (code: string): void => noteRefusal(req, asked, code);
    const asks = { identity, refused, stillMay, requireStanding, note };
    await route.handle({ req, res, params, query: searchParams, ...asks });
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    setSecurityHeaders(res);
    tls?.refresh();
    // It ended the connection: its certificate is of an authority that does not count any more.
    if (req.socket.destroyed) return;
    const liftLimit = limitReceiving(req, res);
    const asked: Asked = { operation: '', by: '', role: '', why: '', forPeople: false };
    try {
      await answer(req, res, asked, liftLimit);
    } catch (thrown) {
      const error =
        thrown instanceof HoldpointError
          ? thrown
          : new HoldpointError('internal', messageOf(thrown), '', thrown);
      if (failures.has(error.code)) parts.onError('A control call failed', thrown);
      noteRefusal(req, asked, error.code);
      if (asked.forPeople && !res.headersSent) sendRefusalPage(res, error);
      else sendProblem(res, error);
    }
  }

  const underWay = createUnderWay(options.schedule);
  let closing = false;
  const take = (req: IncomingMessage, res: ServerResponse): void => {
    if (closing) {
      res.setHeader('connection', 'close');
      sendProblem(res, new HoldpointError('shutting_down', 'The sidecar stops.', 'Ask again once it runs.'));
      return;
    }
    const answered = serve(req, res).catch((error: unknown) => {
      parts.onError('A control call failed', error);
      res.destroy();
    });
    underWay.add(answered.then(() => whenSent(res)));
  };
  const tls = options.tls === null ? null : openTlsServer(options.tls, httpBounds, take, parts.onError);
  const server = tls?.server ?? createServer(httpBounds, take);
  server.on('clientError', refuseUnreadable);
  const bound = await listening(server, options, 'control.listen');
  const url = `${tls === null ? 'http' : 'https'}://${bound}`;
  origins.bind(url);
  return {
    url,
    close: async () => {
      signIn.close();
      closing = true;
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await underWay.ended(lastAnswersMsMax);
      // Streams of events, and whoever sends or reads too slowly.
      if (tls === null) server.closeAllConnections();
      else tls.cut();
      await closed.promise;
      refusals.flush();
    },
  };
}

/**
 * Whoever sends slowly does not keep a connection, answered or not: what is not whole by then is cut off. Returns what
 * lifts the limit, up to that of the server.
 */
function limitReceiving(req: IncomingMessage, res: ServerResponse): () => void {
  const slow = setTimeout(() => {
    if (!req.complete) req.socket.destroy();
  }, requestMsMax).unref();
  const lift = (): void => clearTimeout(slow);
  // An answer can be over before the request is.
  res.once('close', () => {
    if (req.complete) lift();
  });
  return lift;
}

function urlOfRequest({ url = '/' }: IncomingMessage): URL {
  try {
    // Alone, two slashes in front would name a host, and what follows be another path than the one that proxies saw.
    return new URL(url.startsWith('/') ? `http://control.invalid${url}` : url);
  } catch (error) {
    throw new HoldpointError('invalid_argument', 'The path cannot be read.', 'See /openapi.json.', error);
  }
}

/** The one whom a request began with, in the role that was checked then. Throws `unauthenticated`. */
function requireSame({ name, role }: Caller, now: Caller | null): void {
  if (now?.name === name && now.role === role) return;
  throw new HoldpointError(
    'unauthenticated',
    'The right to ask for this has ended meanwhile.',
    'Ask again with what you have now.',
  );
}

/** What Node's parser refuses never becomes a request; it still gets a problem and the same headers. */
function refuseUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(
    problemOf(new HoldpointError('bad_request', 'The request is not HTTP that can be read in time.')),
  );
  const headers = {
    ...securityHeaders,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 400 Bad Request\r\n${lines.join('')}\r\n${body}`);
}
