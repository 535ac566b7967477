/** How a decision ends whose call failed. */
import type { HoldpointError } from '../core/errors.ts';
import type { Outcome } from '../ledger/entry.ts';

const outcomeByCode: Partial<Readonly<Record<HoldpointError['code'], Outcome>>> = {
  upstream_truncated: 'upstream_truncated',
  upstream_unreachable: 'upstream_error',
  upstream_timeout: 'upstream_error',
  response_too_large: 'upstream_error',
  ledger_unavailable: 'ledger_unavailable',
  overloaded: 'ledger_unavailable',
  bad_request: 'denied',
};

/** By what went wrong, unless the caller had left. */
export function outcomeOfFailure({ code }: HoldpointError, isCallerGone: boolean): Outcome {
  return isCallerGone ? 'client_abort' : (outcomeByCode[code] ?? 'interrupted');
}
