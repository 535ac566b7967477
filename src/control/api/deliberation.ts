/** What reviewers say to each other about a hold, who of them is on it and who looks at it: what goes in and out. */
import { z } from 'zod';
import { assignmentsMax, commentsMax } from '../../hold/deliberation.ts';
import { lookMs } from '../../hold/looking.ts';
import { allowed, jsonAnswer, type Operation, type Sent } from '../operation.ts';
import { exampleHold, holdSummarySchema } from './holds.ts';
import { anyName } from './names.ts';
import { givenText } from './texts.ts';

export const commentSchema = z
  .strictObject({ text: givenText.max(4_000).describe('Content: erased with the decision.') })
  .meta({ id: 'NewComment', description: 'What a reviewer says about a hold.' });

export const assignmentSchema = z
  .strictObject({
    to: z
      .union([anyName, z.literal('')])
      .describe("Who is on it from now on: oneself, somebody else who has a token, or '' for nobody."),
  })
  .meta({ id: 'NewAssignment', description: 'Who takes care of a hold.' });

export const lookSchema = z
  .strictObject({ here: z.boolean().describe('False where the hold is not open any more.') })
  .meta({ id: 'Look', description: 'Whether one has a hold open.' });

export const lookersSchema = z
  .object({
    others: z.array(z.string()).describe('Who else has it open, whoever began first standing first.'),
  })
  .meta({ id: 'Lookers', description: 'Who else looks at a hold now.' });
export type LookersShown = Sent<z.output<typeof lookersSchema>>;

const refusals = [
  'not_found',
  'already_ruled',
  'ruling_expired',
  'body_too_large',
  'ledger_unavailable',
] as const;

export const commentOnHold: Operation = {
  id: 'commentOnHold',
  tag: 'holds',
  summary: 'Say something about a hold',
  description: `While it waits for a ruling, at most ${commentsMax} times. Answered once it is sealed; the text is encrypted like the decision's bodies, and erased with them.`,
  ...allowed('read_content'),
  body: { schema: commentSchema, example: { text: 'Invoice 4711 has this amount; I ask finance.' } },
  answers: [
    jsonAnswer(
      'It is sealed; the hold as it is now.',
      holdSummarySchema,
      { ...exampleHold, commentCount: 1 },
      201,
    ),
  ],
  refusals,
};

export const assignHold: Operation = {
  id: 'assignHold',
  tag: 'holds',
  summary: 'Take a hold, hand it over or give it back',
  description: `Tells the others who is on it, and binds nobody: whoever is entitled may still rule. Anybody may take it, also from somebody else; whoever has it, or an admin, hands it over or gives it back. At most ${assignmentsMax} times, while it waits for a ruling. Answered once it is sealed.`,
  ...allowed('read_content'),
  body: { schema: assignmentSchema, example: { to: 'ada' } },
  answers: [
    jsonAnswer(
      'It is sealed; the hold as it is now.',
      holdSummarySchema,
      { ...exampleHold, assignee: 'ada' },
      201,
    ),
  ],
  refusals,
};

export const lookAtHold: Operation = {
  id: 'lookAtHold',
  tag: 'holds',
  summary: 'Say that one looks at a hold, and see who else does',
  description: `So that two do not do the same work. Whoever has it open says so again within ${lookMs / 1000} s; it is kept in memory alone, and binds nobody. That content was read is sealed where it is read.`,
  ...allowed('read_content'),
  body: { schema: lookSchema, example: { here: true } },
  answers: [jsonAnswer('Who else does.', lookersSchema, { others: ['grace'] })],
  refusals: ['not_found', 'body_too_large'],
};
