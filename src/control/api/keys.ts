/** Changes of the ledger's keys. */
import { z } from 'zod';
import { jsonAnswer, type Operation } from '../operation.ts';
import { givenText } from './texts.ts';

const reason = givenText.max(256).describe('Why; sealed with the change.');
const kek = z.string().regex(/^[0-9a-f]{8}$/, 'expected the 8 hex digits of a key-encryption key');

export const keyChangeSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('rotate').describe('A new signing key.'), reason }),
  z.strictObject({ action: z.literal('epoch').describe('A new key-encryption key.'), reason }),
  z.strictObject({
    action: z.literal('retire').describe('Destroys the key-encryption key of an earlier epoch.'),
    kek,
    reason,
  }),
  z.strictObject({
    action: z.literal('revoke').describe('A former signing key was stolen.'),
    kid: z.string().regex(/^[0-9a-f]{8}$/, 'expected the 8 hex digits of a former key'),
    size: z.int().min(0).describe('Entries up to which somebody outside remembers what it signed.'),
    reason,
  }),
]);

const keysSchema = z
  .object({
    key: z.string().describe('The verifier key in force.'),
    kek: kek.describe('Names the key-encryption key in use.'),
    retiredKeks: z.array(z.string()).describe('Names those of earlier epochs that are kept.'),
  })
  .meta({ id: 'Keys', description: 'Which keys the ledger is under; no secret is among them.' });

export const changeKeys: Operation = {
  id: 'changeKeys',
  tag: 'ledger',
  summary: 'Change a key of the ledger',
  description:
    'Answers once the change is sealed and the new key is on disk. The private keys are made by the sidecar and never leave it. Calls go on meanwhile.',
  roles: ['admin'],
  body: { schema: keyChangeSchema, example: { action: 'rotate', reason: 'yearly rotation' } },
  answers: [jsonAnswer('The keys after it.', keysSchema)],
  refusals: ['invalid_argument', 'config_invalid', 'ledger_unavailable', 'overloaded'],
};
