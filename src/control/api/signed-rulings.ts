/** Keys of reviewers, and rulings that are signed with them. */
import { z } from 'zod';
import { allowed, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { anyName } from './names.ts';
import { givenText } from './texts.ts';

const base64Of32 = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'expected base64 of 32 bytes');
const base64Of64 = z.string().regex(/^[A-Za-z0-9+/]{86}==$/, 'expected base64 of 64 bytes');
const key = base64Of32.describe('The public key, Ed25519: base64 of 32 bytes.');
const owner = anyName.describe('Whose rulings it signs.');
const reason = givenText.max(256).describe('Why; sealed.');

export const signedRulingSchema = z
  .strictObject({
    signed: z.strictObject({
      statement: z
        .string()
        .max(16 * 1024)
        .describe(
          'What is signed, canonical JSON (RFC 8785); see FORMAT.md of the ledger, "Signed rulings".',
        ),
      order: z
        .string()
        .describe(
          'The JSON text of a Ruling, with 64 random hex digits as `salt`; the statement names its digest.',
        ),
      value: base64Of64.describe('The signature, Ed25519: base64 of 64 bytes.'),
    }),
  })
  .meta({ id: 'SignedRuling', description: 'A ruling with the signature of its reviewer.' });
export type SignedRuling = Sent<z.output<typeof signedRulingSchema>>['signed'];

export const enrolmentSchema = z
  .strictObject({
    owner,
    key,
    possession: base64Of64.describe(
      'Signature by the key over "holdpoint/enrol/1\\0" and origin, owner and key, a newline after each.',
    ),
    reason,
  })
  .meta({ id: 'NewReviewerKey', description: 'A key that is to sign a person’s rulings.' });

export const withdrawalSchema = z
  .strictObject({ key, reason })
  .meta({ id: 'WithdrawReviewerKey', description: 'A key that is to count no more.' });

const reviewerKeySchema = z
  .object({
    owner,
    key,
    fingerprint: z.string().describe('For people: 16 hex of SHA-256 over the key’s bytes.'),
    seq: z.int().min(0).describe('Of the entry that enrolled it.'),
    withdrawn: z.int().nullable().describe('Seq of the entry that withdrew it; null while it counts.'),
  })
  .meta({ id: 'ReviewerKey', description: 'A key that signs a person’s rulings, or did.' });
export type ReviewerKeyShown = Sent<z.output<typeof reviewerKeySchema>>;

const reviewerKeysSchema = z
  .object({
    origin: z.string().describe('Of the ledger; what a new key signs names it.'),
    rulings: z.enum(['accepted', 'signed']).describe('Whether a ruling has to be signed.'),
    items: z.array(reviewerKeySchema),
  })
  .meta({ id: 'ReviewerKeys', description: 'Every key that was ever enrolled, in order.' });

const example = {
  owner: 'ada',
  key: `${'A'.repeat(43)}=`,
  fingerprint: '66687aadf862bd77',
  seq: 12,
  withdrawn: null,
} satisfies ReviewerKeyShown;
export const listReviewerKeys: Operation = {
  id: 'listReviewerKeys',
  tag: 'holds',
  summary: 'Keys that sign rulings',
  description: 'As the ledger says them.',
  ...allowed('see'),
  answers: [
    jsonAnswer('The keys.', reviewerKeysSchema, {
      origin: `holdpoint/${'0'.repeat(32)}`,
      rulings: 'accepted',
      items: [example],
    }),
  ],
  refusals: [],
};

export const enrolReviewerKey: Operation = {
  id: 'enrolReviewerKey',
  tag: 'holds',
  summary: 'Enrol a key that signs rulings',
  description:
    'A person enrols their first key themselves; any other one needs an admin who is somebody else, so that a stolen token is not enough. Answered once it is sealed. A key never comes back.',
  ...allowed('enrol_key'),
  body: {
    schema: enrolmentSchema,
    example: { owner: 'ada', key: example.key, possession: `${'A'.repeat(86)}==`, reason: 'first key' },
  },
  answers: [jsonAnswer('It counts from now on.', reviewerKeySchema, example, 201)],
  refusals: ['signature_invalid', 'body_too_large', 'ledger_unavailable'],
};

export const withdrawReviewerKey: Operation = {
  id: 'withdrawReviewerKey',
  tag: 'holds',
  summary: 'Withdraw a key that signs rulings',
  description: 'By its owner or an admin. What it signed before stays signed. Answered once it is sealed.',
  ...allowed('enrol_key'),
  body: { schema: withdrawalSchema, example: { key: example.key, reason: 'The laptop was lost.' } },
  answers: [jsonAnswer('It counts no more.', reviewerKeySchema, { ...example, withdrawn: 40 })],
  refusals: ['not_found', 'body_too_large', 'ledger_unavailable'],
};
