/** Erasures and legal holds: what is asked for, and how far it is. */
import { z } from 'zod';
import type { Role } from '../../core/roles.ts';
import { bases, refusalGrounds } from '../../ledger/erasure.ts';
import { allowed, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { givenText } from './texts.ts';

/** Who may erase and who may place and lift legal holds; the verifier demands the same. */
export const erasers: readonly Role[] = ['privacy', 'admin'];

const named = z.string().min(1).max(256);
const match = z
  .strictObject({
    model: named.optional(),
    operation: named.optional(),
    provider: named.optional(),
    workload: named.optional(),
  })
  .refine(
    (fields) => Object.keys(fields).length > 0,
    'expected at least one of model, operation, provider, workload',
  )
  .describe('Decisions whose request has all of these.');

const decisionScope = z.strictObject({ decision: named.describe('The id of one decision.') });
const subjectScope = z.strictObject({
  subject: named.describe(
    'The data subject as workloads name it in `holdpoint-subject`; only its fingerprint is sealed.',
  ),
});

export const erasureScopeSchema = z
  .union([
    decisionScope,
    subjectScope,
    z.strictObject({
      match,
      before: z.iso.datetime().optional().describe('Only requests sealed before this time, UTC.'),
    }),
  ])
  .meta({
    id: 'ErasureScope',
    description: 'What an erasure is about: one decision, a data subject or a class.',
  });

export const holdScopeSchema = z
  .union([decisionScope, subjectScope, z.strictObject({ match })])
  .meta({ id: 'LegalHoldScope', description: 'What a legal hold is on.' });

const reason = givenText
  .max(4000)
  .describe(
    'Sealed beside the entry, encrypted. It outlasts the erasure: name the request, not its content.',
  );

export const newErasureSchema = z
  .strictObject({
    scope: erasureScopeSchema,
    basis: z.enum(bases).exclude(['retention']).describe('The ground of Article 17(1) of the GDPR.'),
    reason,
    dryRun: z.boolean().default(false).describe('Looks and judges; seals and erases nothing.'),
  })
  .meta({ id: 'NewErasure', description: 'An erasure that is asked for.' });

export const erasureSchema = z
  .object({
    id: z.string().describe('Shared by the ledger entries of this erasure.'),
    state: z.enum(['waiting', 'running', 'done', 'stopped', 'failed']),
    dryRun: z.boolean(),
    by: z.string(),
    basis: z.enum(bases),
    scope: z
      .record(z.string(), z.unknown())
      .describe(
        'A decision by its seq, a subject by its fingerprint, fields that match, or a retention rule by its name.',
      ),
    decisions: z.int().min(0).describe('Judged so far; what was erased before does not count.'),
    erased: z.int().min(0).describe('Decisions of which something was erased, or would be in a dry run.'),
    parts: z.int().min(0).describe('Bodies erased with their keys, or that would be in a dry run.'),
    refused: z
      .object(Object.fromEntries(refusalGrounds.map((ground) => [ground, z.int().min(0)])))
      .describe('Decisions that may not be erased, by ground; sealed with what says so.'),
    entries: z.array(z.int().min(0)).describe('Seqs of the first entries sealed for it, at most 100.'),
    bytesWiped: z.int().min(0).describe('Overwritten in the ledger’s files.'),
    bytesReclaimed: z.int().describe('By how much the ledger’s files shrank.'),
    startedAt: z.string(),
    endedAt: z.string().nullable(),
    stoppedBy: z
      .string()
      .nullable()
      .describe('Who asked that it stops; it has, once its state is `stopped`.'),
    error: z.string().nullable().describe('Why it failed; what was sealed before is still carried out.'),
  })
  .meta({ id: 'Erasure', description: 'An erasure, and how far it is.' });
export type ErasureShown = Sent<z.output<typeof erasureSchema>>;

const erasuresSchema = z
  .object({ items: z.array(erasureSchema) })
  .meta({ id: 'Erasures', description: 'The erasures since the sidecar started.' });

export const newLegalHoldSchema = z
  .strictObject({ scope: holdScopeSchema, reason })
  .meta({ id: 'NewLegalHold', description: 'A legal hold that is to be placed.' });

export const stopSchema = z
  .strictObject({ reason })
  .meta({ id: 'StopErasure', description: 'Why an erasure is stopped.' });

export const liftSchema = z
  .strictObject({ reason })
  .meta({ id: 'LiftLegalHold', description: 'Why a legal hold ends.' });

export const legalHoldSchema = z
  .object({
    id: z.string(),
    seq: z.int().min(0).describe('Of the entry that placed it.'),
    by: z.string(),
    reason: z
      .string()
      .nullable()
      .describe('Why it was placed; null to whoever reads no content, and where it cannot be read.'),
    scope: z
      .record(z.string(), z.unknown())
      .describe('A decision by its seq, a subject by its fingerprint, or fields that match.'),
  })
  .meta({ id: 'LegalHold', description: 'A legal hold that stands.' });
export type LegalHoldShown = Sent<z.output<typeof legalHoldSchema>>;

const legalHoldsSchema = z
  .object({ items: z.array(legalHoldSchema) })
  .meta({ id: 'LegalHolds', description: 'Every legal hold that stands.' });

export const exampleErasure = {
  id: '5f1c09a2b3d4e5f6',
  state: 'running',
  dryRun: false,
  by: 'petra',
  basis: 'objection',
  scope: { match: { workload: 'chat-agent' }, before: '2026-10-01T00:00:00.000Z' },
  decisions: 12,
  erased: 11,
  parts: 22,
  refused: { open: 0, legal_hold: 1, statutory_minimum: 0, exemption: 0 },
  entries: [4711],
  bytesWiped: 81_920,
  bytesReclaimed: 0,
  startedAt: '2026-11-26T10:00:00.000Z',
  endedAt: null,
  stoppedBy: null,
  error: null,
} satisfies ErasureShown;

const exampleHold = {
  id: 'l-3f9a01c2-4700',
  seq: 4700,
  by: 'petra',
  reason: 'Case 7 O 12/26.',
  scope: { decision: 15 },
} satisfies LegalHoldShown;

export const startErasure: Operation = {
  id: 'startErasure',
  tag: 'erasure',
  summary: 'Erase content',
  description:
    'Per decision: legal hold, then statutory minimum, then exemption, then erase. What is erased and what is refused is sealed; then ciphertext and keys are overwritten. Entries, their hashes and who ruled stay. Runs in the background: read it until it is done. What a stop or a crash cuts off goes on at the next start under the same id, and counts from there. Copies made before, such as backups, are not covered.',
  roles: erasers,
  body: {
    schema: newErasureSchema,
    example: {
      scope: { subject: 'customer-4711' },
      basis: 'objection',
      reason: 'Request DSR-88.',
      dryRun: false,
    },
  },
  answers: [jsonAnswer('It has begun, or waits for another to end.', erasureSchema, exampleErasure, 202)],
  refusals: ['not_found', 'body_too_large', 'ledger_unavailable', 'overloaded', 'shutting_down'],
};

export const listErasures: Operation = {
  id: 'listErasures',
  tag: 'erasure',
  summary: 'Erasures since the sidecar started',
  description:
    'The newest first: the 200 that were asked for last, dry runs and those of the schedule included. Entries of earlier ones stay in the ledger.',
  ...allowed('read_erasures'),
  answers: [jsonAnswer('The erasures.', erasuresSchema, { items: [exampleErasure] })],
  refusals: [],
};

export const showErasure: Operation = {
  id: 'showErasure',
  tag: 'erasure',
  summary: 'How far an erasure is',
  description: 'Kept until the sidecar stops; its entries stay in the ledger.',
  ...allowed('read_erasures'),
  answers: [jsonAnswer('The erasure.', erasureSchema, exampleErasure)],
  refusals: ['not_found'],
};

export const stopErasure: Operation = {
  id: 'stopErasure',
  tag: 'erasure',
  summary: 'Stop an erasure',
  description:
    'It ends after the decision that it is at, or at once where it waits, and does not go on at the next start. What was erased stays erased. Its last entry names who stopped it. One of the schedule comes again when it is due: change its rule, or place a legal hold.',
  roles: erasers,
  body: { schema: stopSchema, example: { reason: 'The class was named wrongly.' } },
  answers: [
    jsonAnswer(
      'It stops: read it until it has.',
      erasureSchema,
      { ...exampleErasure, stoppedBy: 'petra' } satisfies ErasureShown,
      202,
    ),
  ],
  refusals: ['not_found', 'erasure_ended', 'body_too_large', 'ledger_unavailable'],
};

export const listLegalHolds: Operation = {
  id: 'listLegalHolds',
  tag: 'erasure',
  summary: 'Legal holds that stand',
  description: 'What a legal hold is on is not erased, neither on request nor on schedule.',
  ...allowed('read_erasures'),
  answers: [jsonAnswer('The legal holds.', legalHoldsSchema, { items: [exampleHold] })],
  refusals: [],
};

export const placeLegalHold: Operation = {
  id: 'placeLegalHold',
  tag: 'erasure',
  summary: 'Place a legal hold',
  description: 'Answered once it is sealed; from then on nothing that it is on is erased.',
  roles: erasers,
  body: {
    schema: newLegalHoldSchema,
    example: { scope: { decision: 'd-3f9a01c2-15' }, reason: 'Case 7 O 12/26.' },
  },
  answers: [jsonAnswer('It stands.', legalHoldSchema, exampleHold, 201)],
  refusals: ['not_found', 'body_too_large', 'ledger_unavailable'],
};

export const liftLegalHold: Operation = {
  id: 'liftLegalHold',
  tag: 'erasure',
  summary: 'Lift a legal hold',
  description:
    'Answered once it is sealed. What was refused because of it is not erased by itself: ask again.',
  roles: erasers,
  body: { schema: liftSchema, example: { reason: 'The case is closed.' } },
  answers: [jsonAnswer('The legal hold that was lifted.', legalHoldSchema, exampleHold)],
  refusals: ['not_found', 'body_too_large', 'ledger_unavailable'],
};
