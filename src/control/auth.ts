/** Who may talk to the control port: the right host name, the right origin, and credentials that are known. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import { type Identity, tokenHash, tokenPrefix } from '../store/token-file.ts';
import { type Attempts, createAttempts } from './sign-in/attempts.ts';
import type { Caller, Note } from './sign-in/caller.ts';
import { type Session, sessionKeyHeader } from './sign-in/sessions.ts';

const failuresPerMinuteMax = 20;

/**
 * Refuses requests that a page of another site makes a browser send: a Host that is a name nobody configured
 * (DNS rebinding), an Origin that is not this server, a cross-site fetch. IP addresses cannot be rebound.
 */
export function checkOrigin(req: IncomingMessage, hostNames: ReadonlySet<string>): void {
  const host = req.headers.host ?? '';
  const name = hostName(host);
  if (!(isIP(name) !== 0 || name === 'localhost' || hostNames.has(name))) {
    throw new HoldpointError(
      'forbidden',
      'This host name is not configured for the control port.',
      'Add it to control.hosts, or use the address.',
    );
  }
  const { origin } = req.headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    throw new HoldpointError('forbidden', 'Requests from other origins are refused.');
  }
  if (req.headers['sec-fetch-site'] === 'cross-site' && req.headers['sec-fetch-mode'] !== 'navigate') {
    throw new HoldpointError('forbidden', 'Cross-site requests are refused.');
  }
}

/** URLs are logged on the way: a token in one is refused whatever it is called, so that nobody gets used to it. */
export function refuseTokenInUrl(query: URLSearchParams): void {
  const named = query.has('token') || query.has('access_token');
  if (!named && ![...query].flat().some(isLikeToken)) return;
  throw new HoldpointError(
    'unauthenticated',
    'A token does not belong in a URL.',
    'Send it as Authorization: Bearer, and replace this one: URLs are logged.',
  );
}

/** Longer than what a sign-in has in its URL, which may begin so by chance. */
function isLikeToken(value: string): boolean {
  return value.startsWith(tokenPrefix) && value.length >= tokenPrefix.length + 43;
}

/**
 * Refuses what the console's own page did not send. For credentials that a browser sends by itself, cookies and client
 * certificates: whoever made it send the request has neither this origin nor the key.
 */
export function checkSentByPage(req: IncomingMessage, origin: string): void {
  const isOwn = req.headers.origin === undefined || req.headers.origin === origin;
  const site = req.headers['sec-fetch-site'];
  const isSafe = req.method === 'GET' || req.method === 'HEAD';
  // A browser says at least one of them with whatever changes something.
  const isSaid = isSafe || req.headers.origin !== undefined || site !== undefined;
  if (isOwn && isSaid && (site === undefined || site === 'same-origin') && sessionKeyOf(req) !== null) return;
  const isBehindTls = !isOwn && req.headers.origin === `https://${req.headers.host}`;
  throw new HoldpointError(
    'forbidden',
    'A session is used by the console’s own page alone.',
    isBehindTls
      ? 'Where TLS ends in front of this port, set control.publicUrl to the address in the browser.'
      : 'Send a token as Authorization: Bearer instead.',
  );
}

/** The page's key; null where there is none. */
export function sessionKeyOf(req: IncomingMessage): string | null {
  const value = req.headers[sessionKeyHeader];
  return typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : null;
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]+)\](:\d+)?$/.exec(host);
  return (bracketed?.[1] ?? host.replace(/:\d+$/, '')).toLowerCase();
}

/**
 * Whose token it is; null for nobody's. Rejects with `forbidden` where the account has no role, and with
 * `sign_in_unavailable`. With `mayAsk` false nobody is asked beyond what is known already.
 */
export type ServiceAccounts = (
  token: string,
  from: string,
  mayAsk: boolean,
  note: Note,
) => Promise<Caller | null>;

/** What a request can show, in the order in which it is looked at. */
export interface Credentials {
  /** Whom the token of this hash belongs to. */
  readonly token: (hash: string) => Promise<Identity | null>;
  /** The same of one that was asked for before, as the file has it at this moment. */
  readonly standing: (hash: string) => Identity | null;
  /** Null where no service account is let in. */
  readonly serviceAccount: ServiceAccounts | null;
  /** Undefined where no cookie came along. Throws `forbidden` where the page did not send it. */
  readonly session: (req: IncomingMessage) => Session | null | undefined;
  /** Undefined where no certificate came along. Throws `forbidden` as above. */
  readonly certificate: (req: IncomingMessage) => Promise<Caller | null | undefined>;
  /** Whom the certificate of a request that was let in names at this moment. */
  readonly certificateNow: (req: IncomingMessage) => Caller | null;
}

export interface Authenticated {
  readonly caller: Caller;
  /** Null where the request carries its credentials itself. */
  readonly session: Session | null;
  /** Who the same credentials show now; null once they show nobody. Rejects as the first look does. */
  readonly again: () => Promise<Caller | null>;
  /** The same without waiting for anybody: of a service account, what the cluster said last. */
  readonly now: () => Caller | null;
}

/**
 * Builds the check of credentials; failures are counted by address and slowed with 429, valid tokens always pass. A
 * request that shows a token is judged by that token alone.
 */
export function createAuthenticator(
  credentials: Credentials,
  clock: Clock,
): (req: IncomingMessage, note: Note) => Promise<Authenticated> {
  const attempts = createAttempts(clock, failuresPerMinuteMax);
  return async (req, note) => {
    const from = req.socket.remoteAddress ?? '';
    const { authorization } = req.headers;
    if (authorization !== undefined) {
      const again = () => bearerOf(authorization, from, credentials, attempts, note);
      const caller = await again();
      if (caller === null) throw failed(attempts, from);
      const shown = tokenShown(authorization);
      const now = () => (shown === undefined ? caller : credentials.standing(tokenHash(shown)));
      return { caller, session: null, again, now };
    }
    const session = credentials.session(req);
    if (session != null) {
      const now = () => session.current();
      return { caller: session.caller, session, again: async () => now(), now };
    }
    const again = async () => (await credentials.certificate(req)) ?? null;
    const caller = await credentials.certificate(req);
    if (caller != null) return { caller, session: null, again, now: () => credentials.certificateNow(req) };
    // Nothing was guessed.
    if (session === undefined && caller === undefined) throw unknownToken();
    throw failed(
      attempts,
      from,
      session === null ? 'The session is over.' : 'The certificate names nobody here.',
    );
  };
}

/** The control token in the field; undefined for credentials of another kind. */
function tokenShown(authorization: string): string | undefined {
  // The name of the scheme has no case (RFC 9110 section 11.1).
  return /^Bearer ([A-Z0-9_-]{16,128})$/i.exec(authorization)?.[1];
}

async function bearerOf(
  authorization: string,
  from: string,
  { token, serviceAccount }: Credentials,
  attempts: Attempts,
  note: Note,
): Promise<Caller | null> {
  const shown = tokenShown(authorization);
  if (shown !== undefined) return token(tokenHash(shown));
  const signed = /^Bearer ([A-Z0-9_-]+\.[A-Z0-9_-]+\.[A-Z0-9_-]+)$/i.exec(authorization)?.[1];
  if (signed === undefined || serviceAccount === null) return null;
  // The cluster is asked for what it does not know yet: whoever guesses does not get to ask it without end.
  return serviceAccount(signed, from, !attempts.isOver(from), note);
}

function failed(attempts: Attempts, from: string, message?: string): HoldpointError {
  if (!attempts.count(from)) return unknownToken(message);
  return new HoldpointError('too_many_attempts', 'Too many failed attempts.', 'Wait a minute.');
}

function unknownToken(message = 'The token is missing or not known.'): HoldpointError {
  return new HoldpointError(
    'unauthenticated',
    message,
    'Make one with: holdpoint token new --name NAME --role ROLE, and send it as Authorization: Bearer.',
  );
}
