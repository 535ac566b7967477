/** `holdpoint holds comment …`: what reviewers do together beside ruling. */
import { z } from 'zod';
import { counted } from '../console/words/counts.ts';
import { clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { summarySchema } from './hold-answers.ts';
import { type Options, onlyArgument, readArguments, readOptions, requiredText } from './options.ts';
import { printJson, printLine, printTable, visible } from './print.ts';
import { pathOf } from './ruling-about.ts';
import { printUnreadable, unreadableSchema } from './unreadable.ts';

const reviewsSchema = z.object({
  items: z.array(
    z.object({
      hold: z.string(),
      rules: z.array(z.object({ id: z.string() })),
      by: z.string(),
      at: z.string(),
      dueAt: z.string(),
      state: z.string(),
      review: z.object({ by: z.string(), verdict: z.string() }).nullable(),
    }),
  ),
  unreadable: unreadableSchema,
  unreadableEntries: z.number().default(0),
});

export const togetherCommands: readonly Command[] = [
  {
    name: 'holds comment',
    usage: 'ID --text TEXT [--json]',
    summary: 'say something about a hold to the other reviewers; sealed',
    run: async (args, env) => {
      const options = readArguments(args, [...clientOptions, 'text'], ['json']);
      const text = requiredText(options, 'text');
      return send(
        options,
        env,
        'comments',
        { text },
        ({ id, commentCount }) => `${id}: ${counted(commentCount, 'comment', 'comments')}.`,
      );
    },
  },
  {
    name: 'holds take',
    usage: 'ID [--json]',
    summary: 'say that you are on it; whoever is entitled may still rule',
    run: async (args, env) => {
      const options = readArguments(args, clientOptions, ['json']);
      const { name: to } = z
        .object({ name: z.string() })
        .parse(await controlClient(options, env).get('/api/v1/whoami'));
      return assign(options, env, to);
    },
  },
  {
    name: 'holds hand-over',
    usage: 'ID --to NAME [--json]',
    summary: 'say that somebody else is on it from now on',
    run: async (args, env) => {
      const options = readArguments(args, [...clientOptions, 'to'], ['json']);
      return assign(options, env, requiredText(options, 'to'));
    },
  },
  {
    name: 'holds give-back',
    usage: 'ID [--json]',
    summary: 'say that nobody is on it',
    run: async (args, env) => assign(readArguments(args, clientOptions, ['json']), env, ''),
  },
  {
    name: 'holds reviews',
    usage: '[--state open|overdue|reviewed] [--json]',
    summary: 'releases that one person made alone, and their reviews',
    run: reviews,
  },
  {
    name: 'holds review',
    usage: 'ID --verdict justified|unjustified --text TEXT [--json]',
    summary: 'write the finding on a release that somebody else made alone; once, sealed',
    run: async (args, env) => {
      const options = readArguments(args, [...clientOptions, 'verdict', 'text'], ['json']);
      const finding = { verdict: requiredText(options, 'verdict'), text: requiredText(options, 'text') };
      return send(options, env, 'review', finding, ({ id }) => `${id} is reviewed: ${finding.verdict}.`);
    },
  },
];

function assign(options: Options, env: Environment, to: string): Promise<ExitCode> {
  return send(options, env, 'assignment', { to }, ({ id, assignee }) =>
    assignee === '' ? `Nobody is on ${id}.` : `${assignee} is on ${id}.`,
  );
}

async function send(
  options: Options,
  env: Environment,
  what: string,
  order: object,
  say: (hold: z.output<typeof summarySchema>) => string,
): Promise<ExitCode> {
  const id = onlyArgument(options, 'hold');
  const answer = await controlClient(options, env).post(`${pathOf(id)}/${what}`, order);
  if (options.flag('json')) printJson(answer);
  else printLine(visible(say(summarySchema.parse(answer))));
  return exitCodes.ok;
}

async function reviews(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, [...clientOptions, 'state'], ['json']);
  const state = options.text('state');
  const query = state === undefined ? '' : `?state=${encodeURIComponent(state)}`;
  const answer = await controlClient(options, env).get(`/api/v1/reviews${query}`);
  const { items, unreadable, unreadableEntries } = reviewsSchema.parse(answer);
  if (options.flag('json')) printJson(answer);
  else {
    printTable(
      ['HOLD', 'RULES', 'RELEASED BY', 'AT', 'REVIEW DUE', 'STATE', 'REVIEW'],
      items.map(({ hold, rules, by, at, dueAt, state: now, review }) => [
        hold,
        rules.map(({ id }) => id).join(', '),
        by,
        at,
        dueAt,
        now,
        review === null ? '' : `${review.verdict}, by ${review.by}`,
      ]),
      'There are none.',
    );
    printUnreadable(unreadable, unreadableEntries);
  }
  return unreadable.length === 0 ? exitCodes.ok : exitCodes.finding;
}
