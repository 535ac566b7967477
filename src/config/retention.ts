/** The part of the configuration file about how long content is kept, and what is kept whoever asks. */
import { z } from 'zod';

const text = z.string().min(1).max(256);
const ruleId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'expected an id of lower-case letters, digits and -');
const days = z.int().min(0).max(36_525);
const requestMatch = z
  .strictObject({
    model: text.optional(),
    operation: text.optional(),
    provider: text.optional(),
    workload: text.optional(),
  })
  .default({})
  .describe('Decisions whose request has all of these; any decision when empty.');

const retentionRule = z
  .strictObject({
    id: ruleId.describe('Named by the entries that it causes.'),
    match: requestMatch,
    keepDays: days.min(1).optional().describe('Content older than this is erased on schedule.'),
    minimumDays: days.optional().describe('Content younger than this is not erased, whoever asks.'),
  })
  .refine(
    ({ keepDays, minimumDays }) => keepDays !== undefined || minimumDays !== undefined,
    'expected keepDays, minimumDays or both',
  )
  .refine(
    ({ keepDays, minimumDays }) => keepDays === undefined || keepDays >= (minimumDays ?? 0),
    'expected keepDays of at least minimumDays',
  );

function areDifferent(all: readonly { readonly id: string }[]): boolean {
  return new Set(all.map(({ id }) => id)).size === all.length;
}

const exemption = z.strictObject({
  id: ruleId.describe('Named by the entries that refuse an erasure because of it.'),
  match: requestMatch,
  bases: z
    .array(
      z.enum([
        'no_longer_needed',
        'consent_withdrawn',
        'objection',
        'unlawful',
        'legal_obligation',
        'child_consent',
        'retention',
      ]),
    )
    .min(1)
    .max(7)
    .optional()
    .describe('Only for erasures on these bases; for all when absent.'),
});

export const retentionSchema = z
  .strictObject({
    everyHours: z.int().min(1).max(8760).default(24).describe('How often what is due is erased.'),
    rules: z
      .array(retentionRule)
      .max(100)
      .refine(areDifferent, 'expected a different id for each')
      .default([])
      .describe('How long content is kept; for good where no rule says otherwise.'),
    exemptions: z
      .array(exemption)
      .max(100)
      .refine(areDifferent, 'expected a different id for each')
      .default([])
      .describe('What is kept although its erasure is asked for, such as for the defence of legal claims.'),
  })
  .prefault({});
