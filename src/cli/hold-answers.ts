/** What the control port answers about holds, as far as the command line reads it. */
import { z } from 'zod';
import { unreadableSchema } from './unreadable.ts';

const stepSchema = z.object({ at: z.string(), roles: z.array(z.string()) });

/** In place of a workload that says no name. */
export const unnamed = 'unnamed';

/** The fields of a hold that the command line shows; the API sends more. */
export const summarySchema = z.object({
  id: z.string(),
  decisionId: z.string(),
  state: z.string(),
  severity: z.string(),
  headline: z.string(),
  workload: z.string(),
  model: z.string(),
  digest: z.string(),
  contentDigest: z.string(),
  assignee: z.string(),
  commentCount: z.number(),
  openedAt: z.string(),
  expiresAt: z.string(),
  caller: z.string(),
  approvals: z.object({
    needed: z.number(),
    given: z.array(z.string()),
    byRole: z.array(z.object({ needed: z.number(), roles: z.array(z.string()), left: z.number() })),
  }),
  roles: z.array(z.string()),
});
export const listSchema = z.object({
  items: z.array(summarySchema),
  total: z.number(),
  unreadable: unreadableSchema,
  unreadableEntries: z.number().default(0),
});

const callReading = { name: z.string(), arguments: z.json(), argumentsText: z.string() };
export const callSchema = z.object({
  id: z.string(),
  ...callReading,
  alsoAs: z.array(z.object(callReading)).optional(),
});
const requestSchema = z.object({ messages: z.array(z.object({ role: z.string(), text: z.string() })) });
const reviewSchema = z.object({
  by: z.string(),
  verdict: z.string(),
  at: z.string(),
  text: z.string().nullable(),
});
const truePartSchema = z.object({
  expression: z.string(),
  values: z.array(z.object({ value: z.string() })),
});
export const detailSchema = summarySchema.extend({
  comments: z.array(z.object({ by: z.string(), at: z.string(), text: z.string().nullable() })),
  review: reviewSchema.nullable(),
  rules: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      when: z.string(),
      error: z.string(),
      because: z.array(truePartSchema).optional(),
    }),
  ),
  policy: z.object({ version: z.string() }),
  rulings: z.array(
    z.object({
      by: z.string(),
      role: z.string(),
      verdict: z.string(),
      breakGlass: z.boolean(),
      reason: z.string().nullable().default(null),
    }),
  ),
  requester: z.string(),
  notRequester: z.boolean(),
  escalation: z.array(stepSchema),
  escalated: z.array(stepSchema),
  breakGlass: z.array(z.string()),
  collectInMs: z.number(),
  breakGlassCollectInMs: z.number().nullable(),
  actions: z.object({
    release: z.string(),
    deny: z.string(),
    amend: z.string(),
    releaseCalls: z.string(),
    breakGlass: z.string(),
  }),
  exchange: z
    .object({
      request: requestSchema,
      amendedRequest: requestSchema.nullable().default(null),
      response: z.object({ text: z.string(), toolCalls: z.array(callSchema) }).nullable(),
    })
    .nullable(),
});
export type Detail = z.output<typeof detailSchema>;

/** Each ruling, and why in the words of who ruled. */
export function rulingsIn({
  rulings,
}: Detail): readonly { readonly title: string; readonly reason: string }[] {
  return rulings.map(({ by, role, verdict, breakGlass, reason }) => ({
    title: `${breakGlass ? 'glass broken' : verdict} by ${by} (${role})`,
    reason: reason ?? '(erased, or not for your role)',
  }));
}

/** Who said what before what is held: as a reviewer amended it, where one did. */
export function conversationIn({
  exchange,
}: Detail): readonly { readonly who: string; readonly text: string }[] {
  if (exchange === null) return [];
  const { request, amendedRequest } = exchange;
  const how = amendedRequest === null ? '' : ', as a reviewer amended it';
  return (amendedRequest ?? request).messages.map(({ role, text }) => ({ who: `${role}${how}`, text }));
}
