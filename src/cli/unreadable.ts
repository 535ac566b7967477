/** Damaged entries, as answers of the sidecar tell of them, in words of the terminal. */
import { z } from 'zod';
import { countText } from '../console/words/counts.ts';
import { printLine, visible } from './print.ts';

/** A sidecar of an earlier version does not say, and its entries stand alone. */
export const unreadableSchema = z
  .array(
    z.object({
      seq: z.number(),
      last: z.number().optional(),
      decision: z.string().nullable(),
      why: z.string(),
    }),
  )
  .default([]);
export type UnreadableEntries = z.output<typeof unreadableSchema>;

export function unreadableText({ decision, why }: UnreadableEntries[number]): string {
  const missing = decision === null ? '' : ` ${decision} is not listed.`;
  return visible(`${why}${missing} See: holdpoint verify`);
}

/** One line each, and what to do next; `entries` is how many they are, those that are not told among them. */
export function printUnreadable(told: UnreadableEntries, entries = entriesIn(told)): void {
  if (told.length === 0) return;
  for (const one of told) printLine(unreadableText(one));
  const untold = entries - entriesIn(told);
  if (untold > 0) printLine(`and ${countText(untold)} more entries that cannot be read`);
  printLine(
    'The ledger is damaged: `holdpoint verify` on the data directory says where, `holdpoint ledger restore` brings a backup back.',
  );
}

function entriesIn(told: UnreadableEntries): number {
  return told.reduce((sum, { seq, last = seq }) => sum + last - seq + 1, 0);
}
