/** What a hold demands, as people write it in a rule: who rules, until when, who may rule later or alone. */
import { z } from 'zod';
import type { HoldTerms, Need } from './policy.ts';

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

/** A role that a hold can ask for. */
export type RulingRole = z.ZodType<string, string>;
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

/** The `hold` of a rule, made into terms; it can ask for these roles alone. */
export const holdOf = (rulingRole: RulingRole) =>
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
