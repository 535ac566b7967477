/** Opening a hold, and finding one again that a repeated call belongs to. */
import type { Hold } from '../hold/record.ts';
import { heldRules } from '../hold/record.ts';
import { fixedTerms } from '../hold/terms.ts';
import type { Judgement, Phase, Policy } from '../policy/policy.ts';
import type { Call } from './call.ts';
import type { House } from './house.ts';
import { strictestTerms } from './judge.ts';
import { isMarkedRetry, retryKeyOf, retryProofOf } from './retries.ts';

export interface Decision {
  readonly seq: number;
  readonly id: string;
}

/** The hold an identical earlier call left behind, its caller gone; null when this is a new exchange. */
export function findEarlierHold(call: Call, house: House): Hold | null {
  // What cannot be read the same way by everybody is nobody's repetition.
  if (call.defects.length > 0 || !house.holds.mayHaveRetries()) return null;
  // Nothing would tell it from a neighbour that has read the key's name.
  if (retryProofOf(call.headers) === null) return null;
  const hold = house.holds.findForRetry(retryKeyOf(call, house.fingerprintKey), isMarkedRetry(call.headers));
  return hold !== null && house.holds.attach(hold) ? hold : null;
}

/** Seals the hold: from here on it survives the caller, the process and the machine's power. */
export function openHold(
  call: Call,
  decision: Decision,
  held: {
    phase: Phase;
    digest: string;
    response: number | null;
    passedBytes: number;
    judgement: Judgement;
    policy: Policy;
    /** Only where a retry of the same call is not what comes back to it. */
    retryKey?: string;
  },
  house: House,
): Promise<Hold> {
  const terms = strictestTerms(held.judgement);
  const openedAtMs = house.clock.nowMs();
  return house.holds.open(
    {
      decision: decision.seq,
      phase: held.phase,
      rules: heldRules(held.judgement.matches),
      policyDigest: held.policy.digest,
      policyVersion: held.policy.version,
      openedAtMs,
      retryKey: held.retryKey ?? call.retryKey ?? retryKeyOf(call, house.fingerprintKey),
      response: held.response,
      passedBytes: held.passedBytes,
    },
    fixedTerms(terms, { openedAtMs, requester: call.facts.workload || call.credential, digest: held.digest }),
  );
}
