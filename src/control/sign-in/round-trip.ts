/**
 * What a sign-in at a provider is bound to while somebody is away there. The sidecar keeps nothing of it, so that no
 * flood of begun sign-ins takes anything: the browser has a random value in a cookie, and state, nonce and verifier
 * (RFC 6749 section 10.12, OpenID Connect Core section 15.5.2, RFC 7636) are made from it with a key of this process.
 */
import { createHash, createHmac } from 'node:crypto';
import { equalsConstantTime } from '../../core/bytes.ts';
import type { Clock, RandomBytes } from '../../core/clock.ts';
import { HoldpointError } from '../../core/errors.ts';

/** As long as somebody may be away. */
export const roundTripMsMax = 600_000;
const takenMax = 10_000;

export interface RoundTrip {
  /** The cookie's value: when it began, the SHA-256 of the page's key, randomness. */
  readonly value: string;
  readonly keyHash: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** S256 of the verifier. */
  readonly challenge: string;
}

export interface RoundTrips {
  /** @param keyHash SHA-256 of the page's key, 64 hex */
  begin(keyHash: string): RoundTrip;
  /** Throws `unauthenticated` where the cookie does not belong to the state, is too old, or was used. */
  resume(value: string | null, state: string): RoundTrip;
  /** It leads to a session, and does not again. Throws `unauthenticated` where another answer was quicker. */
  finish(trip: RoundTrip): void;
}

export function createRoundTrips(clock: Clock, random: RandomBytes): RoundTrips {
  const key = random(32);
  /** States that led to a session, and until when they could be shown again. */
  const taken = new Map<string, number>();

  function tripOf(value: string, keyHash: string): RoundTrip {
    const made = (purpose: string): string =>
      createHmac('sha256', key).update(`${purpose}\0${value}`).digest('base64url');
    const verifier = made('verifier');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    return { value, keyHash, state: made('state'), nonce: made('nonce'), verifier, challenge };
  }

  function refuseTaken({ state }: RoundTrip): void {
    if (taken.has(state)) throw notOurs('This sign-in was used already.');
  }

  return {
    begin: (keyHash) => {
      const value = `${clock.nowMs()}.${keyHash}.${random(32).toString('base64url')}`;
      return tripOf(value, keyHash);
    },
    resume: (value, state) => {
      const [, begunAtMs = '', keyHash = ''] =
        /^(\d{1,15})\.([0-9a-f]{64})\.[A-Za-z0-9_-]{43}$/.exec(value ?? '') ?? [];
      const trip = tripOf(value ?? '', keyHash);
      // A cookie that was not made here has another state.
      if (keyHash === '' || !equalsConstantTime(trip.state, state))
        throw notOurs('This sign-in was not begun in this browser.');
      const ageMs = clock.nowMs() - Number(begunAtMs);
      if (ageMs > roundTripMsMax || ageMs < -roundTripMsMax) throw notOurs('This sign-in took too long.');
      refuseTaken(trip);
      return trip;
    },
    finish: (trip) => {
      // Two answers of one sign-in may both have been at the provider.
      refuseTaken(trip);
      const nowMs = clock.nowMs();
      for (const [known, untilMs] of taken) if (untilMs < nowMs) taken.delete(known);
      if (taken.size >= takenMax)
        throw new HoldpointError(
          'too_many_attempts',
          'Too many people signed in just now.',
          'Wait a minute.',
        );
      taken.set(trip.state, nowMs + 2 * roundTripMsMax);
    },
  };
}

function notOurs(message: string): HoldpointError {
  return new HoldpointError('unauthenticated', message, 'Begin again from the console.');
}
