/** The control plane's socket: host and origin check, token, route, problem. Shares nothing with the data plane but parts. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { Identity } from '../store/token-file.ts';
import { checkOrigin, createAuthenticator } from './auth.ts';
import { compileRoutes, type Route, sendProblem, setSecurityHeaders } from './http.ts';
import type { ControlParts } from './parts.ts';
import { consoleRoutes } from './routes/console.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { holdRoutes } from './routes/holds.ts';
import { ledgerRoutes } from './routes/ledger.ts';
import { openapiRoutes } from './routes/openapi.ts';

export interface ControlListener {
  readonly url: string;
  close(): Promise<void>;
}

export interface ControlOptions {
  readonly host: string;
  readonly port: number;
  readonly hostNames: readonly string[];
  readonly lookUp: (token: string) => Identity | null;
  readonly onRefused: (code: string) => void;
}

const anonymous: Identity = { name: 'anonymous', role: 'viewer' };
const requestMsMax = 30_000;
const headerBytesMax = 16 * 1024;

/** Listens; rejects with `config_invalid` when the address is taken. */
export async function listenControl(options: ControlOptions, parts: ControlParts): Promise<ControlListener> {
  const routes: Route[] = [
    ...healthRoutes(parts),
    ...holdRoutes(parts),
    ...decisionRoutes(parts),
    ...ledgerRoutes(parts),
    ...eventRoutes(parts),
    ...openapiRoutes(),
    ...consoleRoutes(),
  ];
  const find = compileRoutes(routes);
  const authenticate = createAuthenticator(options.lookUp, parts.clock);
  const hostNames = new Set(options.hostNames.map((name) => name.toLowerCase()));

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    setSecurityHeaders(res);
    try {
      const url = new URL(req.url ?? '/', 'http://control.invalid');
      const { route, params } = find(req.method ?? 'GET', url.pathname);
      // Probes come with the pod's address as Host and from agents that send no Origin; they carry nothing.
      if (route.needsToken || url.pathname === '/') checkOrigin(req, hostNames);
      if (url.searchParams.has('token') || url.searchParams.has('access_token')) {
        throw new HoldpointError(
          'unauthenticated',
          'A token does not belong in a URL.',
          'Send it as Authorization: Bearer, and replace this one: URLs are logged.',
        );
      }
      const identity = route.needsToken ? authenticate(req) : anonymous;
      await route.handle({ req, res, params, query: url.searchParams, identity });
    } catch (thrown) {
      const error =
        thrown instanceof HoldpointError
          ? thrown
          : new HoldpointError('internal', messageOf(thrown), '', thrown);
      if (error.code === 'internal' || error.code === 'ledger_damaged')
        parts.onError('A control call failed', thrown);
      options.onRefused(error.code);
      sendProblem(res, error);
    }
  }

  const server = createServer(
    { requestTimeout: requestMsMax, headersTimeout: requestMsMax, maxHeaderSize: headerBytesMax },
    (req, res) => {
      serve(req, res).catch((error: unknown) => {
        parts.onError('A control call failed', error);
        res.destroy();
      });
    },
  );
  await listening(server, options);
  return { url: urlOf(server), close: () => closeServer(server) };
}

function listening(server: Server, { host, port }: ControlOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error) => {
    reject(
      new HoldpointError(
        'config_invalid',
        `Cannot listen on ${host}:${port}: ${error.message}.`,
        'Choose another control.listen or stop what uses it.',
        error,
      ),
    );
  });
  server.listen(port, host, resolve);
  return promise;
}

function urlOf(server: Server): string {
  const address = server.address();
  if (typeof address !== 'object' || address === null) return '';
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
}
