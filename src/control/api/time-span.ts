/** A span of time that decisions are looked for in. */
import { z } from 'zod';
import { strayEntriesMax } from '../../ledger/time-span.ts';

export const sinceField = z.iso
  .datetime()
  .optional()
  .describe('Only what was asked at this time or later, UTC.');
export const untilField = z.iso.datetime().optional().describe('Only what was asked before this time, UTC.');

/** Said in the description of each such call. */
export const besideClock = `Times are those of the sidecar's clock. Where it was set back or ahead for a while, a search by time goes on behind entries that lie outside, up to ${strayEntriesMax.toLocaleString('en')} in a row.`;
