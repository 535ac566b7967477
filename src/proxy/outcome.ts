/** How a decision ends whose call failed, and what is said of its answer. */
import type { HoldpointError } from '../core/errors.ts';
import type { Outcome } from '../ledger/entry.ts';
import type { AnswerResult } from '../record/leaf-data.ts';

const outcomeByCode: Partial<Readonly<Record<HoldpointError['code'], Outcome>>> = {
  upstream_truncated: 'upstream_truncated',
  upstream_unreachable: 'upstream_error',
  upstream_timeout: 'upstream_error',
  response_too_large: 'upstream_error',
  ledger_unavailable: 'ledger_unavailable',
  overloaded: 'ledger_unavailable',
  bad_request: 'denied',
};

/** Whether there is nobody any more to answer. */
export interface Leaving {
  readonly gone: boolean;
  /** Not of their own will: the sidecar stopped, and cut their connection. */
  readonly cut: boolean;
}

/** A caller whose leaving is not what ended this: of a WebSocket its session says how it ended. */
export const stays: Leaving = { gone: false, cut: false };

/** Of whom the stop cut off nobody is to read that they left. */
export function outcomeOfLeaving({ cut }: Leaving): Outcome {
  return cut ? 'interrupted' : 'client_abort';
}

/** By what went wrong, unless the caller had left. */
export function outcomeOfFailure({ code }: HoldpointError, caller: Leaving): Outcome {
  return caller.gone ? outcomeOfLeaving(caller) : (outcomeByCode[code] ?? 'interrupted');
}

const beyondBounds: ReadonlySet<HoldpointError['code']> = new Set([
  'response_too_large',
  'body_too_large',
  'overloaded',
]);

/** Of an answer whose connection ended before it did: what ended it here is an error. */
export function resultOfEnding(outcome: Outcome): AnswerResult {
  return outcome === 'client_abort' || outcome === 'upstream_truncated' ? outcome : 'error';
}

/** Of an answer that did not come to its end. Only what the upstream did is said of it: the rest is an error here. */
export function resultOfFailure({ code }: HoldpointError, { gone, cut }: Leaving): AnswerResult {
  if (gone) return cut ? 'error' : 'client_abort';
  if (beyondBounds.has(code)) return 'response_too_large';
  return code.startsWith('upstream_') ? 'upstream_truncated' : 'error';
}
