/**
 * The console's own way in: what it may offer, a token for a session, the way to an OpenID provider and back, the way
 * out. For the page alone, so that none of it is part of the described API.
 */
import type { IncomingMessage } from 'node:http';
import { HoldpointError } from '../../core/errors.ts';
import type { RoleBook } from '../../core/roles.ts';
import type { IdentityShown } from '../api/sidecar.ts';
import { checkSentByPage, sessionKeyOf } from '../auth.ts';
import { type ControlRequest, type Route, sendJson } from '../http.ts';
import type { Caller } from './caller.ts';
import { callbackPath, type SignInDesk, type Visit } from './desk.ts';

/**
 * @param originOf the origin under which the browser reached this port
 * @param hasCertificate whether the connection's certificate names somebody: the page then needs nothing else
 */
export function signInRoutes(
  desk: SignInDesk,
  originOf: (req: IncomingMessage) => URL,
  hasCertificate: (req: IncomingMessage) => boolean,
  book: RoleBook,
): Route[] {
  const visitOf = ({ req }: ControlRequest): Visit => ({
    req,
    origin: originOf(req),
    from: req.socket.remoteAddress ?? '',
  });
  /** Only the page begins a session, and only with a key of its own. */
  function pageVisit(request: ControlRequest): { visit: Visit; pageKey: string } {
    const visit = visitOf(request);
    checkSentByPage(request.req, visit.origin.origin);
    return { visit, pageKey: sessionKeyOf(request.req) ?? '' };
  }
  return [
    {
      method: 'GET',
      path: '/sign-in',
      operation: null,
      id: 'signInOffer',
      handle: ({ req, res }) => sendJson(res, 200, { oidc: desk.offer(), certificate: hasCertificate(req) }),
    },
    {
      method: 'POST',
      path: '/sign-in/token',
      operation: null,
      id: 'signInByToken',
      handle: async (request) => {
        const { visit, pageKey } = pageVisit(request);
        const { caller, cookies } = await desk.byToken(visit, tokenIn(request.req), pageKey);
        request.res.setHeader('set-cookie', cookies);
        sendJson(request.res, 201, identityShown(caller, book));
      },
    },
    {
      method: 'POST',
      path: '/sign-in/oidc',
      operation: null,
      id: 'signInByOidc',
      handle: async (request) => {
        const { visit, pageKey } = pageVisit(request);
        const { url, cookies } = await desk.begin(visit, pageKey);
        request.res.setHeader('set-cookie', cookies);
        sendJson(request.res, 200, { url });
      },
    },
    {
      method: 'GET',
      path: callbackPath,
      operation: null,
      id: 'signInByOidc',
      actsOnGet: true,
      forPeople: true,
      handle: async (request) => {
        const { res, query } = request;
        const { cookies } = await desk.complete(visitOf(request), query, request.note);
        res.setHeader('set-cookie', cookies);
        res.writeHead(303, { location: '/' });
        res.end();
      },
    },
    {
      method: 'POST',
      path: '/sign-out',
      operation: null,
      id: 'signOut',
      handle: async (request) => {
        const { visit } = pageVisit(request);
        request.res.setHeader('set-cookie', await desk.signOut(visit));
        sendJson(request.res, 200, {});
      },
    },
  ];
}

/** What `whoami` says of somebody. */
export function identityShown({ name, role, display }: Caller, book: RoleBook): IdentityShown {
  const permissions = book.permissionsOf(role);
  return { name, role, permissions, ...(display === undefined ? {} : { display }) };
}

function tokenIn(req: IncomingMessage): string {
  const token = /^Bearer ([A-Za-z0-9_-]{16,128})$/.exec(req.headers.authorization ?? '')?.[1];
  if (token !== undefined) return token;
  throw new HoldpointError('unauthenticated', 'There is no token.', 'Send it as Authorization: Bearer.');
}
