/** The policy in force rule by rule with its own tests, and the versions that were sealed. */
import { z } from 'zod';
import { allowed, integerParameter, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { besideDamage, unreadableField } from './unreadable.ts';

const pageMax = 100;
const expectation = z.enum(['match', 'no-match', 'error']);

const ruleSchema = z.object({
  id: z.string(),
  title: z.string(),
  phase: z.enum(['request', 'response']),
  when: z.string().describe('CEL, as it was written.'),
  action: z.enum(['hold', 'deny', 'flag']),
  severity: z.enum(['low', 'medium', 'high', 'critical']),
  hold: z.object({
    expiresInMs: z.int(),
    approvals: z.int().min(1),
    roles: z.array(z.string()),
    notRequester: z.boolean(),
    needs: z
      .array(z.object({ approvals: z.int().min(1), roles: z.array(z.string()) }))
      .optional()
      .describe('By role, besides `approvals` in all.'),
    collectInMs: z.int().optional(),
    escalation: z.array(z.object({ afterMs: z.int(), roles: z.array(z.string()) })).optional(),
    breakGlass: z
      .object({ roles: z.array(z.string()), collectInMs: z.int(), reviewInMs: z.int().optional() })
      .optional()
      .describe('Who may release alone, how long that may be collected, and until when it is reviewed.'),
  }),
  tests: z
    .array(
      z.object({
        name: z.string(),
        expected: expectation,
        actual: expectation,
        passed: z.boolean(),
        message: z.string(),
      }),
    )
    .describe('The rule tried on its own tests, now.'),
});

export const policyRulesSchema = z
  .object({ version: z.string(), digest: z.string(), rules: z.array(ruleSchema) })
  .meta({ id: 'PolicyRules', description: 'The policy in force, rule by rule.' });
export type PolicyRules = Sent<z.output<typeof policyRulesSchema>>;

const versionShape = {
  seq: z.int().min(0).describe('Of its entry; the cursor.'),
  at: z.string(),
  version: z.string().describe("As the file says; '' where it was refused."),
  digest: z.string(),
  result: z.enum(['loaded', 'refused']),
};

export const policyVersionPageSchema = z
  .object({
    items: z.array(z.object(versionShape)),
    next: z.int().nullable().describe('Pass as `before` for what is older; null at the end.'),
    unreadable: unreadableField.describe('Damaged entries looked at for this page.'),
  })
  .meta({ id: 'PolicyVersionPage', description: 'Each time a policy was loaded or refused, newest first.' });

export const policyVersionSchema = z
  .object({ ...versionShape, source: z.string().describe('The file as it was read then.') })
  .meta({ id: 'PolicyVersion', description: 'One sealed policy, whole.' });

export const versionQuerySchema = z.strictObject({
  limit: integerParameter({ min: 1, max: pageMax, fallback: 20 }).describe('The most that is answered.'),
  before: integerParameter({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    fallback: Number.MAX_SAFE_INTEGER,
  }).describe('Only what is older than this; `next` of the page before.'),
});

const base = { tag: 'sidecar', ...allowed('see') } as const;

export const showPolicyRules: Operation = {
  ...base,
  id: 'showPolicyRules',
  summary: 'The rules in force and their tests',
  description: 'What the file says, with its defaults filled in, and what each rule says of its own tests.',
  answers: [jsonAnswer('The rules.', policyRulesSchema)],
  refusals: [],
};

export const listPolicyVersions: Operation = {
  ...base,
  id: 'listPolicyVersions',
  summary: 'Sealed policies, newest first',
  description: `A policy is sealed each time the sidecar starts with it and each time the file changes. Work is bounded: a page may be empty and still have a \`next\`, and it ends where it has 100 of \`unreadable\`. ${besideDamage}`,
  query: versionQuerySchema,
  answers: [jsonAnswer('A page.', policyVersionPageSchema)],
  refusals: [],
};

export const showPolicyVersion: Operation = {
  ...base,
  id: 'showPolicyVersion',
  summary: 'One sealed policy, whole',
  description: 'By the `seq` of its entry.',
  answers: [jsonAnswer('The policy.', policyVersionSchema)],
  refusals: ['not_found', 'ledger_damaged'],
};
