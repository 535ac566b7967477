/** `holdpoint decisions export`: all that is recorded as JSON lines, with what was said where that is asked for. */
import { z } from 'zod';
import { type ErrorCode, HoldpointError } from '../core/errors.ts';
import { type ControlClient, clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { filters, queryOf } from './decision-filters.ts';
import { readOptions } from './options.ts';
import { outputIsGone, printLine, safeJson, visible } from './print.ts';
import { unreadableSchema, unreadableText } from './unreadable.ts';

const pageSchema = z.object({
  items: z.array(z.looseObject({ id: z.string() })),
  next: z.number().nullable(),
  unreadable: unreadableSchema,
});

export const exportCommand: Command = {
  name: 'decisions export',
  usage: '[the filters of list] [--content]',
  summary: 'all of them as JSON lines; --content with what was said in each, which is sealed as read by you',
  run: exportAll,
};

async function exportAll(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, [...clientOptions, ...filters], ['content', 'json']);
  const client = controlClient(options, env);
  const query = queryOf(options, filters);
  query.set('limit', '200');
  let isWhole = true;
  // Not among the lines, which are decisions; and not in silence.
  const miss = (text: string): void => {
    isWhole = false;
    process.stderr.write(`${text}\n`);
  };
  for (;;) {
    const { items, next, unreadable } = pageSchema.parse(await client.get(`/api/v1/decisions?${query}`));
    for (const item of items) {
      if (outputIsGone()) break;
      printLine(
        safeJson(options.flag('content') ? { ...item, ...(await contentOf(client, item.id, miss)) } : item),
      );
    }
    for (const entry of unreadable) miss(unreadableText(entry));
    if (next === null || outputIsGone()) return isWhole ? exitCodes.ok : exitCodes.finding;
    query.set('before', String(next));
  }
}

/** What is wrong with one decision, and with no other. */
const ofOne: ReadonlySet<ErrorCode> = new Set(['ledger_damaged', 'internal']);

/** The exchange, or null where it is there no more. */
async function contentOf(
  client: ControlClient,
  id: string,
  miss: (text: string) => void,
): Promise<{ readonly content: unknown }> {
  try {
    return { content: await client.get(`/api/v1/decisions/${encodeURIComponent(id)}/exchange`) };
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error;
    if (ofOne.has(error.code)) miss(visible(`${id}: ${error.message} ${error.next}`));
    else if (error.code !== 'erased') throw error;
    return { content: null };
  }
}
