/** Recorded decisions: search, one, its bodies. */
import { z } from 'zod';
import { outcomes } from '../../ledger/entry.ts';
import { allowed, integerParameter, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { entrySchema } from './entry.ts';
import { exchangeSchema } from './exchange.ts';
import { besideClock, sinceField, untilField } from './time-span.ts';
import { besideDamage, unreadableField } from './unreadable.ts';

const pageMax = 200;
const verdict = z.enum(['pass', 'flag', 'hold', 'deny']);
const exactly = z.string().max(256).optional();

const decisionShape = {
  id: z.string(),
  seq: z.int().min(0).describe('Of its request entry; the cursor.'),
  at: z.string(),
  provider: z.string(),
  operation: z.string(),
  method: z.string(),
  path: z.string(),
  model: z.string().describe('As the answer names it; as the request does while there is none.'),
  workload: z.string(),
  session: z.string(),
  stream: z.boolean(),
  verdict: verdict.describe('The strictest of what the rules said.'),
  rules: z.array(z.string()).describe('Ids of the rules that matched.'),
  status: z.int().nullable().describe("The upstream's HTTP status; null without an answer."),
  usage: z
    .object({
      source: z.enum(['provider', 'absent']),
      input: z.int().optional(),
      output: z.int().optional(),
      total: z.int().optional(),
    })
    .nullable(),
  holds: z.array(z.string()),
  ruledBy: z.array(z.string()).describe('Who ruled on its holds; `holdpoint` on one that expired.'),
  outcome: z.enum(outcomes).nullable().describe('Null while the decision is in flight or held.'),
  reported: z
    .object({
      by: z.string().describe('Whose token reported it.'),
      id: z.string().describe('Their name for it.'),
      decider: z.string(),
      at: z.string().describe('When it was decided, as they say.'),
      outcome: z.string().describe('What became of it, as they say.'),
      class: z.string(),
    })
    .nullable()
    .describe('Of a decision that was made elsewhere and told to this sidecar; null for what passed here.'),
};

export const decisionSchema = z
  .object(decisionShape)
  .meta({ id: 'Decision', description: 'One decision in a few fields.' });
export type DecisionSummary = Sent<z.output<typeof decisionSchema>>;

export const decisionPageSchema = z
  .object({
    items: z.array(decisionSchema),
    next: z.int().nullable().describe('Pass as `before` for what is older; null at the end.'),
    unreadable: unreadableField.describe(
      'Entries looked at for this page that are damaged; what they are of is not among `items`.',
    ),
  })
  .meta({ id: 'DecisionPage', description: 'Decisions, newest first.' });

export const decisionDetailSchema = z
  .object({ ...decisionShape, entries: z.array(entrySchema) })
  .meta({ id: 'DecisionDetail', description: 'One decision with its sealed entries.' });

const bodySchema = z
  .object({
    seq: z.int().min(0),
    type: z.string(),
    name: z.string(),
    size: z.int().min(0).describe('Bytes that were sealed.'),
    commitment: z.string(),
    startLine: z.string().optional(),
    headers: z.array(z.string()).optional(),
    text: z.string().optional().describe('The body where it is UTF-8 text.'),
    base64: z.string().optional().describe('The body where it is not.'),
    erased: z.string().optional().describe('When and by whom it was erased; then there is no content.'),
  })
  .meta({ id: 'Body', description: 'One sealed body; it can always be turned back into the sealed bytes.' });
export type Body = Sent<z.output<typeof bodySchema>>;

export const bodiesSchema = z
  .object({ id: z.string(), bodies: z.array(bodySchema) })
  .meta({ id: 'Bodies', description: 'Everything that was said in one decision.' });

export const decisionQuerySchema = z.strictObject({
  limit: integerParameter({ min: 1, max: pageMax, fallback: 50 }).describe('The most that is answered.'),
  before: integerParameter({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    fallback: Number.MAX_SAFE_INTEGER,
  }).describe('Only what is older than this; `next` of the page before.'),
  provider: exactly.describe('Exactly this provider.'),
  operation: exactly.describe('Exactly this operation.'),
  model: exactly.describe('Exactly this model, as asked for or as answered.'),
  workload: exactly.describe('Exactly this workload.'),
  session: exactly.describe('Exactly this session.'),
  rule: exactly.describe('Decisions that this rule matched.'),
  ruledBy: exactly.describe('Decisions that this person ruled on.'),
  subject: exactly.describe('Decisions of this data subject, by the name that workloads give.'),
  since: sinceField,
  until: untilField,
  verdict: verdict.optional().describe('What the rules said.'),
  outcome: z
    .enum([...outcomes, 'open'])
    .optional()
    .describe('How it ended; `open` for what has not.'),
});

const exampleDecision = {
  id: 'd-3f9a01c2-15',
  seq: 15,
  at: '2026-11-22T10:00:00.000Z',
  provider: 'openai',
  operation: 'chat.completions',
  method: 'POST',
  path: '/v1/chat/completions',
  model: 'gpt-4.1',
  workload: 'billing-agent',
  session: '',
  stream: false,
  verdict: 'hold',
  rules: ['large-transfer'],
  status: 200,
  usage: { source: 'provider', input: 120, output: 18, total: 138 },
  holds: ['h-3f9a01c2-17'],
  ruledBy: ['ada'],
  outcome: 'delivered',
  reported: null,
} satisfies DecisionSummary;

export const listDecisions: Operation = {
  id: 'listDecisions',
  tag: 'decisions',
  summary: 'What was recorded, newest first',
  description: `Work is bounded: a page may hold fewer than \`limit\`, or none, and still have a \`next\`. Only \`next: null\` is the end. A page ends, with a \`next\`, where it has 100 of \`unreadable\`. ${besideClock} ${besideDamage}`,
  ...allowed('see'),
  query: decisionQuerySchema,
  answers: [
    jsonAnswer('A page.', decisionPageSchema, {
      items: [exampleDecision],
      next: 15,
      unreadable: [],
    }),
  ],
  refusals: [],
};

export const showDecision: Operation = {
  id: 'showDecision',
  tag: 'decisions',
  summary: 'One decision and its sealed entries',
  description: 'Entries carry commitments, never content.',
  ...allowed('see'),
  answers: [jsonAnswer('The decision.', decisionDetailSchema)],
  refusals: ['not_found'],
};

export const readDecisionExchange: Operation = {
  id: 'readDecisionExchange',
  tag: 'decisions',
  summary: 'The exchange of a decision, as understood',
  description:
    'What a hold shows, for any decision. The read is sealed as an access entry before it is answered. Refused with 410 once any of it was erased.',
  ...allowed('read_content'),
  answers: [jsonAnswer('The exchange.', exchangeSchema)],
  refusals: ['not_found', 'erased', 'ledger_unavailable', 'ledger_damaged'],
};

export const readBodies: Operation = {
  id: 'readBodies',
  tag: 'decisions',
  summary: 'The bodies of a decision',
  description:
    'The read is sealed as an access entry before it is answered. Refused with 410 once all of it was erased.',
  ...allowed('read_content'),
  answers: [
    jsonAnswer('The bodies.', bodiesSchema, {
      id: 'd-3f9a01c2-15',
      bodies: [
        {
          seq: 15,
          type: 'request',
          name: 'request',
          size: 412,
          commitment: '7d'.repeat(32),
          startLine: 'POST /v1/chat/completions HTTP/1.1',
          headers: ['content-type', 'application/json'],
          text: '{"model":"gpt-4.1","messages":[]}',
        },
      ],
    }),
  ],
  refusals: ['not_found', 'erased', 'ledger_unavailable', 'ledger_damaged'],
};
