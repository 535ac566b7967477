/** Which hold a repeated call belongs to. Pure. */
import type { Hold } from './record.ts';

/** A marked retry may collect a delivered answer again this long. */
export const redeliverMs = 60_000;

/**
 * True where an identical call is due what this hold has: it takes the place of a caller that left, or gets the answer
 * that the first one got. What may have arrived goes to a call that says it is a retry, and to no other.
 */
export function isFor(hold: Hold, isMarkedRetry: boolean, nowMs: number): boolean {
  // Of a request that went on its answer may have been refused, and not the request.
  if (isConsumedRequest(hold)) return false;
  if (isRefused(hold)) return true;
  if (hold.attached) return false;
  switch (hold.outcome) {
    case null:
      return isMarkedRetry || !hold.mayHaveArrived;
    case 'delivered':
      return isMarkedRetry && nowMs - hold.lastAttemptAtMs <= redeliverMs;
    case 'released_undelivered':
    case 'interrupted':
    case 'ledger_unavailable':
      return false;
    default:
      return true;
  }
}

/** Its refusal is the answer to everybody who asks the same, however many do at a time. */
export function isRefused({ outcome }: Hold): boolean {
  return outcome === 'denied' || outcome === 'expired';
}

/** A released request that went upstream: its decision goes on with the answer, there is nothing left to collect. */
export function isConsumedRequest(hold: Hold): boolean {
  return hold.phase === 'request' && hold.deliveryAttempts > 0;
}
