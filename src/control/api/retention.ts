/** What is erased by its age: the rules in force, how far the schedule is, and a look at what comes next. */
import { z } from 'zod';
import { bases } from '../../ledger/erasure.ts';
import { allowed, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { type ErasureShown, erasers, erasureSchema, exampleErasure } from './erasures.ts';

const match = z
  .record(z.string(), z.string())
  .describe('Fields that a request must have; every decision when empty.');

export const retentionSchema = z
  .object({
    everyHours: z.int().min(1),
    nextAt: z
      .string()
      .nullable()
      .describe('When the schedule comes next; null where no rule erases anything.'),
    rules: z.array(
      z.object({
        id: z.string(),
        match,
        keepDays: z.int().min(1).nullable().describe('Content older than this is erased; null for good.'),
        minimumDays: z.int().min(0).nullable().describe('Content younger than this is erased by nobody.'),
        dueBefore: z
          .string()
          .nullable()
          .describe('Requests sealed before this are due by now; null where the rule erases nothing.'),
        last: erasureSchema
          .nullable()
          .describe('Its last run since the sidecar started, which may be under way; null for none.'),
      }),
    ),
    exemptions: z.array(
      z.object({
        id: z.string(),
        match,
        bases: z.array(z.enum(bases)).nullable().describe('For erasures on these bases; null for all.'),
      }),
    ),
  })
  .meta({ id: 'Retention', description: 'How long content is kept, as configured, and how far that is.' });
export type RetentionShown = Sent<z.output<typeof retentionSchema>>;

const exampleRun = {
  ...exampleErasure,
  by: 'holdpoint',
  basis: 'retention',
  scope: { rule: 'chat', before: '2026-08-28T10:00:00.000Z' },
} satisfies ErasureShown;

const exampleRetention = {
  everyHours: 24,
  nextAt: '2026-11-27T10:00:00.000Z',
  rules: [
    {
      id: 'chat',
      match: { workload: 'chat-agent' },
      keepDays: 90,
      minimumDays: 30,
      dueBefore: '2026-08-28T10:00:00.000Z',
      last: exampleRun,
    },
  ],
  exemptions: [{ id: 'claims', match: { workload: 'billing-agent' }, bases: ['objection'] }],
} satisfies RetentionShown;

export const showRetention: Operation = {
  id: 'showRetention',
  tag: 'erasure',
  summary: 'How long content is kept',
  description: 'The rules and exemptions of the configuration, and what the schedule did since the start.',
  ...allowed('read_erasures'),
  answers: [jsonAnswer('What is configured, and how far it is.', retentionSchema, exampleRetention)],
  refusals: [],
};

export const lookAtRetention: Operation = {
  id: 'lookAtRetention',
  tag: 'erasure',
  summary: 'What a retention rule would erase next',
  description:
    'A dry run: judges what the next run of this rule will, seals and erases nothing. Runs in the background: read the erasure until it is done.',
  roles: erasers,
  answers: [
    jsonAnswer(
      'It has begun, or waits for another to end.',
      erasureSchema,
      { ...exampleRun, by: 'petra', dryRun: true },
      202,
    ),
  ],
  refusals: ['not_found', 'invalid_argument', 'overloaded', 'shutting_down'],
};
