/**
 * The check of an ID token: OpenID Connect Core 1.0, section 3.1.3.7. Signed by a key of the issuer's, of an asymmetric
 * algorithm, made for this client and this sign-in, just now. The only importer of `jose`.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { equalsConstantTime } from '../../core/bytes.ts';
import { HoldpointError, messageOf } from '../../core/errors.ts';
import { unavailable } from './outgoing.ts';

export type KeySet = JSONWebKeySet;

export interface IdTokenTerms {
  readonly issuer: string;
  readonly clientId: string;
  readonly nowMs: () => number;
  /** The issuer's keys, JWKS; read again when they are stale, as often as that may be. */
  readonly keys: (isStale: boolean) => Promise<KeySet>;
}

export interface Claims {
  readonly subject: string;
  readonly payload: JWTPayload;
}

/** No HMAC: whoever knew the client's secret could sign then. And `none` is no algorithm. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const clockToleranceSeconds = 60;
/** It comes straight from the provider. */
const ageSecondsMax = 600;

/**
 * Rejects with `unauthenticated` for a token that is not good, with `sign_in_unavailable` where the key that it names is
 * none, and with what reading the keys rejects with.
 */
export async function checkIdToken(token: string, nonce: string, terms: IdTokenTerms): Promise<Claims> {
  try {
    return claimsIn(await verified(token, terms), nonce, terms.clientId);
  } catch (error) {
    if (error instanceof HoldpointError) throw error;
    // Of a key that is too short, or none, jose and Node say so by errors of their own.
    if (!(error instanceof errors.JOSEError))
      throw unavailable(`The OpenID provider’s key cannot be used: ${messageOf(error)}.`, error);
    const isOfClaim = error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired;
    throw new HoldpointError(
      'unauthenticated',
      `The ID token is not good: ${error.code}${isOfClaim ? ` (${error.claim})` : ''}.`,
      'Sign in again; if it stays so, check issuer and clientId, and that the clocks of both sides are right.',
      error,
    );
  }
}

async function verified(token: string, terms: IdTokenTerms): Promise<JWTPayload> {
  try {
    return await verifiedBy(await terms.keys(false), token, terms);
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    // The issuer may have changed its keys since they were read.
    return verifiedBy(await terms.keys(true), token, terms);
  }
}

async function verifiedBy(keys: KeySet, token: string, terms: IdTokenTerms): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
    algorithms,
    issuer: terms.issuer,
    audience: terms.clientId,
    requiredClaims: ['sub', 'exp', 'iat', 'nonce'],
    maxTokenAge: ageSecondsMax,
    clockTolerance: clockToleranceSeconds,
    currentDate: new Date(terms.nowMs()),
  });
  return payload;
}

function claimsIn(payload: JWTPayload, nonce: string, clientId: string): Claims {
  const { sub, aud, azp } = payload;
  if (typeof payload['nonce'] !== 'string' || !equalsConstantTime(payload['nonce'], nonce))
    throw notGood('it was made for another sign-in');
  // With several audiences the token says which of them asked for it.
  const isAnothers = azp !== undefined ? azp !== clientId : Array.isArray(aud) && aud.length > 1;
  if (isAnothers) throw notGood('it was made for another client');
  // Section 2: at most 255 ASCII characters. It becomes part of a name that is sealed and compared.
  if (typeof sub !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(sub)) throw notGood('its subject is none');
  return { subject: sub, payload };
}

function notGood(why: string): HoldpointError {
  return new HoldpointError('unauthenticated', `The ID token is not good: ${why}.`, 'Sign in again.');
}
