/** `holdpoint retention …`: how long content is kept, and what the schedule would erase next. */
import { z } from 'zod';
import { fieldsText } from '../console/words/erasure.ts';
import { HoldpointError } from '../core/errors.ts';
import { clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { type Erasure, printErasure, untilEnded } from './erasure-answers.ts';
import { readArguments, readOptions } from './options.ts';
import { printJson, printLine, printTable, visible } from './print.ts';

const path = '/api/v1/retention';
const retentionSchema = z.object({
  everyHours: z.number(),
  nextAt: z.string().nullable(),
  rules: z.array(
    z.object({
      id: z.string(),
      match: z.record(z.string(), z.string()),
      keepDays: z.number().nullable(),
      minimumDays: z.number().nullable(),
      last: z.object({ state: z.string(), parts: z.number(), endedAt: z.string().nullable() }).nullable(),
    }),
  ),
  exemptions: z.array(
    z.object({
      id: z.string(),
      match: z.record(z.string(), z.string()),
      bases: z.array(z.string()).nullable(),
    }),
  ),
});
type Retention = z.output<typeof retentionSchema>;
type Rule = Retention['rules'][number];

export const retentionCommands: readonly Command[] = [
  {
    name: 'retention list',
    usage: '[--json]',
    summary: 'how long content is kept, by which rule, and when the schedule comes',
    run: list,
  },
  {
    name: 'retention dry-run',
    usage: '[RULE …] [--json]',
    summary: 'what the schedule would erase next, by one rule or by each; seals and erases nothing',
    run: dryRun,
  },
];

async function list(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, clientOptions, ['json']);
  const answer = await controlClient(options, env).get(path);
  if (options.flag('json')) printJson(answer);
  else printRetention(retentionSchema.parse(answer));
  return exitCodes.ok;
}

function printRetention({ everyHours, nextAt, rules, exemptions }: Retention): void {
  printTable(
    ['RULE', 'OF', 'ERASED AFTER', 'NOT BEFORE', 'LAST RUN'],
    rules.map((rule) => [
      rule.id,
      fieldsText(rule.match),
      rule.keepDays === null ? '-' : `${rule.keepDays} d`,
      rule.minimumDays === null ? '-' : `${rule.minimumDays} d`,
      lastText(rule),
    ]),
    'No rule: content is kept for good, unless somebody has it erased.',
  );
  for (const { id, match, bases } of exemptions)
    printLine(visible(`exempt (${id}): ${fieldsText(match)}, from ${bases?.join(', ') ?? 'every basis'}`));
  if (nextAt !== null) printLine(`every ${everyHours} h, next at ${visible(nextAt)}`);
}

function lastText({ keepDays, last }: Rule): string {
  if (keepDays === null) return '-';
  if (last === null) return 'none since the start';
  return last.endedAt === null ? last.state : `${last.state} at ${last.endedAt}, ${last.parts} bodies`;
}

/** Exit 1 where something that is due would be refused, or a look failed. */
async function dryRun(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readArguments(args, clientOptions, ['json']);
  const client = controlClient(options, env);
  const { rules } = retentionSchema.parse(await client.get(path));
  const ids =
    options.positionals.length > 0
      ? options.positionals
      : rules.filter(({ keepDays }) => keepDays !== null).map(({ id }) => id);
  if (ids.length === 0)
    throw new HoldpointError(
      'usage',
      'No rule erases anything on schedule.',
      'Add keepDays to a rule under retention in the configuration.',
    );
  const looked: { readonly rule: string; readonly erasure: Erasure }[] = [];
  for (const rule of ids) {
    const begun = await client.post(`${path}/${encodeURIComponent(rule)}/dry-run`, {});
    const { erasure } = await untilEnded(client, begun);
    looked.push({ rule, erasure });
    if (options.flag('json')) continue;
    const isNothing = erasure.decisions === 0 && erasure.error === null;
    printLine(visible(isNothing ? `${rule}: nothing is due` : `${rule}:`));
    if (!isNothing) printErasure(erasure);
  }
  if (options.flag('json')) printJson({ items: looked });
  const isClean = looked.every(
    ({ erasure: { state, refused } }) =>
      state === 'done' && Object.values(refused).every((count) => count === 0),
  );
  return isClean ? exitCodes.ok : exitCodes.finding;
}
