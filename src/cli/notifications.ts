/** `holdpoint notifications …`: what was told outside, what was not taken, and sending it again. */
import { z } from 'zod';
import { HoldpointError } from '../core/errors.ts';
import { type ControlClient, clientOptions, controlClient } from './client.ts';
import { type Command, type ExitCode, exitCodes } from './command.ts';
import { onlyArgument, readArguments, readOptions } from './options.ts';
import { printJson, printLine, printTable, visible } from './print.ts';

const notificationSchema = z.object({
  id: z.string(),
  receiver: z.string(),
  type: z.string(),
  state: z.string(),
  reason: z.string(),
  queuedAt: z.string(),
});
const pageSchema = z.object({ items: z.array(notificationSchema), total: z.number() });
const path = '/api/v1/notifications';

export const notificationsCommands: readonly Command[] = [
  {
    name: 'notifications list',
    usage: '[--state pending|sent|dead] [--json]',
    summary: 'messages to receivers, the newest 500; dead ones were given up',
    run: async (args, env) => {
      const options = readOptions(args, [...clientOptions, 'state'], ['json']);
      const state = options.text('state');
      const query = state === undefined ? '' : `&state=${encodeURIComponent(state)}`;
      const answer = await controlClient(options, env).get(`${path}?limit=500${query}`);
      if (options.flag('json')) printJson(answer);
      else printPage(pageSchema.parse(answer));
      return exitCodes.ok;
    },
  },
  {
    name: 'notifications replay',
    usage: '(ID | --all) [--json]',
    summary: 'send a dead letter again, or up to 500 of them',
    run: async (args, env) => {
      const options = readArguments(args, clientOptions, ['json', 'all']);
      const client = controlClient(options, env);
      if (options.flag('all') && options.positionals.length > 0)
        throw new HoldpointError('usage', 'Name one notification or give --all.', 'See holdpoint --help.');
      if (options.flag('all')) return replayAll(client, options.flag('json'));
      const answer = await client.post(`${path}/replay`, { id: onlyArgument(options, 'notification') });
      if (options.flag('json')) printJson(answer);
      else printLine(again(answer));
      return exitCodes.ok;
    },
  },
  {
    name: 'notifications test',
    usage: 'RECEIVER [--json]',
    summary: 'send a test to a receiver of notify.to',
    run: async (args, env) => {
      const options = readArguments(args, clientOptions, ['json']);
      const receiver = onlyArgument(options, 'receiver');
      const answer = await controlClient(options, env).post(`${path}/test`, { receiver });
      if (options.flag('json')) printJson(answer);
      else printLine(`${visible(notificationSchema.parse(answer).id)} is on its way`);
      return exitCodes.ok;
    },
  },
];

const again = (answer: unknown): string => `${visible(notificationSchema.parse(answer).id)} waits again`;

/** One that somebody else had sent again meanwhile, or whose receiver is not configured, keeps nobody from the others. */
async function replayAll(client: ControlClient, asJson: boolean): Promise<ExitCode> {
  const { items: newest } = pageSchema.parse(await client.get(`${path}?limit=500&state=dead`));
  // In the order in which they were to be told.
  const dead = newest.toReversed();
  const items: unknown[] = [];
  for (const { id } of dead) {
    try {
      const answer = await client.post(`${path}/replay`, { id });
      items.push(answer);
      if (!asJson) printLine(again(answer));
    } catch (error) {
      if (!(error instanceof HoldpointError) || error.code !== 'not_found') throw error;
      if (!asJson) printLine(`${visible(id)} is not sent again: ${visible(error.message)}`);
    }
  }
  if (asJson) printJson({ items });
  else if (dead.length === 0) printLine('There are no dead letters.');
  return items.length === dead.length ? exitCodes.ok : exitCodes.finding;
}

function printPage({ items, total }: z.output<typeof pageSchema>): void {
  printTable(
    ['ID', 'TYPE', 'STATE', 'QUEUED', 'REASON'],
    items.map(({ id, type, state, queuedAt, reason }) => [id, type, state, queuedAt, reason]),
    'There are none.',
  );
  if (total > items.length) printLine(`and ${total - items.length} that were queued before`);
}
