/** `holdpoint reviewer key …`: keys with which people sign their rulings. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { keyFingerprint } from '../core/ruling-statement.ts';
import { type ControlClient, clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { onlyArgument, readArguments, readOptions, requiredText } from './options.ts';
import { printJson, printLine, printTable, visible } from './print.ts';
import { readReviewerKey, writeReviewerKey } from './reviewer-key.ts';

const path = '/api/v1/reviewer-keys';
const keySchema = z.object({
  owner: z.string(),
  key: z.string(),
  fingerprint: z.string(),
  withdrawn: z.number().nullable(),
});
const keysSchema = z.object({ origin: z.string(), items: z.array(keySchema) });
const requestSchema = z.strictObject({ owner: z.string(), key: z.string(), possession: z.string() });

export const reviewerCommands: readonly Command[] = [
  {
    name: 'reviewer key new',
    usage: '--name NAME [--out FILE] [--json]',
    summary: 'make a private key in a file that only you read (NAME.reviewer.pem when absent)',
    run: makeKey,
  },
  {
    name: 'reviewer key enrol',
    usage: '--key FILE [--reason TEXT] [--json]',
    summary: 'enrol your first key, by your token',
    run: enrol,
  },
  {
    name: 'reviewer key request',
    usage: '--key FILE',
    summary: 'print the request for a further key, for an admin to approve',
    run: request,
  },
  {
    name: 'reviewer key approve',
    usage: 'FILE --reason TEXT [--json]',
    summary: 'enrol the key of a request that you had from its owner (admin)',
    run: approve,
  },
  { name: 'reviewer key list', usage: '[--json]', summary: 'every key that was ever enrolled', run: list },
  {
    name: 'reviewer key withdraw',
    usage: 'KEY --reason TEXT [--json]',
    summary: 'end the use of a key, named whole or by its fingerprint: its owner or an admin',
    run: withdraw,
  },
];

async function makeKey(args: readonly string[]): Promise<ExitCode> {
  const options = readOptions(args, ['name', 'out'], ['json']);
  const name = requiredText(options, 'name');
  const file = options.text('out') ?? `${name.replaceAll(/[^A-Za-z0-9._@-]/g, '_')}.reviewer.pem`;
  const { publicKey } = writeReviewerKey(file);
  if (options.flag('json')) printJson({ name, file, key: publicKey, fingerprint: keyFingerprint(publicKey) });
  else printLine(publicKey);
  process.stderr.write(
    `The private key is in ${visible(file)}; keep it off the sidecar. Enrol it with: holdpoint reviewer key enrol --key ${visible(file)}\n`,
  );
  return exitCodes.ok;
}

/** The request for a key of whoever the token belongs to. */
async function requestFor(client: ControlClient, file: string): Promise<z.output<typeof requestSchema>> {
  const key = readReviewerKey(file);
  const { origin } = keysSchema.parse(await client.get(path));
  const { name: owner } = z.object({ name: z.string() }).parse(await client.get('/api/v1/whoami'));
  return { owner, key: key.publicKey, possession: key.possession(origin, owner) };
}

async function enrol(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, [...clientOptions, 'key', 'reason'], ['json']);
  const client = controlClient(options, env);
  const made = await requestFor(client, requiredText(options, 'key'));
  const answer = await client.post(path, { ...made, reason: options.text('reason') ?? 'first key' });
  return printKey(answer, options.flag('json'), 'signs from now on');
}

async function request(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, [...clientOptions, 'key'], []);
  printJson(await requestFor(controlClient(options, env), requiredText(options, 'key')));
  return exitCodes.ok;
}

async function approve(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readArguments(args, [...clientOptions, 'reason'], ['json']);
  const made = readRequest(onlyArgument(options, 'request'));
  const reason = requiredText(options, 'reason');
  const answer = await controlClient(options, env).post(path, { ...made, reason });
  return printKey(answer, options.flag('json'), 'signs from now on');
}

function readRequest(file: string): z.output<typeof requestSchema> {
  try {
    return requestSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new HoldpointError(
      'usage',
      `The request ${file} cannot be read: ${refusalOf(error)}.`,
      'Its owner makes it with: holdpoint reviewer key request --key FILE',
      error,
    );
  }
}

async function list(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readOptions(args, clientOptions, ['json']);
  const answer = await controlClient(options, env).get(path);
  if (options.flag('json')) printJson(answer);
  else {
    printTable(
      ['OWNER', 'FINGERPRINT', 'KEY', 'STATE'],
      keysSchema
        .parse(answer)
        .items.map(({ owner, fingerprint, key, withdrawn }) => [
          owner,
          fingerprint,
          key,
          withdrawn === null ? 'in use' : `withdrawn at ${withdrawn}`,
        ]),
      'Nobody has enrolled a key.',
    );
  }
  return exitCodes.ok;
}

async function withdraw(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readArguments(args, [...clientOptions, 'reason'], ['json']);
  const key = onlyArgument(options, 'key');
  const reason = requiredText(options, 'reason');
  const client = controlClient(options, env);
  const answer = await client.post(`${path}/withdraw`, { key: await wholeKey(client, key), reason });
  return printKey(answer, options.flag('json'), 'counts no more');
}

/** A key is told by its fingerprint wherever it is spoken of, and so may be whoever withdraws it. */
async function wholeKey(client: ControlClient, named: string): Promise<string> {
  if (!/^[0-9a-f]{16}$/.test(named)) return named;
  const { items } = keysSchema.parse(await client.get(path));
  const [found, ...others] = items.filter(({ fingerprint }) => fingerprint === named);
  if (found !== undefined && others.length === 0) return found.key;
  throw new HoldpointError(
    'not_found',
    `No key that was enrolled has the fingerprint ${named}, or more than one has.`,
    'Name it whole, as holdpoint reviewer key list has it.',
  );
}

function printKey(answer: unknown, json: boolean, what: string): ExitCode {
  if (json) printJson(answer);
  else {
    const { owner, fingerprint } = keySchema.parse(answer);
    printLine(`${visible(owner)}: the key ${visible(fingerprint)} ${what}.`);
  }
  return exitCodes.ok;
}
