/** Finds the subcommand, runs it, and says what went wrong in words a person can act on. */
import { HoldpointError, messageOf } from '../core/errors.ts';
import { product } from '../version.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { decisionsCommands } from './decisions.ts';
import { demoCommand } from './demo.ts';
import { holdsCommands } from './holds.ts';
import { keysCommands } from './keys.ts';
import { ledgerCommands } from './ledger.ts';
import { policyCommands } from './policy.ts';
import { printLine, visible } from './print.ts';
import { runSidecarCommand } from './run.ts';
import { tokenCommands } from './token.ts';
import { verifyCommand } from './verify.ts';

const nodeMajorMin = 24;

const commands: readonly Command[] = [
  runSidecarCommand,
  demoCommand,
  verifyCommand,
  ...holdsCommands,
  ...decisionsCommands,
  ...ledgerCommands,
  ...policyCommands,
  ...tokenCommands,
  ...keysCommands,
];

/** Runs the command line; resolves with the process's exit code, never rejects. */
export async function runCommand(args: readonly string[], env: Environment): Promise<ExitCode> {
  if (Number(process.versions.node.split('.')[0]) < nodeMajorMin) {
    process.stderr.write(
      `holdpoint: needs Node ${nodeMajorMin} or newer; this is ${process.version}. npm scripts of the checkout bring their own.\n`,
    );
    return exitCodes.usage;
  }
  if (args[0] === '--version') {
    printLine(product);
    return exitCodes.ok;
  }
  const command = findCommand(args);
  if (command === null || args.includes('--help') || args.includes('-h')) return help(args, command);
  try {
    return await command.run(args.slice(command.name.split(' ').length), env);
  } catch (error) {
    return report(error);
  }
}

function findCommand(args: readonly string[]): Command | null {
  const two = commands.find(({ name }) => name === `${args[0]} ${args[1]}`);
  return two ?? commands.find(({ name }) => name === args[0]) ?? null;
}

function help(args: readonly string[], command: Command | null): ExitCode {
  const asked = args.length === 0 || args.includes('--help') || args.includes('-h');
  const family = commands.filter(({ name }) => name.startsWith(`${args[0]} `));
  const shown = command !== null ? [command] : family.length > 0 ? family : commands;
  const width = Math.max(...shown.map(({ name, usage }) => `${name} ${usage}`.length));
  const lines = shown.map(
    ({ name, usage, summary }) => `  ${`${name} ${usage}`.trim().padEnd(width)}  ${summary}`,
  );
  const out = asked ? process.stdout : process.stderr;
  if (!asked) out.write(`holdpoint: there is no command ${visible(args.slice(0, 2).join(' '))}.\n`);
  out.write(
    `usage: holdpoint <command>\n\n${lines.join('\n')}\n\nEverything that prints data takes --json. Exit codes: 0 ok, 1 a finding, 2 usage or configuration, 3 cannot reach the sidecar.\n`,
  );
  return asked ? exitCodes.ok : exitCodes.usage;
}

function report(error: unknown): ExitCode {
  if (!(error instanceof HoldpointError)) {
    process.stderr.write(
      `holdpoint: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`,
    );
    return exitCodes.finding;
  }
  process.stderr.write(`holdpoint: ${error.message}\n${error.next === '' ? '' : `${error.next}\n`}`);
  if (error.code === 'sidecar_unreachable') return exitCodes.unreachable;
  const ours = [
    'usage',
    'config_invalid',
    'policy_invalid',
    'invalid_argument',
    'data_dir_locked',
    'unauthenticated',
    'not_found',
    'forbidden',
  ];
  return ours.includes(error.code) ? exitCodes.usage : exitCodes.finding;
}
