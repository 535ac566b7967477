/** The time of an entry, as its leaf says it. FORMAT.md, "Leaf". */
import { HoldpointError } from '../core/errors.ts';

let utcMs = Number.NaN;
let utcText = '';

/** What an entry can say: the years 0001 to 9999. */
const utcMsMin = Date.parse('0001-01-01T00:00:00.000Z');
const utcMsMax = Date.UTC(10_000, 0) - 1;

/**
 * ISO 8601 in UTC with milliseconds; the same millisecond is formatted once. Throws `ledger_unavailable` for a clock that
 * says what no entry can: sealed, it would be a ledger that nobody can verify.
 */
export function utc(ms: number): string {
  if (ms !== utcMs) {
    if (!(ms >= utcMsMin && ms <= utcMsMax))
      throw new HoldpointError(
        'ledger_unavailable',
        `The clock says ${ms} ms since 1970, which is no time of the years 1 to 9999.`,
        "Set the machine's clock.",
      );
    utcMs = ms;
    utcText = new Date(ms).toISOString();
  }
  return utcText;
}
