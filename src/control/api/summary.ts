/** What happened lately, in numbers. */
import { z } from 'zod';
import { outcomes } from '../../ledger/entry.ts';
import { allowed, integerParameter, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { besideDamage, unreadableField } from './unreadable.ts';

const hoursMax = 24 * 31;
const count = z.int().min(0);
const milliseconds = z.int().min(0).nullable();
const spread = z
  .object({ count, p50: milliseconds, p90: milliseconds, max: milliseconds })
  .meta({ id: 'Spread', description: 'Milliseconds; null where nothing was counted.' });

export const summarySchema = z
  .object({
    from: z.string(),
    to: z.string(),
    countedFrom: z
      .string()
      .describe('Everything from here on is counted. Later than `from` where there was too much to look at.'),
    buckets: z.array(
      z.object({
        at: z.string().describe('When it begins.'),
        decisions: count,
        holds: count.describe('Opened.'),
        released: count,
        denied: count,
        amended: count,
        expired: count,
        inputTokens: count,
        outputTokens: count,
        latencyMs: spread.describe('Of answers, from the request to their last byte.'),
      }),
    ),
    outcomes: z.partialRecord(z.enum(outcomes), count).describe('How decisions ended.'),
    reported: count.describe('Made elsewhere and reported; in none of the other numbers.'),
    models: z.array(z.object({ model: z.string(), decisions: count })).describe('Asked for most.'),
    timeToRuling: spread.describe('From opening to the ruling of a person; expiry is none.'),
    rulingTimes: z
      .array(z.object({ upToMs: z.int().nullable(), count }))
      .describe('Rulings by how long they took; null is longer than all.'),
    latencyMs: spread,
    unreadable: unreadableField.describe('Damaged entries, 100 at most; none of them is counted.'),
    unreadableEntries: count.describe('How many they are, those beyond 100 among them.'),
  })
  .meta({ id: 'Summary', description: 'A window of time, in numbers.' });
export type SummaryAnswer = Sent<z.output<typeof summarySchema>>;

export const summaryQuerySchema = z.strictObject({
  hours: integerParameter({ min: 1, max: hoursMax, fallback: 24 }).describe('How far back.'),
});

export const showSummary: Operation = {
  id: 'showSummary',
  tag: 'decisions',
  summary: 'What happened lately, in numbers',
  description: `Counted from the newest entries; work is bounded, and \`countedFrom\` says how far it came. The same numbers are given for some seconds. ${besideDamage}`,
  ...allowed('see'),
  query: summaryQuerySchema,
  answers: [jsonAnswer('The numbers.', summarySchema)],
  refusals: [],
};
