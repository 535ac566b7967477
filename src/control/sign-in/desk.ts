/**
 * How people get a session of the console: by a token that they paste, or at an OpenID provider. Every session begins
 * with an entry that is durable before its cookie is given out, and ends here and not only in the browser.
 */
import type { IncomingMessage } from 'node:http';
import { sha256Hex } from '../../core/bytes.ts';
import type { Clock, RandomBytes } from '../../core/clock.ts';
import { type ErrorCode, HoldpointError } from '../../core/errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { type Identity, tokenHash } from '../../store/token-file.ts';
import { createAttempts } from './attempts.ts';
import { type Caller, displayOf, type Note } from './caller.ts';
import { cookieName, readCookie, setCookie } from './cookies.ts';
import type { Claims } from './id-token.ts';
import { type OidcProvider, type OidcSettings, openOidcProvider } from './oidc-provider.ts';
import { unavailable } from './outgoing.ts';
import { createPlaces } from './places.ts';
import { sealAdmission } from './record.ts';
import { createRoundTrips, roundTripMsMax } from './round-trip.ts';
import type { Sessions, Via } from './sessions.ts';

export interface OidcOptions extends OidcSettings {
  readonly groupsClaim: string;
  /** The first that fits counts. */
  readonly roles: readonly { readonly group: string; readonly role: string }[];
  readonly label: string;
}

export interface SignInDeskOptions {
  readonly oidc: OidcOptions | null;
  /** Whom the token of a hash belongs to, and whom one that was asked for before belongs to still. */
  readonly token: (hash: string) => Promise<Identity | null>;
  readonly standing: (hash: string) => Identity | null;
  readonly sessions: Sessions;
  readonly ledger: Pick<Ledger, 'seal'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** As the provider knows it; people come back there. */
  readonly publicOrigin: () => string;
}

/** Where a browser came to, and from. */
export interface Visit {
  readonly req: IncomingMessage;
  /** As the browser sees it. */
  readonly origin: URL;
  readonly from: string;
}

export interface SignedIn {
  readonly caller: Caller;
  readonly cookies: readonly string[];
}

export interface SignInDesk {
  /** What the console offers beside tokens, and where; null for nothing. */
  readonly offer: () => { readonly label: string; readonly origin: string } | null;
  /** Exchanges a token for a session. */
  byToken(visit: Visit, token: string, pageKey: string): Promise<SignedIn>;
  /** The address of the provider, and the cookie to go there with. */
  begin(
    visit: Visit,
    pageKey: string,
  ): Promise<{ readonly url: string; readonly cookies: readonly string[] }>;
  /** Somebody came back from the provider. */
  complete(visit: Visit, query: URLSearchParams, note: Note): Promise<SignedIn>;
  signOut(visit: Visit): Promise<readonly string[]>;
}

/** By address, which an office or an ingress has in common: beyond it failures get 429, and who is known still passes. */
const failuresPerMinuteMax = 20;
const theirs: readonly ErrorCode[] = ['unauthenticated', 'forbidden'];
/** By person: each is an entry in the ledger. */
const admissionsPerMinuteMax = 30;
/** Each asks the provider, which may take its time, and codes are easily made up: see `createPlaces`. */
const redeemingAtOnceMax = 32;
export const callbackPath = '/sign-in/oidc/callback';

export function createSignInDesk(options: SignInDeskOptions): SignInDesk {
  const { oidc, sessions, ledger, clock } = options;
  const provider = oidc === null ? null : openOidcProvider(oidc, clock);
  const trips = createRoundTrips(clock, options.random);
  const failures = createAttempts(clock, failuresPerMinuteMax);
  const admissions = createAttempts(clock, admissionsPerMinuteMax);
  const redeeming = createPlaces(redeemingAtOnceMax);

  function configured(): { provider: OidcProvider; oidc: OidcOptions } {
    if (provider !== null && oidc !== null) return { provider, oidc };
    throw new HoldpointError('not_found', 'No OpenID provider is configured.', 'Use a token.');
  }

  /** The session before ends whoever it was: no id from before a sign-in is worth anything after it. */
  function endBefore({ req, origin }: Visit): void {
    const before = readCookie(req, cookieName('session', origin));
    if (before !== null) sessions.end(before);
  }

  async function admit(visit: Visit, session: Admitted): Promise<SignedIn> {
    const { caller, via, grant, keyHash, current } = session;
    if (admissions.count(caller.name)) throw tooMany();
    await sealAdmission(ledger, caller, { action: 'sign in', via, grant, from: visit.from });
    endBefore(visit);
    const id = sessions.start({ via, keyHash, current }, caller);
    return { caller, cookies: [setCookie('session', visit.origin, id)] };
  }

  async function returned(visit: Visit, query: URLSearchParams, note: Note): Promise<SignedIn> {
    const at = configured();
    const trip = trips.resume(
      readCookie(visit.req, cookieName('sign-in', visit.origin)),
      query.get('state') ?? '',
    );
    await checkAnswer(query, at, note);
    const redirectUri = options.publicOrigin() + callbackPath;
    const giveBack = redeeming.take(visit.from);
    if (giveBack === null) throw unavailable('Too many people sign in at once.');
    const code = query.get('code') ?? '';
    const claims = await at.provider.redeem({ ...trip, code, redirectUri }).finally(giveBack);
    const { caller, grant } = callerOf(claims, at.oidc, note);
    trips.finish(trip);
    const current = (): Caller => caller;
    const signedIn = await admit(visit, { caller, via: 'oidc', grant, keyHash: trip.keyHash, current });
    return { caller, cookies: [...signedIn.cookies, setCookie('sign-in', visit.origin, '', 0)] };
  }

  return {
    offer: () => (oidc === null ? null : { label: oidc.label, origin: options.publicOrigin() }),
    byToken: async (visit, token, pageKey) => {
      const hash = tokenHash(token);
      const caller = await options.token(hash);
      if (caller === null) {
        if (failures.count(visit.from)) throw tooMany();
        throw new HoldpointError(
          'unauthenticated',
          'The token is not known.',
          'Make one with: holdpoint token new --name NAME --role ROLE.',
        );
      }
      const current = (): Caller | null => options.standing(hash);
      return admit(visit, { caller, via: 'token', grant: '', keyHash: sha256Hex(pageKey), current });
    },
    begin: async (visit, pageKey) => {
      const at = configured().provider;
      requirePublic(visit.origin, options.publicOrigin());
      // Its cookie is Strict and does not come along on the way back.
      endBefore(visit);
      const trip = trips.begin(sha256Hex(pageKey));
      const url = await at.authorizationUrl({ ...trip, redirectUri: options.publicOrigin() + callbackPath });
      return {
        url: url.href,
        cookies: [setCookie('sign-in', visit.origin, trip.value, roundTripMsMax / 1000)],
      };
    },
    complete: async (visit, query, note) => {
      try {
        return await returned(visit, query, note);
      } catch (error) {
        // An outage, here or at the provider, is no failure of theirs, and they are told of it however many they are.
        const isTheirs = error instanceof HoldpointError && theirs.includes(error.code);
        if (isTheirs && failures.count(visit.from)) throw tooMany();
        throw error;
      }
    },
    signOut: async (visit) => {
      const id = readCookie(visit.req, cookieName('session', visit.origin));
      const ended = id === null ? null : sessions.end(id);
      if (ended !== null)
        await sealAdmission(ledger, ended.caller, {
          action: 'sign out',
          via: ended.via,
          grant: '',
          from: visit.from,
        });
      return [setCookie('session', visit.origin, '', 0)];
    },
  };
}

interface Admitted {
  readonly caller: Caller;
  readonly via: Via;
  readonly grant: string;
  readonly keyHash: string;
  readonly current: () => Caller | null;
}

function tooMany(): HoldpointError {
  return new HoldpointError('too_many_attempts', 'Too many sign-ins.', 'Wait a minute.');
}

/** The cookie is of the origin where it was set, and people come back to the public one. */
function requirePublic(origin: URL, publicOrigin: string): void {
  if (origin.origin === publicOrigin) return;
  throw new HoldpointError(
    'forbidden',
    'People do not come back here from the OpenID provider.',
    `Open the console at ${publicOrigin}.`,
  );
}

/** RFC 6749 section 4.1.2, RFC 9207: one code, from the provider that was asked. */
async function checkAnswer(
  query: URLSearchParams,
  { provider, oidc }: { provider: OidcProvider; oidc: OidcOptions },
  note: Note,
): Promise<void> {
  const issuer = query.get('iss');
  if (issuer === null ? await provider.namesItself() : issuer !== oidc.issuer)
    throw new HoldpointError('unauthenticated', 'Another provider sent this answer.', 'Sign in again.');
  const twice = [...query.keys()].some((name, i, all) => all.indexOf(name) !== i);
  if (!query.has('error') && query.has('code') && !twice) return;
  const error = query.get('error') ?? '';
  note({ why: /^[a-z_]{1,64}$/.test(error) ? error : 'no code' });
  throw new HoldpointError('unauthenticated', 'The OpenID provider did not sign you in.', 'Sign in again.');
}

/** Whom the claims name: issuer and subject, which the provider never gives to anybody else. */
function callerOf(
  { subject, payload }: Claims,
  { issuer, groupsClaim, roles }: OidcOptions,
  note: Note,
): { readonly caller: Caller; readonly grant: string } {
  const name = `oidc:${issuer}#${subject}`;
  note({ by: name });
  const groups = textsIn(payload[groupsClaim]);
  const mapping = roles.find(({ group }) => groups.includes(group));
  if (mapping === undefined) {
    note({ why: 'in no group that has a role' });
    throw new HoldpointError(
      'forbidden',
      'You are known, but in no group that has a role here.',
      'Ask whoever runs Holdpoint for access, and give them your name at the provider.',
    );
  }
  const [called] = [payload['name'], payload['preferred_username'], payload['email']].flatMap(textsIn);
  const display = called === undefined ? undefined : displayOf(called);
  return {
    caller: { name, role: mapping.role, ...(display === undefined ? {} : { display }) },
    grant: `group ${mapping.group}`,
  };
}

/** A claim is a text or a list of texts. */
function textsIn(claim: unknown): string[] {
  const values: unknown[] = Array.isArray(claim) ? claim : [claim];
  return values.filter((value) => typeof value === 'string');
}
