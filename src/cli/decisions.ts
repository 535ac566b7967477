/** `holdpoint decisions …`: what was recorded. */
import { z } from 'zod';
import { clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { contentLines, contentSchema } from './decision-content.ts';
import { unnamed } from './hold-answers.ts';
import { onlyArgument, readArguments, readOptions } from './options.ts';
import { outputIsGone, printJson, printLine, printTable, safeJson } from './print.ts';
import { reportCommand } from './report.ts';
import { printUnreadable, unreadableSchema, unreadableText } from './unreadable.ts';

const decisionSchema = z.object({
  id: z.string(),
  at: z.string(),
  operation: z.string(),
  model: z.string(),
  workload: z.string(),
  verdict: z.string(),
  status: z.number().nullable(),
  outcome: z.string().nullable(),
  ruledBy: z.array(z.string()).default([]),
  reported: z.object({ by: z.string() }).nullable().default(null),
});
const pageSchema = z.object({
  items: z.array(decisionSchema),
  next: z.number().nullable(),
  unreadable: unreadableSchema,
});
/** As the API calls them, in the spelling of options. */
const filters = [
  'model',
  'operation',
  'provider',
  'workload',
  'verdict',
  'outcome',
  'session',
  'rule',
  'ruled-by',
  'subject',
  'since',
  'until',
];

export const decisionsCommands: readonly Command[] = [
  {
    name: 'decisions list',
    usage:
      '[--limit N] [--before SEQ] [--model M] [--operation O] [--provider P] [--workload W] [--session S] [--rule R] [--ruled-by NAME] [--subject S] [--verdict V] [--outcome O] [--since UTC] [--until UTC] [--json]',
    summary: 'what was recorded, newest first',
    run: list,
  },
  {
    name: 'decisions show',
    usage: 'ID [--content] [--json]',
    summary:
      'one decision and its sealed entries; --content what was said in it, which is sealed as read by you',
    run: show,
  },
  {
    name: 'decisions export',
    usage: '[the filters of list]',
    summary: 'all of them as JSON lines',
    run: exportAll,
  },
  reportCommand,
];

function queryOf(options: ReturnType<typeof readOptions>, names: readonly string[]): URLSearchParams {
  const pairs = names.flatMap((name) => {
    const value = options.text(name);
    const asked = name.replace(/-(.)/, (_, letter: string) => letter.toUpperCase());
    return value === undefined ? [] : [[asked, value]];
  });
  return new URLSearchParams(pairs);
}

async function list(args: readonly string[], env: Environment): Promise<ExitCode> {
  const names = [...filters, 'limit', 'before'];
  const options = readOptions(args, [...clientOptions, ...names], ['json']);
  const answer = await controlClient(options, env).get(`/api/v1/decisions?${queryOf(options, names)}`);
  const { items, next, unreadable } = pageSchema.parse(answer);
  if (options.flag('json')) printJson(answer);
  else {
    printTable(
      ['ID', 'AT', 'OPERATION', 'MODEL', 'WORKLOAD', 'VERDICT', 'STATUS', 'OUTCOME', 'RULED BY'],
      items.map((item) => [
        item.id,
        item.at,
        item.operation,
        item.model,
        item.workload || unnamed,
        item.verdict,
        String(item.status ?? ''),
        item.reported === null ? (item.outcome ?? 'open') : `reported by ${item.reported.by}`,
        item.ruledBy.join(', '),
      ]),
      'Nothing like that is recorded.',
    );
    printUnreadable(unreadable);
    if (next !== null) printLine(`more: --before ${next}`);
  }
  return unreadable.length === 0 ? exitCodes.ok : exitCodes.finding;
}

async function show(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readArguments(args, clientOptions, ['content', 'json']);
  const id = onlyArgument(options, 'decision');
  const path = `/api/v1/decisions/${encodeURIComponent(id)}${options.flag('content') ? '/exchange' : ''}`;
  const answer = await controlClient(options, env).get(path);
  // Entries are nested data; JSON is the readable form of them too, and it escapes what a terminal would obey.
  if (options.flag('json') || !options.flag('content')) printJson(answer);
  else for (const line of contentLines(contentSchema.parse(answer))) printLine(line);
  return exitCodes.ok;
}

async function exportAll(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, [...clientOptions, ...filters], ['json']);
  const client = controlClient(options, env);
  const query = queryOf(options, filters);
  query.set('limit', '200');
  let isWhole = true;
  for (;;) {
    const answer = await client.get(`/api/v1/decisions?${query}`);
    const { items, next, unreadable } = z
      .object({ items: z.array(z.json()), next: z.number().nullable(), unreadable: unreadableSchema })
      .parse(answer);
    for (const item of items) printLine(safeJson(item));
    // Not among the lines, which are decisions; and not in silence.
    for (const entry of unreadable) process.stderr.write(`${unreadableText(entry)}\n`);
    if (unreadable.length > 0) isWhole = false;
    if (next === null || outputIsGone()) return isWhole ? exitCodes.ok : exitCodes.finding;
    query.set('before', String(next));
  }
}
