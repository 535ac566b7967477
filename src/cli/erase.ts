/** `holdpoint erase …` and `holdpoint legal-hold …`: content that goes, and content that must stay. */
import { z } from 'zod';
import { scopeText } from '../console/words/erasure.ts';
import { HoldpointError } from '../core/errors.ts';
import { bases } from '../ledger/erasure.ts';
import { clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { erasureSchema, printErasure, scopeSchema, untilEnded } from './erasure-answers.ts';
import {
  type Options,
  onlyArgument,
  readArguments,
  readOptions,
  refuseArguments,
  requiredText,
} from './options.ts';
import { printJson, printLine, printTable, visible } from './print.ts';

const legalHoldSchema = z.object({
  id: z.string(),
  by: z.string(),
  /** A sidecar of an earlier version does not say. */
  reason: z.string().nullable().default(null),
  scope: scopeSchema,
});

const basisIs = `; B is one of ${bases.filter((basis) => basis !== 'retention').join(', ')}`;
const matchOptions = ['model', 'operation', 'provider', 'workload'];

export const eraseCommands: readonly Command[] = [
  {
    name: 'erase decision',
    usage: 'ID --basis B --reason TEXT [--dry-run] [--json]',
    summary: `erase the content of one decision${basisIs}`,
    run: (args, env) => erase(args, env, [], (options) => ({ decision: onlyArgument(options, 'decision') })),
  },
  {
    name: 'erase subject',
    usage: 'NAME --basis B --reason TEXT [--dry-run] [--json]',
    summary: `erase the content of every decision of a data subject${basisIs}`,
    run: (args, env) => erase(args, env, [], (options) => ({ subject: onlyArgument(options, 'subject') })),
  },
  {
    name: 'erase class',
    usage:
      '[--model M] [--operation O] [--provider P] [--workload W] [--before UTC] --basis B --reason TEXT [--dry-run] [--json]',
    summary: `erase the content of every decision of a class${basisIs}`,
    run: (args, env) =>
      erase(args, env, [...matchOptions, 'before'], (options) => {
        refuseArguments(options);
        const before = options.text('before');
        return { match: matchOf(options), ...(before === undefined ? {} : { before }) };
      }),
  },
  {
    name: 'erase stop',
    usage: 'ID --reason TEXT [--json]',
    summary: 'end an erasure where it is; what was erased stays erased',
    run: stop,
  },
  {
    name: 'erase list',
    usage: '[--json]',
    summary: 'the erasures since the sidecar started, and how far each is',
    run: list,
  },
];

export const legalHoldCommands: readonly Command[] = [
  {
    name: 'legal-hold place',
    usage: '(--decision ID | --subject NAME | --workload W …) --reason TEXT [--json]',
    summary: 'nothing that it is on is erased until it is lifted',
    run: async (args, env) => {
      const texts = [...clientOptions, ...matchOptions, 'decision', 'subject', 'reason'];
      const options = readOptions(args, texts, ['json']);
      const body = { scope: holdScopeOf(options), reason: requiredText(options, 'reason') };
      const answer = await controlClient(options, env).post('/api/v1/legal-holds', body);
      if (options.flag('json')) printJson(answer);
      else printLine(`${visible(legalHoldSchema.parse(answer).id)} stands`);
      return exitCodes.ok;
    },
  },
  {
    name: 'legal-hold lift',
    usage: 'ID --reason TEXT [--json]',
    summary: 'end a legal hold',
    run: async (args, env) => {
      const options = readArguments(args, [...clientOptions, 'reason'], ['json']);
      const id = onlyArgument(options, 'legal hold');
      const path = `/api/v1/legal-holds/${encodeURIComponent(id)}/lift`;
      const answer = await controlClient(options, env).post(path, {
        reason: requiredText(options, 'reason'),
      });
      if (options.flag('json')) printJson(answer);
      else printLine(`${visible(id)} lifted`);
      return exitCodes.ok;
    },
  },
  {
    name: 'legal-hold list',
    usage: '[--json]',
    summary: 'the legal holds that stand',
    run: async (args, env) => {
      const options = readOptions(args, clientOptions, ['json']);
      const answer = await controlClient(options, env).get('/api/v1/legal-holds');
      if (options.flag('json')) printJson(answer);
      else {
        const { items } = z.object({ items: z.array(legalHoldSchema) }).parse(answer);
        printTable(
          ['ID', 'BY', 'ON', 'REASON'],
          items.map(({ id, by, scope, reason }) => [id, by, scopeText(scope), reason ?? '(not shown)']),
          'None stands.',
        );
      }
      return exitCodes.ok;
    },
  },
];

const listedSchema = z.object({
  items: z.array(erasureSchema.extend({ by: z.string(), scope: scopeSchema, startedAt: z.string() })),
});

async function list(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, clientOptions, ['json']);
  const answer = await controlClient(options, env).get('/api/v1/erasures');
  if (options.flag('json')) printJson(answer);
  else {
    const { items } = listedSchema.parse(answer);
    printTable(
      ['ID', 'ASKED', 'BY', 'ON', 'STATE', 'BODIES', 'REFUSED'],
      items.map(({ id, startedAt, by, scope, state, dryRun, parts, refused }) => [
        id,
        startedAt,
        by,
        scopeText(scope),
        dryRun ? `${state}, a dry run` : state,
        String(parts),
        String(Object.values(refused).reduce((sum, count) => sum + count, 0)),
      ]),
      'None since the sidecar started. Earlier ones are in the ledger.',
    );
  }
  return exitCodes.ok;
}

function matchOf(options: Options): Record<string, string> {
  const match = matchOptions.flatMap((name) => {
    const value = options.text(name);
    return value === undefined ? [] : [[name, value]];
  });
  if (match.length > 0) return Object.fromEntries(match);
  throw new HoldpointError(
    'usage',
    `Name a class by at least one of --${matchOptions.join(', --')}.`,
    'See holdpoint --help.',
  );
}

function holdScopeOf(options: Options): unknown {
  const decision = options.text('decision');
  const subject = options.text('subject');
  const isClass = matchOptions.some((name) => options.text(name) !== undefined);
  if ([decision !== undefined, subject !== undefined, isClass].filter(Boolean).length !== 1)
    throw new HoldpointError(
      'usage',
      'Name one of: --decision, --subject, or a class such as --workload.',
      'See holdpoint --help.',
    );
  if (decision !== undefined) return { decision };
  return subject !== undefined ? { subject } : { match: matchOf(options) };
}

/** Waits until it has ended: exit 1 where it had come to its end before it could be stopped, or it failed. */
async function stop(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readArguments(args, [...clientOptions, 'reason'], ['json']);
  const id = onlyArgument(options, 'erasure');
  const client = controlClient(options, env);
  const path = `/api/v1/erasures/${encodeURIComponent(id)}/stop`;
  const asked = await client.post(path, { reason: requiredText(options, 'reason') });
  const { answer, erasure } = await untilEnded(client, asked);
  if (options.flag('json')) printJson(answer);
  else printErasure(erasure);
  return erasure.state === 'stopped' ? exitCodes.ok : exitCodes.finding;
}

/** Asks, then waits until it is done: exit 1 where something was refused or it failed. */
async function erase(
  args: readonly string[],
  env: Environment,
  names: readonly string[],
  scopeOf: (options: Options) => unknown,
): Promise<ExitCode> {
  const options = readArguments(args, [...clientOptions, ...names, 'basis', 'reason'], ['dry-run', 'json']);
  const scope = scopeOf(options);
  const order = { basis: requiredText(options, 'basis'), reason: requiredText(options, 'reason') };
  const client = controlClient(options, env);
  const begun = await client.post('/api/v1/erasures', { ...order, scope, dryRun: options.flag('dry-run') });
  const { answer, erasure } = await untilEnded(client, begun);
  if (options.flag('json')) printJson(answer);
  else printErasure(erasure);
  const refused = Object.values(erasure.refused).some((count) => count > 0);
  return erasure.state === 'done' && !refused ? exitCodes.ok : exitCodes.finding;
}
