/**
 * `anchors.require: anchored`: no call is taken while what was sealed is remembered by too few others. A call that
 * was taken ends as it would have; rulings and everything else are sealed as ever.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AnchorStatus } from './schedule.ts';

export interface AnchorRequirement {
  /** How old the oldest entry may be that an anchor has not acknowledged. */
  readonly withinMs: number;
  /** So many anchors must be within it. */
  readonly quorum: number;
}

export function isAnchored(
  anchors: readonly AnchorStatus[],
  { withinMs, quorum }: AnchorRequirement,
): boolean {
  return anchors.filter(({ lagSeconds }) => lagSeconds * 1000 <= withinMs).length >= quorum;
}

/** The ledger as the data plane sees it: refuses new decisions with `ledger_unavailable` while `isMet` is false. */
export function requireAnchored(ledger: Ledger, isMet: () => boolean): Ledger {
  return {
    ...ledger,
    seal: (draft) => {
      // A line of a batch belongs to a call that was taken already.
      if (draft.type === 'request' && draft.data['batch'] === undefined && !isMet()) throw notAnchored();
      return ledger.seal(draft);
    },
  };
}

function notAnchored(): HoldpointError {
  return new HoldpointError(
    'ledger_unavailable',
    'The ledger has not been anchored for longer than the configuration allows, so no call is taken.',
    'Holdpoint retries by itself; see the anchors’ lag in /metrics and the log, then retry the call.',
  );
}
