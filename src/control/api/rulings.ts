/** A ruling on one hold: what goes in and out. */
import { z } from 'zod';
import { amendmentSchema, callsMax } from '../amend.ts';
import { allowed, jsonAnswer, type Operation } from '../operation.ts';
import { digest, exampleDigest, holdSummarySchema } from './holds.ts';
import { signedRulingSchema } from './signed-rulings.ts';
import { writtenText } from './texts.ts';

export const rulingSchema = z
  .strictObject({
    verdict: z.enum(['release', 'deny', 'amend']),
    reason: writtenText.max(4000).default('').describe('Required to deny, to amend and to break the glass.'),
    digest,
    breakGlass: z
      .boolean()
      .default(false)
      .describe('Release alone and at once, in a role that the hold names for it. It alerts.'),
    inStead: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'expected the name of a person')
      .optional()
      .describe('Who is away and lent you their role; the ruling is made in it. Never to break the glass.'),
    calls: z
      .array(z.string())
      .max(callsMax)
      .optional()
      .describe(
        'With the verdict release: ids of the tool calls that are released. The answer is delivered without the others, and sealed so; the ruling is an `amend`, which needs a reason.',
      ),
    amendment: amendmentSchema.optional().describe('With the verdict amend, and with no other.'),
  })
  .meta({ id: 'Ruling', description: 'A ruling, bound to the digest of the held bytes.' });

export const ruleOnHold: Operation = {
  id: 'ruleOnHold',
  tag: 'holds',
  summary: 'Rule on a hold',
  description: `Answered once the ruling is sealed. Which roles may rule was fixed by the policy when the hold opened, with the times from which further ones may; the requester may not where the rule says so. Refused with 409 when it was already ruled, has expired, the digest differs, what is held cannot be amended, or a policy that came into force since denies it: then it is held on.`,
  ...allowed('see'),
  body: {
    schema: z.union([rulingSchema, signedRulingSchema]),
    example: { verdict: 'release', reason: 'Invoice 4711 is approved.', digest: exampleDigest },
  },
  answers: [jsonAnswer('The ruling is sealed; the hold as it is now.', holdSummarySchema, undefined, 201)],
  refusals: [
    'not_found',
    'already_ruled',
    'digest_mismatch',
    'ruling_expired',
    'policy_changed',
    'not_divisible',
    'not_amendable',
    'signature_required',
    'signature_invalid',
    'body_too_large',
    'ledger_unavailable',
  ],
};
