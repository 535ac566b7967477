/** `holdpoint holds …`: the queue and rulings from a terminal. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { countText } from '../console/words/counts.ts';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { firstInexactNumber } from '../provider/wire/exact-numbers.ts';
import { readJson } from '../provider/wire/json.ts';
import { type ControlClient, clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { detailSchema, headlineOf, listSchema, summarySchema, unnamed } from './hold-answers.ts';
import { ruleOnMany } from './holds-many.ts';
import { type Options, onlyArgument, readArguments, readOptions, requiredText } from './options.ts';
import { duration, printJson, printLine, printTable, shortened, visible } from './print.ts';
import { printHold } from './print-hold.ts';
import { readReviewerKey } from './reviewer-key.ts';
import { pathOf, rulingAbout, whetherRuled } from './ruling-about.ts';
import { printUnreadable } from './unreadable.ts';

/** Of a row; `holds show` has all of it. */
const headlineCharactersMax = 60;

export const holdsCommands: readonly Command[] = [
  {
    name: 'holds list',
    usage: '[--state pending|released|denied|amended|expired] [--session S] [--json]',
    summary:
      'what waits for a person, oldest deadline first; --state lists what ended so in the last minutes',
    run: list,
  },
  {
    name: 'holds show',
    usage: 'ID [--json]',
    summary: 'one hold with everything needed to rule, or what became of it',
    run: show,
  },
  {
    name: 'holds release',
    usage:
      'ID… [--reason TEXT] [--calls ID,…] [--digest D] [--break-glass] [--in-stead NAME] [--key FILE] [--json]',
    summary:
      'let the held bytes go, once; several holds only of the same bytes; --calls only these tool calls; --break-glass alone and at once, with a reason, where the rule lets you',
    run: (args, env) => rule('release', args, env),
  },
  {
    name: 'holds deny',
    usage: 'ID… --reason TEXT [--digest D] [--in-stead NAME] [--key FILE] [--json]',
    summary: 'refuse the call; several holds only of the same bytes',
    run: (args, env) => rule('deny', args, env),
  },
  {
    name: 'holds amend',
    usage: 'ID --file FILE --reason TEXT [--digest D] [--in-stead NAME] [--key FILE] [--json]',
    summary:
      'let an amended answer go; FILE holds {"text"?, "toolCalls"?: [{id, arguments}]} or, for a request, {"body"}',
    run: (args, env) => rule('amend', args, env),
  },
];

async function list(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, [...clientOptions, 'state', 'session'], ['json']);
  const session = options.text('session');
  // Of a session, the run as a whole: what ended is as much part of it.
  const state = options.text('state') ?? (session === undefined ? 'pending' : undefined);
  const query = new URLSearchParams({
    ...(state === undefined ? {} : { state }),
    ...(session === undefined ? {} : { session }),
    limit: '500',
  });
  const client = controlClient(options, env);
  const answer = await client.get(`/api/v1/holds?${query}`);
  const found = listSchema.parse(answer);
  if (options.flag('json')) printJson(answer);
  else {
    printQueue(found, state, client.nowMs());
    printUnreadable(found.unreadable, found.unreadableEntries);
  }
  return found.unreadable.length === 0 ? exitCodes.ok : exitCodes.finding;
}

/**
 * @param state the one that was asked for, if one was: what ended is told with how, and with no time left
 * @param nowMs by the sidecar's clock
 */
export function printQueue(
  { items, total }: Pick<z.output<typeof listSchema>, 'items' | 'total'>,
  state: string | undefined,
  nowMs: number,
): void {
  const waits = state === 'pending';
  printTable(
    [
      'ID',
      'SEVERITY',
      'WHAT',
      'WORKLOAD',
      'MODEL',
      'AGE',
      waits ? 'LEFT' : 'STATE',
      'APPROVALS',
      'CALLER',
      'WITH',
    ],
    items.map((hold) => [
      hold.id,
      hold.severity,
      shortened(headlineOf(hold), headlineCharactersMax),
      hold.workload || unnamed,
      hold.model,
      duration(nowMs - Date.parse(hold.openedAt)),
      waits ? duration(Date.parse(hold.expiresAt) - nowMs) : hold.state,
      `${hold.approvals.given.length}/${hold.approvals.needed}`,
      hold.caller,
      hold.assignee,
    ]),
    waits
      ? 'Nothing is held.'
      : 'No such hold waits here or ended in the last two minutes. The record has all: holdpoint decisions list',
  );
  if (total > items.length) printLine(`and ${countText(total - items.length)} more`);
}

async function show(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readArguments(args, clientOptions, ['json']);
  const answer = await controlClient(options, env).get(pathOf(onlyArgument(options, 'hold')));
  const hold = detailSchema.parse(answer);
  if (options.flag('json')) printJson(answer);
  else {
    printHold(hold);
    printUnreadable(hold.unreadable);
  }
  return hold.unreadable.length === 0 ? exitCodes.ok : exitCodes.finding;
}

async function rule(
  verdict: 'release' | 'deny' | 'amend',
  args: readonly string[],
  env: Environment,
): Promise<ExitCode> {
  const options = readArguments(
    args,
    [
      ...clientOptions,
      'reason',
      'digest',
      'key',
      'in-stead',
      ...(verdict === 'amend' ? ['file'] : []),
      ...(verdict === 'release' ? ['calls'] : []),
    ],
    ['json', ...(verdict === 'release' ? ['break-glass'] : [])],
  );
  const client = controlClient(options, env);
  const breakGlass = verdict === 'release' && options.flag('break-glass') ? { breakGlass: true } : {};
  const calls = verdict === 'release' ? options.text('calls') : undefined;
  const isFree = calls === undefined && verdict === 'release' && breakGlass.breakGlass === undefined;
  const reason = isFree ? (options.text('reason') ?? '') : requiredText(options, 'reason');
  const amendment = verdict === 'amend' ? { amendment: readAmendment(options) } : {};
  const inStead = options.text('in-stead');
  const keyFile = options.text('key');
  const key = keyFile === undefined ? null : readReviewerKey(keyFile);
  const ids = options.positionals;
  if (ids.length > 1) {
    const isPlain = [calls, options.text('digest'), inStead].every((given) => given === undefined);
    if (verdict === 'amend' || !isPlain || breakGlass.breakGlass === true)
      throw new HoldpointError(
        'usage',
        'Several holds are released or denied as they are.',
        'Name one hold.',
      );
    return ruleOnMany(client, { verdict, reason, ids, key, json: options.flag('json') });
  }
  const id = onlyArgument(options, 'hold');
  const path = pathOf(id);
  const digest = shownDigest(options, id) ?? (await presentDigest(client, path));
  const order = {
    verdict,
    reason,
    digest,
    ...amendment,
    ...breakGlass,
    ...(inStead === undefined ? {} : { inStead }),
    ...(calls === undefined ? {} : { calls: calls.split(',') }),
  };
  const body = key === null ? order : key.signOrder(order, await rulingAbout(client, path, digest, verdict));
  const answer = await client.post(`${path}/rulings`, body, whetherRuled([id]));
  if (options.flag('json')) printJson(answer);
  else {
    const { state, approvals } = summarySchema.parse(answer);
    printLine(
      state === 'pending'
        ? `${visible(id)}: approval ${approvals.given.length} of ${approvals.needed} is sealed.`
        : `${visible(id)} is ${visible(state)}.`,
    );
  }
  return exitCodes.ok;
}

/** The one that --digest binds the ruling to. */
function shownDigest(options: Options, id: string): string | undefined {
  const digest = options.text('digest');
  if (digest === undefined || /^[0-9a-f]{64}$/.test(digest)) return digest;
  throw new HoldpointError(
    'usage',
    '--digest is not the digest of a hold: 64 hex digits.',
    `It is the last line of: holdpoint holds show ${id}`,
  );
}

/** The digest the hold has now; pass --digest to bind the ruling to the one that was shown. */
async function presentDigest(client: ControlClient, path: string): Promise<string> {
  return summarySchema.parse(await client.get(path)).digest;
}

function readAmendment(options: Options): unknown {
  const file = requiredText(options, 'file');
  const refused = (why: string, cause?: unknown): HoldpointError =>
    new HoldpointError(
      'usage',
      `The amendment ${file} cannot be read: ${why}.`,
      'It is a JSON file: {"text"?, "toolCalls"?: [{"id", "arguments"}]}, or {"body"} for a request.',
      cause,
    );
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw refused(refusalOf(error), error);
  }
  // What cannot be sent as it is written there is not sent as something else.
  const { value, defect } = readJson(bytes, 'it');
  if (defect !== '') throw refused(defect);
  const inexact = firstInexactNumber(bytes.toString('utf8')).slice(0, 80);
  if (inexact !== '') throw refused(`its number ${inexact} would be sent as ${Number(inexact)}`);
  return value;
}
