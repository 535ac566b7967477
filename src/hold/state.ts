/**
 * The states of a hold and what moves it between them. Pure: a ruling and the time go in, the next state or
 * a refusal comes out. Delivery is tracked apart from the ruling; silence never releases.
 *
 *     pending -> released | denied | amended | expired
 */
import { HoldpointError } from '../core/errors.ts';

export const holdStates = ['pending', 'released', 'denied', 'amended', 'expired'] as const;
export type HoldStatus = (typeof holdStates)[number];
export type HumanVerdict = 'release' | 'deny' | 'amend';
export type Verdict = HumanVerdict | 'expired';

export interface Approval {
  readonly by: string;
  readonly verdict: Verdict;
  readonly atMs: number;
}

/** What was fixed when the hold opened. */
export interface HoldTermsFixed {
  readonly approvals: number;
  readonly roles: readonly string[];
  readonly notRequester: boolean;
  readonly requester: string;
  /** The commitment `c` of the held part: 64 hex. */
  readonly digest: string;
  readonly expiresAtMs: number;
}

export interface HoldState {
  readonly terms: HoldTermsFixed;
  readonly status: HoldStatus;
  readonly rulings: readonly Approval[];
}

/** What a reviewer's key signed; checked before it gets here, sealed with the ruling. */
export interface SignedStatement {
  /** Canonical JSON. */
  readonly statement: string;
  /** The text whose digest the statement names. */
  readonly order: string;
  /** Base64. */
  readonly value: string;
}

export interface RulingRequest {
  readonly verdict: HumanVerdict;
  readonly by: string;
  readonly role: string;
  readonly digest: string;
  readonly reason: string;
  readonly signed?: SignedStatement;
}

export function openState(terms: HoldTermsFixed): HoldState {
  return { terms, status: 'pending', rulings: [] };
}

/**
 * The state after a person ruled. Throws HoldpointError `already_ruled`, `ruling_expired`, `digest_mismatch`,
 * `forbidden` or `invalid_argument`; then nothing changed.
 */
export function afterRuling(state: HoldState, ruling: RulingRequest, nowMs: number): HoldState {
  refuseUnlessOpen(state, nowMs);
  const { terms } = state;
  if (ruling.digest !== terms.digest) {
    throw new HoldpointError(
      'digest_mismatch',
      'The ruling names other bytes than the ones held.',
      'Read the hold again and rule on its present digest.',
    );
  }
  if (!terms.roles.includes(ruling.role)) {
    throw new HoldpointError(
      'forbidden',
      `This hold needs one of the roles: ${terms.roles.join(', ')}.`,
      'Ask somebody who has it.',
    );
  }
  if (terms.notRequester && ruling.by === terms.requester) {
    throw new HoldpointError(
      'forbidden',
      'The requester of a call cannot rule on it.',
      'Ask another reviewer.',
    );
  }
  if (ruling.verdict !== 'release' && ruling.reason.trim() === '') {
    throw new HoldpointError(
      'invalid_argument',
      `A reason is required to ${ruling.verdict}.`,
      'Say why, in a sentence the auditor will read.',
    );
  }
  if (state.rulings.some((earlier) => earlier.by === ruling.by)) {
    throw new HoldpointError(
      'already_ruled',
      `${ruling.by} has ruled on this hold already.`,
      'Another reviewer must give the remaining approval.',
    );
  }
  const rulings = [...state.rulings, { by: ruling.by, verdict: ruling.verdict, atMs: nowMs }];
  return { terms, rulings, status: statusAfter(ruling.verdict, rulings, terms.approvals) };
}

function refuseUnlessOpen(state: HoldState, nowMs: number): void {
  if (state.status === 'expired' || (state.status === 'pending' && nowMs >= state.terms.expiresAtMs)) {
    throw new HoldpointError(
      'ruling_expired',
      'The hold expired before the ruling.',
      'The workload was told; it may ask again.',
    );
  }
  if (state.status !== 'pending') {
    throw new HoldpointError(
      'already_ruled',
      `The hold is already ${state.status}.`,
      'A ruling is final and used once.',
    );
  }
}

/** One denial denies; an amendment counts as the approval of its own bytes only when one approval suffices. */
function statusAfter(verdict: HumanVerdict, rulings: readonly Approval[], approvals: number): HoldStatus {
  if (verdict === 'deny') return 'denied';
  if (verdict === 'amend') {
    if (approvals > 1) {
      throw new HoldpointError(
        'invalid_argument',
        'A hold that needs several approvals cannot be amended by one person.',
        'Release or deny it.',
      );
    }
    return 'amended';
  }
  return rulings.filter((ruling) => ruling.verdict === 'release').length >= approvals
    ? 'released'
    : 'pending';
}

/** The state once its time is over; unchanged when it was ruled before. */
export function afterExpiry(state: HoldState, nowMs: number): HoldState {
  if (state.status !== 'pending' || nowMs < state.terms.expiresAtMs) return state;
  return {
    ...state,
    status: 'expired',
    rulings: [...state.rulings, { by: 'holdpoint', verdict: 'expired', atMs: nowMs }],
  };
}
