/** The time of an entry, as its leaf says it. FORMAT.md, "Leaf". */
import { HoldpointError } from '../core/errors.ts';

/** The second that was formatted last, and its text up to the point before the milliseconds. */
let second = Number.NaN;
let secondText = '';

/** What an entry can say: the years 0001 to 9999. */
const utcMsMin = Date.parse('0001-01-01T00:00:00.000Z');
const utcMsMax = Date.UTC(10_000, 0) - 1;

/**
 * ISO 8601 in UTC with milliseconds; the same second is formatted once. Throws `ledger_unavailable` for a clock that
 * says what no entry can: sealed, it would be a ledger that nobody can verify.
 */
export function utc(ms: number): string {
  const whole = Math.trunc(ms);
  if (!(whole >= utcMsMin && whole <= utcMsMax))
    throw new HoldpointError(
      'ledger_unavailable',
      `The clock says ${ms} ms since 1970, which is no time of the years 1 to 9999.`,
      "Set the machine's clock.",
    );
  const inSeconds = Math.floor(whole / 1000);
  if (inSeconds !== second) {
    second = inSeconds;
    secondText = new Date(inSeconds * 1000).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS.'.length);
  }
  return `${secondText}${String(whole - inSeconds * 1000).padStart(3, '0')}Z`;
}
