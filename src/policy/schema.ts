/**
 * The policy file as people write it: what may stand where, its bounds and its defaults. The published
 * `config/policy.schema.json` is made from this. What a rule's `when` may say is `compile.ts`'s matter.
 */
import { z } from 'zod';
import { createRoleBook, roleNamePattern } from '../core/roles.ts';
import type { HoldTerms, Need } from './policy.ts';

export const rulesMax = 256;
export const whenCharsMax = 8192;
const fixturesMax = 100;
const expiresInMsMin = 1_000;
const expiresInMsMax = 7 * 86_400_000;
const collectInMsMax = 86_400_000;
const breakGlassInMsMax = 3_600_000;
const reviewInMsMin = 60_000;
const reviewInMsMax = 30 * 86_400_000;
const escalationsMax = 5;

const msByUnit: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `15m`, `24h`, `7d` to milliseconds, within bounds. */
function durationMs(msMin: number, msMax: number, bounds: string) {
  return z
    .string()
    .regex(/^[0-9]{1,6}[smhd]$/, 'it must be a number and a unit, such as 30s, 15m, 24h or 7d')
    .transform((text, context) => {
      const ms = Number(text.slice(0, -1)) * (msByUnit[text.slice(-1)] ?? Number.NaN);
      if (ms >= msMin && ms <= msMax) return ms;
      context.addIssue({ code: 'custom', message: `is "${text}"; it must be ${bounds}` });
      return z.NEVER;
    });
}

const toolCallFixture = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  arguments: z.json().optional().describe('The parsed arguments; {} when absent.'),
  argumentsText: z
    .string()
    .optional()
    .describe('As the model wrote them; the JSON of `arguments` when absent.'),
});

const requestFixture = z.strictObject({
  provider: z.string().optional(),
  operation: z.string().optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  model: z.string().optional(),
  stream: z.boolean().optional(),
  params: z.record(z.string(), z.json()).optional(),
  system: z.string().optional(),
  messages: z
    .array(
      z.strictObject({
        role: z.string().optional(),
        text: z.string().optional(),
        toolCalls: z.array(toolCallFixture).optional(),
      }),
    )
    .optional(),
  text: z.string().optional().describe('The system text and the messages, joined, when absent.'),
  tokenIds: z
    .int()
    .min(0)
    .optional()
    .describe('How many token ids stand where words would; none when absent.'),
  unjudgedFiles: z
    .array(z.string())
    .optional()
    .describe('Files of requests that run with this one and were not judged when they were uploaded.'),
  tools: z
    .array(z.strictObject({ name: z.string().optional(), description: z.string().optional() }))
    .optional(),
  headers: z.record(z.string(), z.string()).optional(),
  workload: z.string().optional(),
  subject: z.string().optional(),
  purpose: z.string().optional(),
  session: z.string().optional(),
});

const count = z.int().min(0);

const responseFixture = z.strictObject({
  status: z.int().min(100).max(599).optional(),
  model: z.string().optional(),
  fingerprint: z.string().optional(),
  text: z.string().optional(),
  toolCalls: z.array(toolCallFixture).optional(),
  finishReason: z.string().optional(),
  usage: z
    .strictObject({
      source: z.enum(['provider', 'absent']).optional(),
      inputTokens: count.optional(),
      outputTokens: count.optional(),
      totalTokens: count.optional(),
    })
    .optional(),
  refusal: z.string().optional(),
});

const fixture = z
  .strictObject({
    name: z.string().min(1).max(120),
    expect: z
      .enum(['match', 'no-match', 'error'])
      .describe('`error`: the rule cannot be decided on these facts, and therefore holds.'),
    request: requestFixture.optional(),
    response: responseFixture.optional(),
    labels: z.array(z.string()).optional(),
  })
  .describe('Facts the rule is tried on each time the policy is loaded. What is left out is neutral.');

/** A role that a hold can ask for. */
type RulingRole = z.ZodType<string, string>;
const approvalsMax = 10;
const people = z.int().min(1).max(approvalsMax);

const holdTermsOf = (rulingRole: RulingRole, roleList = z.array(rulingRole).min(1)) =>
  z.strictObject({
    expiresIn: durationMs(expiresInMsMin, expiresInMsMax, 'from 1s to 7d')
      .prefault('15m')
      .describe('How long a person has. An expired hold is refused, never released.'),
    collectIn: durationMs(expiresInMsMin, collectInMsMax, 'from 1s to 1d')
      .optional()
      .describe('How long a released answer waits for its caller; 15m when absent.'),
    approvals: z
      .union([people, z.partialRecord(rulingRole, people)])
      .default(1)
      .describe('How many different people must release: so many, or so many in each role.'),
    roles: roleList
      .optional()
      .describe('Who may rule; any one of these. [reviewer] when absent, or the roles that approvals names.'),
    notRequester: z
      .boolean()
      .default(true)
      .describe('The person the request was made for may not rule on it.'),
    escalate: z
      .array(
        z.strictObject({
          after: durationMs(expiresInMsMin, expiresInMsMax, 'from 1s to 7d'),
          roles: roleList,
        }),
      )
      .min(1)
      .max(escalationsMax)
      .optional()
      .describe('Who may rule besides, once the hold has waited so long; they are told.'),
    breakGlass: z
      .strictObject({
        roles: roleList,
        collectIn: durationMs(expiresInMsMin, breakGlassInMsMax, 'from 1s to 1h')
          .prefault('5m')
          .describe('How long what was released so may be collected.'),
        reviewIn: durationMs(reviewInMsMin, reviewInMsMax, 'from 1m to 30d')
          .optional()
          .describe(
            'Until when somebody else reviews it before that is reported as overdue; 3d when absent.',
          ),
      })
      .optional()
      .describe('Who may release alone and at once, with a reason. It alerts, and somebody else reviews it.'),
  });

const holdOf = (rulingRole: RulingRole) =>
  holdTermsOf(rulingRole)
    .superRefine((terms, context) => {
      const custom = (path: readonly (string | number)[], message: string): void =>
        context.addIssue({ code: 'custom', path: [...path], message });
      if (typeof terms.approvals !== 'number') {
        const asked = Object.values(terms.approvals).reduce((sum: number, count) => sum + (count ?? 0), 0);
        if (asked < 1 || asked > approvalsMax)
          custom(['approvals'], `asks for ${asked} people; it must be 1 to ${approvalsMax} in all`);
        if (terms.roles !== undefined)
          custom(['roles'], 'stands beside approvals by role, which say who may rule; remove it');
      }
      let beforeMs = 0;
      terms.escalate?.forEach(({ after }, place) => {
        if (after <= beforeMs || after >= terms.expiresIn)
          custom(
            ['escalate', place, 'after'],
            'must be later than the step before it and earlier than expiresIn',
          );
        beforeMs = after;
      });
    })
    .transform(
      ({ expiresIn, collectIn, approvals, roles, notRequester, escalate, breakGlass }): HoldTerms => {
        const needs = typeof approvals === 'number' ? [] : needsByRole(approvals);
        return {
          expiresInMs: expiresIn,
          approvals:
            typeof approvals === 'number' ? approvals : needs.reduce((sum, need) => sum + need.approvals, 0),
          roles: needs.length === 0 ? (roles ?? ['reviewer']) : needs.flatMap((need) => need.roles),
          notRequester,
          ...(needs.length === 0 ? {} : { needs }),
          ...(collectIn === undefined ? {} : { collectInMs: collectIn }),
          ...(escalate === undefined
            ? {}
            : { escalation: escalate.map((step) => ({ afterMs: step.after, roles: step.roles })) }),
          ...(breakGlass === undefined ? {} : { breakGlass: glassTerms(breakGlass) }),
        };
      },
    );

function glassTerms({
  roles,
  collectIn,
  reviewIn,
}: {
  readonly roles: readonly string[];
  readonly collectIn: number;
  readonly reviewIn?: number | undefined;
}): NonNullable<HoldTerms['breakGlass']> {
  return { roles, collectInMs: collectIn, ...(reviewIn === undefined ? {} : { reviewInMs: reviewIn }) };
}

function needsByRole(approvals: Readonly<Partial<Record<string, number>>>): Need[] {
  return Object.entries(approvals).flatMap(([role, count]) =>
    count === undefined ? [] : [{ approvals: count, roles: [role] }],
  );
}

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
      tests: z.array(fixture).max(fixturesMax).describe('At least one that matches and one that does not.'),
    })
    .superRefine((value, context) => {
      for (const expected of ['match', 'no-match'] as const) {
        if (value.tests.some((test) => test.expect === expected)) continue;
        context.addIssue({
          code: 'custom',
          path: ['tests'],
          message: `has no fixture with \`expect: ${expected}\`; a rule needs at least one that matches and one that does not`,
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
