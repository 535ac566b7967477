/** Damaged entries, as every answer that is made from many entries tells of them. */
import { z } from 'zod';
import type { Sent } from '../operation.ts';

export const unreadableMax = 100;

const unreadableSchema = z
  .object({
    seq: z.int().min(0),
    last: z.int().min(0).describe('The same, or the last entry of a run that cannot be read.'),
    decision: z
      .union([z.string(), z.null()])
      .describe('Whose entry it is; null where the entry itself would have said so.'),
    why: z.string(),
  })
  .meta({
    id: 'UnreadableEntry',
    description: 'An entry that is stored and cannot be read, or a run of them.',
  });
export type UnreadableShown = Sent<z.output<typeof unreadableSchema>>;

/** A field of such an answer. */
export const unreadableField = z.array(unreadableSchema);

/** Said in the description of each such call. */
export const besideDamage =
  'A damaged entry keeps nobody from the others: it stands in `unreadable`. `holdpoint verify` says more, and `holdpoint ledger restore` brings a backup back.';
