/** One ruling on many holds of the same bytes: what goes in and out. */
import { z } from 'zod';
import type { ErrorCode } from '../../core/errors.ts';
import { allowed, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { exampleHold, holdSummarySchema } from './holds.ts';
import { signedRulingSchema } from './signed-rulings.ts';
import { writtenText } from './texts.ts';

export const bulkMax = 100;
const contentDigest = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected the contentDigest of the holds: 64 hex digits')
  .describe('The `contentDigest` that every one of them has to have.');
const id = z.string().min(1).max(64);

export const bulkRulingSchema = z
  .strictObject({
    contentDigest,
    verdict: z.enum(['release', 'deny']),
    reason: writtenText.max(4000).default('').describe('Required to deny.'),
    holds: z.array(id).min(1).max(bulkMax),
  })
  .meta({ id: 'BulkRuling', description: 'One ruling on holds of the same bytes.' });

export const signedBulkRulingSchema = z
  .strictObject({
    contentDigest,
    holds: z.array(signedRulingSchema.extend({ id })).min(1).max(bulkMax),
  })
  .meta({ id: 'SignedBulkRuling', description: 'The same, each ruling with a signature of its own.' });

const bulkResultSchema = z
  .object({
    ruled: z.int().min(0),
    refused: z.int().min(0),
    items: z
      .array(
        z.object({
          id: z.string(),
          hold: holdSummarySchema.nullable().describe('As it is now; null where it was refused.'),
          refusal: z
            .object({ code: z.string(), detail: z.string(), next: z.string() })
            .nullable()
            .describe('Null where it was ruled on.'),
        }),
      )
      .describe('One for each hold that was named, in that order.'),
  })
  .meta({ id: 'BulkRuled', description: 'What became of each hold.' });
export type BulkRuled = Sent<z.output<typeof bulkResultSchema>>;

const exampleDigest = exampleHold.contentDigest;

export const ruleOnHolds: Operation = {
  id: 'ruleOnHolds',
  tag: 'holds',
  summary: 'Rule on many holds of the same bytes',
  description: `Each of at most ${bulkMax} holds is judged and sealed on its own, as if it had been ruled on alone, one after the other; each that does not hold exactly these bytes is refused. The answer says of each hold what became of it, and is 200 also where some or all were refused.`,
  ...allowed('see'),
  body: {
    schema: z.union([bulkRulingSchema, signedBulkRulingSchema]),
    example: {
      contentDigest: exampleDigest,
      verdict: 'release',
      reason: 'The same report, four times.',
      holds: [exampleHold.id],
    },
  },
  answers: [
    jsonAnswer('What became of each.', bulkResultSchema, {
      ruled: 1,
      refused: 0,
      items: [{ id: exampleHold.id, hold: { ...exampleHold, state: 'released' }, refusal: null }],
    } satisfies BulkRuled),
  ],
  refusals: ['signature_required', 'body_too_large'] satisfies readonly ErrorCode[],
};
