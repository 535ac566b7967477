/** `holdpoint decisions …`: what was recorded. */
import { z } from 'zod';
import { clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { contentLines, contentSchema } from './decision-content.ts';
import { filters, queryOf } from './decision-filters.ts';
import { exportCommand } from './decisions-export.ts';
import { unnamed } from './hold-answers.ts';
import { onlyArgument, readArguments, readOptions } from './options.ts';
import { printJson, printLine, printTable } from './print.ts';
import { reportCommand } from './report.ts';
import { printUnreadable, unreadableSchema } from './unreadable.ts';

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
export const decisionsCommands: readonly Command[] = [
  {
    name: 'decisions list',
    usage:
      '[--limit N] [--before SEQ] [--model M] [--operation O] [--provider P] [--workload W] [--session S] [--rule R] [--ruled-by NAME] [--subject S] [--verdict pass|flag|hold|deny] [--outcome O] [--since UTC] [--until UTC] [--json]',
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
  exportCommand,
  reportCommand,
];

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
