/** Reviews of releases that one person made alone: what goes in and out. */
import { z } from 'zod';
import { reviewVerdicts } from '../../hold/record.ts';
import { allowed, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { exampleHold, holdSummarySchema } from './holds.ts';
import { givenText } from './texts.ts';
import { besideDamage, unreadableField } from './unreadable.ts';

export const reviewStates = ['open', 'overdue', 'reviewed'] as const;

const reviewDueSchema = z
  .object({
    hold: z.string(),
    decisionId: z.string(),
    rules: z.array(z.object({ id: z.string(), title: z.string() })).describe('Why it was held.'),
    by: z.string().describe('Who released alone; somebody else reviews it.'),
    at: z.string().describe('When.'),
    dueAt: z.string().describe('From then on it is reported as overdue.'),
    state: z.enum(reviewStates),
    review: z
      .object({ by: z.string(), role: z.string(), verdict: z.enum(reviewVerdicts), at: z.string() })
      .nullable(),
  })
  .meta({ id: 'ReviewDue', description: 'A release by one person alone, and its review.' });
export type ReviewShown = Sent<z.output<typeof reviewDueSchema>>;

export const reviewQuerySchema = z.strictObject({
  state: z
    .enum(reviewStates)
    .optional()
    .describe('Only those; overdue ones are open too, and shown among them.'),
});

export const reviewSchema = z
  .strictObject({
    verdict: z.enum(reviewVerdicts),
    text: givenText.max(4_000).describe('The finding. Content: erased with the decision.'),
  })
  .meta({ id: 'NewReview', description: 'What somebody finds of a release by one person alone.' });

const reviewPageSchema = z
  .object({
    items: z.array(reviewDueSchema),
    unreadable: unreadableField.describe(
      'Damaged entries, 100 at most; releases that they are of are not among `items`.',
    ),
    unreadableEntries: z.int().min(0).describe('How many they are, those beyond 100 among them.'),
  })
  .meta({ id: 'ReviewPage', description: 'Releases by one person alone, in their order.' });

export const listReviews: Operation = {
  id: 'listReviews',
  tag: 'holds',
  summary: 'Releases by one person alone, and their reviews',
  description: `In the order of the releases: all that wait for a review, and the newest of the others. ${besideDamage}`,
  ...allowed('see'),
  query: reviewQuerySchema,
  answers: [
    jsonAnswer('The reviews.', reviewPageSchema, {
      items: [
        {
          ...{ hold: exampleHold.id, decisionId: exampleHold.decisionId, by: 'olga' },
          rules: [{ id: 'large-transfer', title: 'Transfers above 10 000 need a finance reviewer' }],
          ...{ at: '2026-11-22T10:03:00.000Z', dueAt: '2026-11-25T10:03:00.000Z', state: 'open' },
          review: null,
        } satisfies ReviewShown,
      ],
      ...{ unreadable: [], unreadableEntries: 0 },
    }),
  ],
  refusals: [],
};

export const reviewHold: Operation = {
  id: 'reviewHold',
  tag: 'holds',
  summary: 'Review a release by one person alone',
  description:
    'Once, by somebody who neither released it nor asked for it. Answered once it is sealed; the finding is encrypted like the bodies of the decision, and erased with them.',
  ...allowed('read_content'),
  body: {
    schema: reviewSchema,
    example: { verdict: 'justified', text: 'The plant was on fire; the shift manager confirms.' },
  },
  answers: [
    jsonAnswer(
      'It is sealed; the hold as it is now.',
      holdSummarySchema,
      { ...exampleHold, state: 'released', outcome: 'delivered' },
      201,
    ),
  ],
  refusals: ['not_found', 'already_ruled', 'body_too_large', 'ledger_unavailable'],
};
