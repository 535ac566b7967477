/** Everything that lets somebody in to the control port, put together: sessions, the ways to get one, credentials. */
import type { IncomingMessage } from 'node:http';
import type { Clock, RandomBytes, Schedule } from '../../core/clock.ts';
import type { RoleBook } from '../../core/roles.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Identity } from '../../store/token-file.ts';
import { type Authenticated, createAuthenticator } from '../auth.ts';
import type { Route } from '../http.ts';
import type { Caller, Note } from './caller.ts';
import { certificateLogin } from './certificate-login.ts';
import { certificateHolder, type TlsOptions, type TlsServer } from './certificates.ts';
import { createSignInDesk, type OidcOptions } from './desk.ts';
import { createFirstUses } from './first-uses.ts';
import { createServiceAccounts, type KubernetesOptions } from './kubernetes.ts';
import type { Origins } from './origin.ts';
import { signInRoutes } from './routes.ts';
import { sessionOf } from './session-cookie.ts';
import { createSessions, type SessionBounds } from './sessions.ts';

/** Whom tokens belong to, by their hashes. */
export interface Tokens {
  /** Seals the grant first where that is new. Rejects with `ledger_unavailable`. */
  lookUp(hash: string): Promise<Identity | null>;
  /** Of a token that was looked up before. */
  standing(hash: string): Identity | null;
}

export interface SignInOptions {
  readonly tokens: Tokens;
  readonly sessions: SessionBounds;
  /** Null where no provider is configured. */
  readonly oidc: OidcOptions | null;
  /** Null for plain HTTP. */
  readonly tls: TlsOptions | null;
  /** Null where no service account is let in. */
  readonly kubernetes: KubernetesOptions | null;
  readonly schedule: Schedule;
  readonly random: RandomBytes;
}

export interface SignIn {
  readonly routes: readonly Route[];
  authenticate(req: IncomingMessage, note: Note): Promise<Authenticated>;
  /** Ends every session. */
  close(): void;
}

interface SignInParts {
  readonly ledger: Pick<Ledger, 'seal'>;
  readonly clock: Clock;
  readonly roles: RoleBook;
}

/** @param tlsServer the socket's TLS once there is one; null for plain HTTP */
export function openSignIn(
  options: SignInOptions,
  { ledger, clock, roles }: SignInParts,
  origins: Origins,
  tlsServer: () => TlsServer | null,
): SignIn {
  const { schedule, random } = options;
  const sessions = createSessions(options.sessions, clock, schedule, random);
  const { standing, lookUp: token } = options.tokens;
  const publicOrigin = origins.ofPublic;
  const desk = createSignInDesk({
    oidc: options.oidc,
    ...{ token, standing, sessions, ledger, clock, random, publicOrigin },
  });
  const firstUses = createFirstUses(ledger, clock);
  const clients = options.tls?.clients ?? [];
  const certificateNow = (req: IncomingMessage): Caller | null => {
    const takesClients = tlsServer()?.takesClients() === true;
    return takesClients ? (certificateHolder(req, clients, clock)?.caller ?? null) : null;
  };
  const hasCertificate = (req: IncomingMessage): boolean => certificateNow(req) !== null;
  const serviceAccount =
    options.kubernetes === null ? null : createServiceAccounts(options.kubernetes, clock, firstUses);
  return {
    routes: signInRoutes(desk, origins.of, hasCertificate, roles),
    authenticate: createAuthenticator(
      {
        token,
        standing,
        serviceAccount,
        session: (req) => sessionOf(req, origins.of(req), sessions),
        certificate: async (req) => {
          const tls = tlsServer();
          if (tls === null) return undefined;
          // Also while a stream is open and nothing else is asked.
          tls.refresh();
          return certificateLogin(req, { tls, clients, clock, origin: origins.of(req), firstUses });
        },
        certificateNow,
      },
      clock,
    ),
    close: sessions.close,
  };
}
