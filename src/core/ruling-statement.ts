/**
 * What a reviewer's key signs: a ruling, and that the key is theirs. One text for everybody who makes or checks a
 * signature; the offline verifier has its own. FORMAT.md of the ledger, "Signed rulings". Pure.
 */
import { createHash } from 'node:crypto';

/** No signature over one of these is one over another, nor over a checkpoint: a signed note has no NUL in it. */
const rulingPrefix = 'holdpoint/ruling/1\0';
const enrolmentPrefix = 'holdpoint/enrol/1\0';
const orderPrefix = 'holdpoint/order/1\0';

/** So many ids of the hold's rules stand in a statement, the first ones. */
export const statementRulesMax = 32;

export interface RulingStatement {
  readonly by: string;
  /** `d-…`, `h-…`. */
  readonly decision: string;
  readonly hold: string;
  /** The commitment `c` of the held bytes, 64 hex. */
  readonly digest: string;
  /** The public key, base64 of 32 bytes. */
  readonly key: string;
  /** 64 hex; see `orderDigest`. */
  readonly order: string;
  /** Digest of the policy file that held the call, 64 hex. */
  readonly policy: string;
  readonly policyVersion: string;
  /** Ids of the hold's rules in its order. */
  readonly rules: readonly string[];
  /** UTC with milliseconds. */
  readonly time: string;
  readonly verdict: string;
}

/** The statement as JCS (RFC 8785) writes it: the members in the order of their names. */
export function statementText(of: RulingStatement): string {
  const { by, decision, digest, hold, key, order, policy, policyVersion, time, verdict } = of;
  const rules = of.rules.slice(0, statementRulesMax);
  return JSON.stringify({
    by,
    decision,
    digest,
    hold,
    key,
    order,
    policy,
    policyVersion,
    rules,
    time,
    v: 1,
    verdict,
  });
}

/** What is signed over a statement's text. */
export function rulingMessage(statement: string): Buffer {
  return Buffer.from(rulingPrefix + statement);
}

/** What a new key signs to show that its private half is there: ledger, owner and key in a line each. */
export function enrolmentMessage(origin: string, owner: string, key: string): Buffer {
  return Buffer.from(`${enrolmentPrefix}${origin}\n${owner}\n${key}\n`);
}

/**
 * SHA-256, hex, over the text of an order: the ruling with its reason and amendment, and 64 random hex digits as
 * `salt`, so that nobody tells what was written from the digest once the text was erased.
 */
export function orderDigest(order: string): string {
  return createHash('sha256').update(orderPrefix).update(order).digest('hex');
}

/** Short, for people: 16 hex of SHA-256 over the key's bytes. */
export function keyFingerprint(key: string): string {
  return createHash('sha256').update(Buffer.from(key, 'base64')).digest('hex').slice(0, 16);
}
