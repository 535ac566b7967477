/**
 * The policy file as people write it: what may stand where, its bounds and its defaults. The published
 * `config/policy.schema.json` is made from this. What a rule's `when` may say is `compile.ts`'s matter.
 */
import { z } from 'zod';
import { createRoleBook, roleNamePattern } from '../core/roles.ts';
import { fixtureSchema } from './fixture-schema.ts';
import { holdOf, type RulingRole } from './hold-schema.ts';

export const rulesMax = 256;
export const whenCharsMax = 8192;
const fixturesMax = 100;

const ruleOf = (rulingRole: RulingRole) =>
  z
    .strictObject({
      id: z.string().regex(/^[a-z0-9-]{1,64}$/, 'it must be 1 to 64 lower-case letters, digits and hyphens'),
      title: z.string().min(1).max(200).describe('What a reviewer reads first.'),
      phase: z
        .enum(['request', 'response'])
        .describe('Judged before the call goes out, or on the whole answer.'),
      when: z
        .string()
        .min(1)
        .max(whenCharsMax)
        .describe('CEL over request, response and labels; true is a match.'),
      action: z.enum(['hold', 'deny', 'flag']),
      severity: z.enum(['low', 'medium', 'high', 'critical']).default('medium'),
      hold: holdOf(rulingRole)
        .prefault({})
        .describe('What the hold demands. Also used when a deny or flag rule fails, for then it holds.'),
      tests: z
        .array(fixtureSchema)
        .max(fixturesMax)
        .describe('At least one that matches and one that does not.'),
    })
    .superRefine((value, context) => {
      for (const expected of ['match', 'no-match'] as const) {
        if (value.tests.some((test) => test.expect === expected)) continue;
        context.addIssue({
          code: 'custom',
          path: ['tests'],
          message: `has no test with \`expect: ${expected}\`; a rule needs at least one that matches and one that does not`,
        });
      }
      value.tests.forEach((test, index) => {
        if (value.phase === 'response' || test.response === undefined) return;
        context.addIssue({
          code: 'custom',
          path: ['tests', index, 'response'],
          message: 'stands in a rule of phase request, which is judged before there is a response; remove it',
        });
      });
    });

const policyOf = (rulingRole: RulingRole) =>
  z
    .strictObject({
      version: z
        .string()
        .min(1)
        .max(64)
        .describe("The date of the format and the rules, such as '2026-11-22'."),
      rules: z.array(ruleOf(rulingRole)).max(rulesMax),
    })
    .superRefine((policy, context) => {
      const seen = new Map<string, number>();
      policy.rules.forEach(({ id }, index) => {
        const first = seen.get(id);
        if (first === undefined) seen.set(id, index);
        else {
          const message = `"${id}" is also the id of rules[${first}]; an id names one rule`;
          context.addIssue({ code: 'custom', path: ['rules', index, 'id'], message });
        }
      });
    });

/** Where rules can ask for the roles of the house alone. */
export const policySchema = policyOf(z.enum([...createRoleBook().rulers]));

/** The schema where rules can ask for these roles alone. */
export function policySchemaOf(rulers: readonly string[]) {
  return policyOf(z.enum([...rulers]));
}

export type PolicyFile = z.output<ReturnType<typeof policySchemaOf>>;
export type RuleSource = PolicyFile['rules'][number];
export type Fixture = RuleSource['tests'][number];

/** The JSON Schema that editors check a policy file against; which roles there are, the configuration says. */
export function policyJsonSchema(): unknown {
  const anyRole = z.string().regex(roleNamePattern);
  return { title: 'Holdpoint policy', ...z.toJSONSchema(policyOf(anyRole), { io: 'input' }) };
}
