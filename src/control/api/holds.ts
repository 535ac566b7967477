/** The queue of holds and one hold: what goes in and out. */
import { z } from 'zod';
import { reviewVerdicts } from '../../hold/record.ts';
import { holdStates } from '../../hold/state.ts';
import { outcomes } from '../../ledger/entry.ts';
import { allowed, integerParameter, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { exchangeSchema } from './exchange.ts';
import { truePartSchema } from './true-parts.ts';
import { besideDamage, unreadableField } from './unreadable.ts';

const pageMax = 500;
const severity = z.enum(['low', 'medium', 'high', 'critical']);
export const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected the digest of the hold: 64 hex digits')
  .describe('Commitment of the held bytes.');

const summaryShape = {
  id: z.string(),
  decisionId: z.string(),
  state: z.enum(holdStates),
  phase: z.enum(['request', 'response']).describe('Whether the request or the answer is held.'),
  severity: severity.describe('The worst of its rules.'),
  headline: z.string().describe("What would happen; a viewer gets the rule's title instead."),
  provider: z.string(),
  operation: z.string(),
  model: z.string(),
  workload: z.string(),
  session: z.string(),
  stream: z.boolean(),
  digest,
  contentDigest: z
    .string()
    .describe(
      "SHA-256 of the held bytes: holds with the same one hold the same. '' for a viewer, where it is erased, and where credentials were taken out.",
    ),
  openedAt: z.string(),
  expiresAt: z.string(),
  approvals: z.object({
    needed: z.int().min(1),
    given: z
      .array(z.string())
      .describe(
        'Who has released so far: each person once, and while it waits those alone who may still rule.',
      ),
    byRole: z
      .array(z.object({ needed: z.int().min(1), roles: z.array(z.string()), left: z.int().min(0) }))
      .describe(
        'What the rule asks for in each role, and how many people it still lacks; empty where any will do.',
      ),
  }),
  roles: z.array(z.string()).describe('Who may rule now.'),
  escalation: z
    .array(z.object({ at: z.string(), roles: z.array(z.string()) }))
    .describe('Who may rule besides, from then on, while nobody has.'),
  breakGlass: z.array(z.string()).describe('Roles that may release alone and at once, with a reason.'),
  requester: z.string().describe('Who may not rule, where the rule says so.'),
  caller: z.enum(['waiting', 'gone']),
  possibleDuplicate: z.boolean().describe('An identical call was held when this one came.'),
  assignee: z.string().describe("Who is on it; '' where nobody is. Whoever is entitled may still rule."),
  commentCount: z.int().min(0),
  outcome: z.enum(outcomes).nullable().describe('How the decision ended; null while it is open.'),
};

export const holdSummarySchema = z
  .object({ ...summaryShape, rules: z.array(z.object({ id: z.string(), title: z.string(), severity })) })
  .meta({ id: 'HoldSummary', description: 'A hold in the queue.' });
export type HoldSummary = Sent<z.output<typeof holdSummarySchema>>;

const whyNot = z.string().describe("Why it is not open to the one who asks; '' where it is.");
const actions = z.object({
  release: whyNot,
  deny: whyNot,
  amend: whyNot,
  amendText: whyNot.describe('The same for the text of an answer, where its calls can be amended.'),
  releaseCalls: whyNot.describe('The same for releasing some of its calls and withholding others.'),
  breakGlass: whyNot,
});

export const holdSchema = z
  .object({
    ...summaryShape,
    rules: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        when: z.string().describe('The rule as it was written.'),
        severity,
        error: z.string().describe("Why it failed to evaluate; '' when it matched."),
        because: z
          .array(truePartSchema)
          .optional()
          .describe(
            'The smallest parts of the rule that were true, in its order; at most 24. Absent for a viewer, and where the record does not tell.',
          ),
      }),
    ),
    policy: z.object({ version: z.string(), digest: z.string() }),
    rulings: z.array(
      z.object({
        by: z.string(),
        role: z.string(),
        verdict: z.enum(['release', 'deny', 'amend', 'expired']),
        at: z.string(),
        withheld: z
          .array(z.int().min(0))
          .describe('Places of the tool calls that the answer was delivered without, from 0.'),
        breakGlass: z
          .boolean()
          .describe('Released by one person alone, past the approvals that were needed.'),
        inStead: z.string().describe("Who was away and had lent this role; '' where it is one's own."),
        reason: z
          .string()
          .nullable()
          .describe(
            "Why, in their words; '' where none was given, null once it is erased, where it cannot be read, and where it is not for your role.",
          ),
      }),
    ),
    notRequester: z.boolean().describe('Whether the requester may not rule.'),
    escalated: z
      .array(z.object({ at: z.string(), roles: z.array(z.string()) }))
      .describe('Who may rule besides, since then.'),
    collectInMs: z.int().min(0).describe('How long a released answer will wait for its caller.'),
    breakGlassCollectInMs: z
      .int()
      .min(0)
      .nullable()
      .describe('The same where the glass was broken; null where nobody may.'),
    collectBy: z.string().describe("Until when a released answer waits for its caller; '' before."),
    actions: actions.describe('What the one who asks may do. A ruling is judged again when it comes.'),
    inStead: z
      .array(z.object({ name: z.string(), role: z.string(), actions }))
      .describe('Who lent the one who asks their role, where something can be done here in it, and what.'),
    comments: z
      .array(
        z.object({
          by: z.string(),
          role: z.string(),
          at: z.string(),
          text: z
            .string()
            .nullable()
            .describe('Null for a viewer, once it is erased, and where it cannot be read.'),
        }),
      )
      .describe('What reviewers said to each other, in order.'),
    review: z
      .object({
        by: z.string(),
        role: z.string(),
        verdict: z.enum(reviewVerdicts),
        at: z.string(),
        text: z
          .string()
          .nullable()
          .describe('Null for a viewer, once it is erased, and where it cannot be read.'),
      })
      .nullable()
      .describe('What somebody else found of a release by one person alone; null while there is no finding.'),
    assignments: z
      .array(z.object({ to: z.string().describe("'' for nobody."), by: z.string(), at: z.string() }))
      .describe('Who took it, handed it over or gave it back; the last one counts.'),
    history: z.record(z.string(), z.int()).describe("How the rule's recent holds stand, by state."),
    workloadHolds: z
      .array(
        z.object({
          id: z.string(),
          state: z.enum(holdStates),
          severity,
          openedAt: z.string(),
          title: z.string().describe('Of its first rule.'),
          headline: z.string().describe("What was held; '' for a viewer."),
        }),
      )
      .describe('The newest other holds of the same workload, the newest first; at most five.'),
    workloadUnreadable: unreadableField.describe(
      'Damaged entries met while those were sought; what they are of is not among them.',
    ),
    unreadable: unreadableField.describe(
      'Entries about this hold that cannot be read, in whole or in what somebody wrote there; 100 at most. Empty for a viewer.',
    ),
    exchange: exchangeSchema
      .nullable()
      .describe('Null for a viewer, and while it waits where it cannot be read, as `unreadable` says.'),
  })
  .meta({ id: 'Hold', description: 'One hold with everything needed to rule.' });
export type HoldDetail = Sent<z.output<typeof holdSchema>>;

export const holdPageSchema = z
  .object({
    items: z.array(holdSummarySchema),
    total: z.int().min(0).describe('How many there are on all pages.'),
    next: z.string().nullable().describe('Pass as `after` for those that expire later; null at the end.'),
    unreadable: unreadableField.describe(
      'Damaged entries of the session, 100 at most; what they are of is not among the holds. Empty without `session`.',
    ),
    unreadableEntries: z.int().min(0).describe('How many they are, those beyond 100 among them.'),
  })
  .meta({ id: 'HoldPage', description: 'Holds, the one that expires first in front.' });

export const holdQuerySchema = z.strictObject({
  state: z.enum(holdStates).optional().describe('Only holds in this state.'),
  session: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('Holds of this session, those that ended long ago among them, of its newest 2000 decisions.'),
  after: z
    .string()
    .regex(/^\d{1,16}-\d{1,16}$/, 'expected the `next` of a page')
    .transform((text) => {
      const [expiresAtMs = 0, seq = 0] = text.split('-').map(Number);
      return { expiresAtMs, seq };
    })
    .optional()
    .describe('Only what comes behind this; `next` of the page before.'),
  limit: integerParameter({ min: 1, max: pageMax, fallback: 100 }).describe('The most that is answered.'),
  id: z.string().max(64).optional().describe('Only this hold; reads no content and seals no access.'),
});

export const exampleDigest = '7d'.repeat(32);
export const exampleHold = {
  id: 'h-3f9a01c2-17',
  decisionId: 'd-3f9a01c2-15',
  state: 'pending',
  phase: 'response',
  severity: 'high',
  rules: [
    { id: 'large-transfer', title: 'Transfers above 10 000 need a finance reviewer', severity: 'high' },
  ],
  headline: 'transfer_funds amount=25000 currency=EUR to=DE89370400440532013000',
  provider: 'openai',
  operation: 'chat.completions',
  model: 'gpt-4.1',
  workload: 'billing-agent',
  session: '',
  stream: false,
  digest: exampleDigest,
  contentDigest: '5a'.repeat(32),
  openedAt: '2026-11-22T10:00:00.000Z',
  expiresAt: '2026-11-22T10:15:00.000Z',
  approvals: { needed: 1, given: [], byRole: [] },
  roles: ['reviewer'],
  escalation: [{ at: '2026-11-22T10:10:00.000Z', roles: ['admin'] }],
  breakGlass: [],
  requester: 'billing-agent',
  caller: 'waiting',
  possibleDuplicate: false,
  assignee: '',
  commentCount: 0,
  outcome: null,
} satisfies HoldSummary;

export const listHolds: Operation = {
  id: 'listHolds',
  tag: 'holds',
  summary: 'The queue',
  description: `What is held now and what was ruled lately, the hold that expires first in front. ${besideDamage}`,
  ...allowed('see'),
  query: holdQuerySchema,
  answers: [
    jsonAnswer('The holds.', holdPageSchema, {
      items: [exampleHold],
      total: 1,
      next: null,
      unreadable: [],
      unreadableEntries: 0,
    }),
  ],
  refusals: [],
};

export const showHold: Operation = {
  id: 'showHold',
  tag: 'holds',
  summary: 'One hold with the whole exchange',
  description:
    'The read is sealed as an access entry before it is answered. A viewer gets no exchange, and nothing is sealed.',
  ...allowed('see'),
  answers: [jsonAnswer('The hold.', holdSchema)],
  refusals: ['not_found', 'erased', 'ledger_unavailable'],
};
