/**
 * One decision: what was sealed about it so far, what it may still do, and which outcomes contradict it.
 * Pure; portable; imports types only.
 */

import type { HoldEntry, RulingEntry } from './hold-entries.ts';
import type { Outcome, RuleVerdict } from './outcomes.ts';

export interface Hold {
  readonly seq: number;
  readonly terms: HoldEntry;
  /** Those who released or amended, in order. Who of them counts hangs on who is the same person by the end. */
  readonly approvals: Pick<RulingEntry, 'by' | 'role' | 'inStead'>[];
  /** How many steps of its ladder were sealed. */
  escalated: number;
  state: 'pending' | 'released' | 'denied' | 'expired';
  /** What may be handed over: the held part's `c`, or that of the latest amendment. */
  releasable: string;
  attempts: number;
}

export interface Decision {
  readonly seq: number;
  readonly requestVerdict: RuleVerdict;
  readonly requestDigest: string;
  /** False for a tunnelled connection: it is delivered with no response in the ledger. */
  readonly recorded: boolean;
  /** The decision that carried it as one line of many; -1 for one that stands alone. */
  readonly batch: number;
  /** Made elsewhere and told to this ledger: no exchange passed here. */
  readonly reported: boolean;
  response:
    | { readonly verdict: RuleVerdict; readonly digest: string; readonly toolCalls: number }
    | undefined;
  /** Its entries, the request's own first. */
  readonly entries: number[];
  readonly holds: Map<number, Hold>;
}

/** True when every hold of the request was released and its rules did not forbid going on. */
export function requestMayPass(decision: Decision): boolean {
  if (decision.requestVerdict === 'deny') return false;
  return phaseMayPass(decision, 'request', decision.requestVerdict);
}

/** True when what this hold released may be handed over: no rule denied it, and no other hold of it waits or was denied. */
export function mayHandOver(decision: Decision, { terms: { phase } }: Hold): boolean {
  if (phase === 'request') return requestMayPass(decision);
  const verdict = decision.response?.verdict ?? 'pass';
  return verdict !== 'deny' && phaseMayPass(decision, phase, verdict);
}

function phaseMayPass(decision: Decision, phase: HoldEntry['phase'], verdict: RuleVerdict): boolean {
  const holds = [...decision.holds.values()].filter((hold) => hold.terms.phase === phase);
  return holds.every((hold) => hold.state === 'released') && (verdict !== 'hold' || holds.length > 0);
}

/** In words that complete "the decision is closed as …, but …"; undefined when nothing speaks against it. */
export function contradictionOf(decision: Decision, outcome: Outcome): string | undefined {
  const holds = [...decision.holds.values()];
  // A request that was handed over leaves its answer to be denied.
  const handedOver = holds.some(({ terms, attempts }) => terms.phase === 'response' && attempts > 0);
  if (decision.reported && !outcomesOfReports.has(outcome)) return 'it was only reported';
  switch (outcome) {
    case 'delivered':
      return againstDelivery(decision);
    case 'denied':
      if (handedOver) return 'its held answer had been handed over';
      if (decision.requestVerdict === 'deny' || decision.response?.verdict === 'deny') return undefined;
      // What cannot be read is held by rule and refused at once, with no hold for a person to rule on.
      if (decision.requestVerdict === 'hold' && holds.length === 0 && decision.response === undefined)
        return undefined;
      return holds.some((hold) => hold.state === 'denied') ? undefined : 'no rule and no ruling denied it';
    case 'expired':
      if (handedOver) return 'its held answer had been handed over';
      return holds.some((hold) => hold.state === 'expired') ? undefined : 'no hold of it expired';
    case 'carried':
      if (holds.length > 0) return 'a hold of its own was opened';
      return decision.batch === -1 ? 'it is no line of a batch' : undefined;
    case 'reported':
      return againstReport(decision);
    case 'released_undelivered':
      if (handedOver) return 'its held answer had been handed over';
      return holds.some((hold) => hold.state === 'released') ? undefined : 'nothing of it was released';
    case 'upstream_error':
    case 'upstream_truncated':
      return requestMayPass(decision) ? undefined : 'its request was denied or not released';
    default:
      // client_abort, interrupted and ledger_unavailable can befall a decision at any point.
      return undefined;
  }
}

/** A crash can come before the report is closed. */
const outcomesOfReports: ReadonlySet<Outcome> = new Set(['reported', 'interrupted', 'ledger_unavailable']);

function againstReport({ reported, holds, response }: Decision): string | undefined {
  if (!reported) return 'it passed here and was not reported';
  if (holds.size > 0) return 'a hold of its own was opened';
  return response === undefined || isFlagAtMost(response.verdict) ? undefined : 'a rule held or denied it';
}

/** Of what was decided elsewhere, rules can say no more. */
export function isFlagAtMost(verdict: RuleVerdict): boolean {
  return verdict === 'pass' || verdict === 'flag';
}

function againstDelivery(decision: Decision): string | undefined {
  if (!requestMayPass(decision)) return 'its request was denied or not released';
  const { response } = decision;
  if (response === undefined) return decision.recorded ? 'it has no response' : undefined;
  if (response.verdict === 'deny') return 'its response was denied by a rule';
  if (!phaseMayPass(decision, 'response', response.verdict)) return 'its response was held and not released';
  for (const hold of decision.holds.values()) {
    if (hold.terms.phase === 'response' && hold.attempts === 0) {
      return `no delivery names what hold ${hold.seq} released`;
    }
  }
  return undefined;
}
