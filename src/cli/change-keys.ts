/**
 * `holdpoint keys rotate` and `keys retire-kek`: through the control port of a running sidecar, or on the data
 * directory of one that is stopped.
 */
import { userInfo } from 'node:os';
import { z } from 'zod';
import { defaultConfigFile, loadConfig } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import { createRoleBook } from '../core/roles.ts';
import { newEscrowPair } from '../ledger/escrow.ts';
import type { KeyOrder } from '../ledger/rotation.ts';
import { openConfiguredLedger } from '../open-ledger.ts';
import { loadPolicyFile } from '../policy-file.ts';
import type { Keyring } from '../store/keyring.ts';
import { openLedgerCopy } from '../store/ledger-copy.ts';
import { openLedgerStore } from '../store/ledger-store.ts';
import { clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { type Options, onlyArgument, readArguments, readOptions, requiredText } from './options.ts';
import { printJson, printLine, visible } from './print.ts';

const answerSchema = z.object({ key: z.string(), kek: z.string(), retiredKeks: z.array(z.string()) });
type Answer = ReturnType<Keyring['current']>;

interface Change {
  /** Besides the reason: what the control port is told. */
  readonly request: Readonly<Record<string, string | number>>;
  readonly apply: (keyring: Keyring, order: KeyOrder) => Promise<void>;
}

const texts = ['config', 'reason', ...clientOptions];

export const changeKeysCommands: readonly Command[] = [
  {
    name: 'keys rotate',
    usage: '[--kek] [--reason TEXT] [--config FILE | --url URL --token TOKEN] [--json]',
    summary: 'a new signing key, endorsed by the old one; with --kek a new key for bodies',
    run: async (args, env) => {
      const options = readOptions(args, texts, ['json', 'kek']);
      const change: Change = options.flag('kek')
        ? { request: { action: 'epoch' }, apply: (keyring, order) => keyring.rotateKek(order) }
        : { request: { action: 'rotate' }, apply: (keyring, order) => keyring.rotateSigning(order) };
      return run(options, env, change, ({ key, kek }) => (options.flag('kek') ? kek : key));
    },
  },
  {
    name: 'keys revoke',
    usage: 'KID --down-to SIZE [--reason TEXT] [--config FILE | --url URL --token TOKEN] [--json]',
    summary: 'a former signing key was stolen: trust it no further than a checkpoint that was kept',
    run: async (args, env) => {
      const options = readArguments(args, [...texts, 'down-to'], ['json']);
      const kid = onlyArgument(options, 'key hash');
      const text = requiredText(options, 'down-to');
      if (!/^\d{1,15}$/.test(text))
        throw new HoldpointError('usage', '--down-to is a number of entries.', 'See holdpoint --help.');
      const size = Number(text);
      const change: Change = {
        request: { action: 'revoke', kid, size },
        apply: (keyring, order) => keyring.revoke(kid, size, order),
      };
      return run(options, env, change, () => `${kid} is revoked down to ${size} entries`);
    },
  },
  {
    name: 'keys escrow-new',
    usage: '[--json]',
    summary:
      'a pair of escrow keys: the public one for keys.escrow, the secret one for its holder; shown once',
    run: async (args) => {
      const options = readOptions(args, [], ['json']);
      const pair = newEscrowPair();
      if (options.flag('json')) printJson(pair);
      else printLine(`public ${pair.publicKey}\nsecret ${pair.secretKey}`);
      return exitCodes.ok;
    },
  },
  {
    name: 'keys retire-kek',
    usage: 'ID [--reason TEXT] [--config FILE | --url URL --token TOKEN] [--json]',
    summary: 'destroy the key for bodies of an earlier epoch, when nothing needs it any more',
    run: async (args, env) => {
      const options = readArguments(args, texts, ['json']);
      const kek = onlyArgument(options, 'key-encryption key');
      const change: Change = {
        request: { action: 'retire', kek },
        apply: (keyring, order) => keyring.retireKek(kek, order),
      };
      return run(options, env, change, () => `${kek} is destroyed`);
    },
  },
];

async function run(
  options: Options,
  env: Environment,
  change: Change,
  said: (answer: Answer) => string,
): Promise<ExitCode> {
  const reason = options.text('reason') ?? 'by command';
  // A configuration that is named means the directory; a token, the sidecar that runs on it.
  const running =
    options.text('config') === undefined &&
    (clientOptions.some((name) => options.text(name) !== undefined) || env['HOLDPOINT_TOKEN'] !== undefined);
  const answer = running
    ? answerSchema.parse(
        await controlClient(options, env).post('/api/v1/keys', { ...change.request, reason }),
      )
    : await onDirectory(options.text('config') ?? defaultConfigFile, env, change, reason);
  if (options.flag('json')) printJson(answer);
  else printLine(visible(said(answer)));
  return exitCodes.ok;
}

/** Opens the ledger as a start does: it is checked, and what a crash left open is closed, before it is changed. */
async function onDirectory(
  configFile: string,
  env: Environment,
  change: Change,
  reason: string,
): Promise<Answer> {
  const config = loadConfig(configFile, env);
  const { digest } = loadPolicyFile(config.paths.policy, createRoleBook(config.control.roles).rulers);
  const place = { clock: systemClock, openLedgerStore, openLedgerCopy };
  const opened = await openConfiguredLedger(config, place, digest, () => undefined);
  try {
    await change.apply(opened.keyring, { by: userInfo().username, reason });
    return opened.keyring.current();
  } finally {
    await opened.close('keys changed');
  }
}
