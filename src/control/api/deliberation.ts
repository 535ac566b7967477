/** What reviewers say to each other about a hold, and who of them is on it: what goes in and out. */
import { z } from 'zod';
import { assignmentsMax, commentsMax } from '../../hold/deliberation.ts';
import { allowed, jsonAnswer, type Operation } from '../operation.ts';
import { exampleHold, holdSummarySchema } from './holds.ts';
import { anyName } from './names.ts';

export const commentSchema = z
  .strictObject({ text: z.string().trim().min(1).max(4_000).describe('Content: erased with the decision.') })
  .meta({ id: 'NewComment', description: 'What a reviewer says about a hold.' });

export const assignmentSchema = z
  .strictObject({
    to: z
      .union([anyName, z.literal('')])
      .describe("Who is on it from now on: oneself, somebody else who has a token, or '' for nobody."),
  })
  .meta({ id: 'NewAssignment', description: 'Who takes care of a hold.' });

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
