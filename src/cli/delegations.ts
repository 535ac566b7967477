/** `holdpoint delegations …`: who rules in whose stead. */
import { z } from 'zod';
import { clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { onlyArgument, readArguments, readOptions, requiredText } from './options.ts';
import { printJson, printLine, printTable, visible } from './print.ts';

const path = '/api/v1/delegations';
const delegationSchema = z.object({
  seq: z.number(),
  from: z.string(),
  role: z.string(),
  to: z.string(),
  until: z.string(),
  inForce: z.boolean(),
});

export const delegationCommands: readonly Command[] = [
  {
    name: 'delegations list',
    usage: '[--json]',
    summary: 'who rules in whose stead, and until when',
    run: list,
  },
  {
    name: 'delegations begin',
    usage: '--to NAME --until TIME [--json]',
    summary: 'let somebody rule in your stead while you are away; TIME such as 2026-12-24T18:00:00Z',
    run: async (args, env) => {
      const options = readOptions(args, [...clientOptions, 'to', 'until'], ['json']);
      const order = { to: requiredText(options, 'to'), until: requiredText(options, 'until') };
      return show(await controlClient(options, env).post(path, order), options.flag('json'));
    },
  },
  {
    name: 'delegations end',
    usage: 'NUMBER [--json]',
    summary: 'end a delegation before its time: whoever is away, or an admin',
    run: async (args, env) => {
      const options = readArguments(args, clientOptions, ['json']);
      const seq = encodeURIComponent(onlyArgument(options, 'delegation'));
      return show(await controlClient(options, env).post(`${path}/${seq}/end`, {}), options.flag('json'));
    },
  },
];

function show(answer: unknown, json: boolean): ExitCode {
  if (json) printJson(answer);
  else {
    const { seq, from, role, to, until, inForce } = delegationSchema.parse(answer);
    printLine(
      visible(
        inForce
          ? `${seq}: ${to} rules in the stead of ${from} as ${role}, until ${until}.`
          : `${seq}: ${to} rules in the stead of ${from} no more.`,
      ),
    );
  }
  return exitCodes.ok;
}

async function list(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, clientOptions, ['json']);
  const answer = await controlClient(options, env).get(path);
  if (options.flag('json')) {
    printJson(answer);
    return exitCodes.ok;
  }
  const { items } = z.object({ items: z.array(delegationSchema) }).parse(answer);
  printTable(
    ['NUMBER', 'AWAY', 'ROLE', 'IN THEIR STEAD', 'UNTIL', 'STATE'],
    items.map(({ seq, from, role, to, until, inForce }) => [
      String(seq),
      from,
      role,
      to,
      until,
      inForce ? 'in force' : 'over',
    ]),
    'Nobody stands in for anybody.',
  );
  return exitCodes.ok;
}
