/** Decisions that were made elsewhere, line by line. */
import { z } from 'zod';
import { reportLineSchema } from '../../report/line.ts';
import { allowed, type Operation, type Sent } from '../operation.ts';
import { problemCode } from './problem.ts';

/** Of one line; longer ones are refused, and the rest is taken. */
export const lineBytesMax = 4 * 1024 * 1024;
export const linesMax = 20_000;
/** How long a line may take to arrive. */
export const lineMsMax = 60_000;

const count = z.int().min(0);

const lineResultSchema = z
  .object({
    line: z.int().min(1).describe('Of the body, counted from 1.'),
    id: z.string().describe("As the line has it; '' where that cannot be read."),
    status: z.enum(['sealed', 'known', 'refused']).describe('known: this very line was sealed before.'),
    decision: z.string().optional().describe('Where it is sealed.'),
    rules: z
      .array(z.string())
      .optional()
      .describe('Rules in force that match it. Nothing was held or denied.'),
    code: problemCode.optional().describe('Why it is refused.'),
    detail: z.string().optional(),
    next: z.string().optional().describe('What to do about it.'),
  })
  .meta({ id: 'ReportLine', description: 'What became of one line, once that is durable.' });
export type ReportLine = Sent<z.output<typeof lineResultSchema>>;

const summarySchema = z
  .object({
    summary: z.object({
      lines: count.describe('Lines that were read; blank ones are none.'),
      sealed: count,
      known: count,
      refused: count,
      complete: z.boolean().describe('False where lines were passed over.'),
    }),
  })
  .meta({
    id: 'ReportSummary',
    description: 'The last line of an answer; without it the answer was cut off.',
  });
export type ReportSummary = Sent<z.output<typeof summarySchema>>;

const exampleLine = {
  id: 'loan-2026-11-26-0815',
  at: '2026-11-26T08:15:00Z',
  decider: 'loan-engine 4.2',
  outcome: 'denied',
  provider: 'openai',
  path: '/v1/chat/completions',
  request: { model: 'gpt-4.1', messages: [{ role: 'user', content: 'May they have the loan?' }] },
  answer: { id: 'c1', object: 'chat.completion', model: 'gpt-4.1', choices: [] },
  workload: 'loans',
  subject: 'customer-4711',
};

export const reportDecisions: Operation = {
  id: 'reportDecisions',
  tag: 'decisions',
  summary: 'Report decisions that were made elsewhere',
  description: `Newline-delimited JSON, one ReportedDecision a line, at most ${lineBytesMax} bytes each and ${linesMax} lines; where none comes for ${lineMsMax / 1000} s the report is cut off. Each is sealed as reported: no exchange passed here, no rule stopped it, and it counts as no recorded one. Rules in force that match are sealed with it as flags. It is read line by line, as fast as lines become durable; the answer has one line for each, in order, and a ReportSummary at the end. What comes behind those lines is passed over, as is the rest where ${linesMax} KiB of the answer wait to be read. A line that is refused does not stop the others. A line whose \`id\` this token's name reported before is not sealed again.`,
  ...allowed('report'),
  body: { contentType: 'application/x-ndjson', schema: reportLineSchema, example: exampleLine },
  answers: [
    {
      status: 200,
      description: 'What became of each line, and a summary.',
      contentType: 'application/x-ndjson',
      schema: z.union([lineResultSchema, summarySchema]),
      example: {
        line: 1,
        id: exampleLine.id,
        status: 'sealed',
        decision: 'd-3f9a01c2-15',
        rules: [],
      } satisfies ReportLine,
    },
  ],
  refusals: ['overloaded'],
};
