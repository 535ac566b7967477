/** A draft policy replayed over what was recorded. */
import { z } from 'zod';
import { obstacles } from '../../replay/messages.ts';
import { allowed, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { givenText, writtenText } from './texts.ts';
import { besideClock, sinceField, untilField } from './time-span.ts';
import { besideDamage, unreadableField } from './unreadable.ts';

const policyCharactersMax = 1024 * 1024;
const reasonCharactersMax = 1_000;
export const pageDecisionsMax = 2_000;

export const backtestOrderSchema = z
  .strictObject({
    policy: writtenText.min(1).max(policyCharactersMax).describe('The draft, as a policy file has it.'),
    reason: givenText.max(reasonCharactersMax).describe('Why; it is sealed with the read.'),
    before: z.int().min(0).optional().describe('Only what is older than this; `next` of the page before.'),
    since: sinceField,
    until: untilField,
    limit: z
      .int()
      .min(1)
      .max(pageDecisionsMax)
      .default(500)
      .describe('The most decisions that one page replays.'),
  })
  .meta({ id: 'BacktestOrder', description: 'What to replay over which decisions.' });

const noted = z.object({
  decisions: z.int().min(0),
  examples: z.array(z.string()).describe('Ids of the newest of them, five at most.'),
});
const phase = z.enum(['request', 'response']);
const verdict = z.enum(['pass', 'flag', 'hold', 'deny']);

const ruleSchema = z.object({
  rule: z.string(),
  phase,
  title: z.string().describe("'' where the draft has no such rule."),
  action: z.enum(['hold', 'deny', 'flag']).nullable().describe('Null where the draft has no such rule.'),
  now: z.int().min(0).describe('Decisions that it matches in the draft.'),
  before: z.int().min(0).describe('Decisions for which a match of this id was sealed then.'),
  newly: noted.describe('It matches now and did not then.'),
  noLonger: noted.describe('It matched then and does not now.'),
  failed: noted.describe('Of those that match now: it cannot be decided, and would hold.'),
  unknown: noted.describe('Not tried, because the record lacks a fact that it reads.'),
});

export const backtestPageSchema = z
  .object({
    draft: z.object({ version: z.string(), digest: z.string(), rules: z.int().min(0) }),
    decisions: z.int().min(0).describe('How many this page looked at.'),
    replayed: z.object({ request: z.int().min(0), response: z.int().min(0) }).describe('By phase.'),
    rules: z
      .array(ruleSchema)
      .describe("The draft's rules in its order, then those that only the record knows."),
    verdicts: z
      .array(z.object({ before: verdict, now: verdict, decisions: z.int().min(0) }))
      .describe('The strictest of all rules, then and now, where all of a decision could be replayed.'),
    notReplayed: z
      .array(z.object({ reason: z.enum(obstacles), phase, ...noted.shape }))
      .describe(
        'erased; cut: only its beginning is stored; not_recorded: it passed unread; unknown_family: sealed by another version; damaged.',
      ),
    next: z.int().nullable().describe('Pass as `before` for what is older; null at the end.'),
    unreadable: unreadableField.describe(
      'Damaged entries; decisions that they are of are in none of the numbers.',
    ),
  })
  .meta({
    id: 'BacktestPage',
    description: 'What a draft would have said of recorded decisions, beside what was said.',
  });
export type BacktestPage = Sent<z.output<typeof backtestPageSchema>>;

const example = {
  draft: { version: '2026-11-26', digest: '7d'.repeat(32), rules: 1 },
  decisions: 500,
  replayed: { request: 500, response: 498 },
  rules: [
    {
      rule: 'large-transfer',
      phase: 'response',
      title: 'Transfers above 5 000 need a finance reviewer',
      action: 'hold',
      now: 12,
      before: 9,
      newly: { decisions: 3, examples: ['d-3f9a01c2-15'] },
      noLonger: { decisions: 0, examples: [] },
      failed: { decisions: 0, examples: [] },
      unknown: { decisions: 0, examples: [] },
    },
  ],
  verdicts: [
    { before: 'pass', now: 'hold', decisions: 3 },
    { before: 'hold', now: 'hold', decisions: 9 },
  ],
  notReplayed: [{ reason: 'erased', phase: 'response', decisions: 2, examples: ['d-3f9a01c2-7'] }],
  next: 11_840,
  unreadable: [],
} satisfies BacktestPage;

export const backtestPolicy: Operation = {
  id: 'backtestPolicy',
  tag: 'sidecar',
  summary: 'Replay a draft policy over what was recorded',
  description: `A page at a time, newest first; nothing is held or changed. Facts are rebuilt from sealed requests and answers; a request that a rule of the draft would have stopped is replayed with the answer that it got. Content is read and not answered: the read is sealed as an access entry with the draft, the reason and the decisions. One runs at a time: another is refused as overloaded, with a Retry-After. A page ends after \`limit\` decisions, 100 of \`unreadable\`, 64 MiB of bodies or ten seconds, and while calls are in flight it leaves them three quarters of the time. ${besideClock} ${besideDamage}`,
  ...allowed('backtest'),
  body: {
    schema: backtestOrderSchema,
    example: { policy: 'version: "2026-11-26"\nrules: []\n', reason: 'Lower the limit for transfers?' },
  },
  answers: [jsonAnswer('A page.', backtestPageSchema, example)],
  refusals: ['policy_invalid', 'body_too_large', 'overloaded', 'ledger_unavailable', 'ledger_damaged'],
};
