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
  possibleDuplicate: z.boolean().default(false),
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
const rawSchema = z.object({ startLine: z.string(), headers: z.array(z.string()), body: z.string() });
const messageSchema = z.object({ role: z.string(), text: z.string(), toolCalls: z.array(callSchema) });
const requestSchema = z.object({
  method: z.string(),
  path: z.string(),
  params: z.record(z.string(), z.json()),
  system: z.string(),
  messages: z.array(messageSchema),
  tools: z.array(z.object({ name: z.string(), description: z.string() })),
  raw: rawSchema,
});
const responseSchema = z.object({
  text: z.string(),
  refusal: z.string(),
  toolCalls: z.array(callSchema),
  raw: rawSchema,
});
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
const actionsSchema = z.object({
  release: z.string(),
  deny: z.string(),
  amend: z.string(),
  releaseCalls: z.string(),
  breakGlass: z.string(),
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
      at: z.string(),
      breakGlass: z.boolean(),
      withheld: z.array(z.number()).default([]),
      inStead: z.string().default(''),
      reason: z.string().nullable().default(null),
    }),
  ),
  outcome: z.string().nullable().default(null),
  requester: z.string(),
  notRequester: z.boolean(),
  escalation: z.array(stepSchema),
  escalated: z.array(stepSchema),
  breakGlass: z.array(z.string()),
  collectInMs: z.number(),
  breakGlassCollectInMs: z.number().nullable(),
  actions: actionsSchema,
  inStead: z.array(z.object({ name: z.string(), role: z.string(), actions: actionsSchema })).default([]),
  exchange: z
    .object({
      request: requestSchema,
      amendedRequest: requestSchema.nullable().default(null),
      response: responseSchema.nullable(),
      amendedResponse: responseSchema.nullable().default(null),
      defects: z.array(z.string()),
    })
    .nullable(),
  unreadable: unreadableSchema,
});
export type Detail = z.output<typeof detailSchema>;

/** What a hold is about, for its line in the queue. */
export function headlineOf({
  headline,
  possibleDuplicate,
}: Pick<Detail, 'headline' | 'possibleDuplicate'>): string {
  return possibleDuplicate ? `possible duplicate: ${headline}` : headline;
}

/** Nobody rules on it any more. */
export function isOver({ state }: Pick<Detail, 'state'>): boolean {
  return state !== 'pending';
}

/** Places of the tool calls that a release of one that is over left out. */
export function withheldIn({ state, rulings }: Detail): ReadonlySet<number> {
  return new Set(state === 'amended' ? rulings.at(-1)?.withheld : []);
}

/** Each ruling, when it was made, and why in the words of who ruled. */
export function rulingsIn({
  rulings,
}: Detail): readonly { readonly title: string; readonly reason: string }[] {
  return rulings.map(({ by, role, verdict, at, breakGlass, withheld, inStead, reason }) => {
    if (verdict === 'expired') return { title: `expired at ${at}: nobody ruled in time`, reason: '' };
    const whose = inStead === '' ? role : `${role}, in the stead of ${inStead}`;
    const places = withheld.map((place) => place + 1).join(', ');
    const without = places === '' ? '' : `, without tool call ${places}`;
    return {
      title: `${breakGlass ? 'glass broken' : verdict} by ${by} (${whose}) at ${at}${without}`,
      reason: reason ?? '(erased, unreadable, or not for your role)',
    };
  });
}
