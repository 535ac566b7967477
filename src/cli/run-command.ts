/** Finds the subcommand, runs it, and says what went wrong in words a person can act on. */
import { z } from 'zod';
import { nearest } from '../config/issues.ts';
import { type ErrorCode, HoldpointError, messageOf } from '../core/errors.ts';
import { wrongInput } from '../core/wrong-input.ts';
import { product } from '../version.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { helpText } from './help.ts';
import { printLine, tolerateClosedOutput, visible, visibleLines } from './print.ts';

const nodeMajorMin = 24;
/** Of help on no terminal. */
const columnsWhereUnknown = 120;

/** By first word, loaded when it is typed: a command does not wait for parts of others. */
const families: Readonly<Record<string, () => Promise<readonly Command[]>>> = {
  run: async () => [(await import('./run.ts')).runSidecarCommand],
  demo: async () => [(await import('./demo.ts')).demoCommand],
  verify: async () => [(await import('./verify.ts')).verifyCommand],
  holds: async () => [
    ...(await import('./queue.ts')).queueCommands,
    ...(await import('./holds.ts')).holdsCommands,
    ...(await import('./holds-together.ts')).togetherCommands,
  ],
  delegations: async () => (await import('./delegations.ts')).delegationCommands,
  decisions: async () => (await import('./decisions.ts')).decisionsCommands,
  erase: async () => (await import('./erase.ts')).eraseCommands,
  'legal-hold': async () => (await import('./erase.ts')).legalHoldCommands,
  retention: async () => (await import('./retention.ts')).retentionCommands,
  ledger: async () => (await import('./ledger.ts')).ledgerCommands,
  config: async () => (await import('./config.ts')).configCommands,
  policy: async () => (await import('./policy.ts')).policyCommands,
  token: async () => (await import('./token.ts')).tokenCommands,
  reviewer: async () => (await import('./reviewer.ts')).reviewerCommands,
  notifications: async () => (await import('./notifications.ts')).notificationsCommands,
  keys: async () => (await import('./keys.ts')).keysCommands,
  completion: async () => [(await import('./completion.ts')).completionCommand(allCommands)],
};

/** Runs the command line; resolves with the process's exit code, never rejects. */
export async function runCommand(args: readonly string[], env: Environment): Promise<ExitCode> {
  tolerateClosedOutput();
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
  const family = await familyOf(args[0] === 'help' ? args[1] : args[0]);
  const command = findCommand(args[0] === 'help' ? args.slice(1) : args, family);
  if (command === null || args[0] === 'help' || args.includes('--help') || args.includes('-h'))
    return help(args, command, family);
  try {
    return await command.run(args.slice(command.name.split(' ').length), env);
  } catch (error) {
    return report(error, command.name);
  }
}

/** Every command there is, each family loaded. */
export async function allCommands(): Promise<readonly Command[]> {
  return (await Promise.all(Object.values(families).map((load) => load()))).flat();
}

/** The commands that begin with this word; none when there is no such word. */
async function familyOf(word: string | undefined): Promise<readonly Command[]> {
  const load = word !== undefined && Object.hasOwn(families, word) ? families[word] : undefined;
  return load === undefined ? [] : load();
}

function findCommand(args: readonly string[], family: readonly Command[]): Command | null {
  for (const words of [3, 2, 1]) {
    // A word behind that of a family is its second one, also where the first is a command by itself.
    if (words === 1 && family.length > 1 && args[1] !== undefined && !args[1].startsWith('-')) return null;
    const found = family.find(({ name }) => name === args.slice(0, words).join(' '));
    if (found !== undefined) return found;
  }
  return null;
}

async function help(
  args: readonly string[],
  command: Command | null,
  family: readonly Command[],
): Promise<ExitCode> {
  const asked = args.length === 0 || args[0] === 'help' || args.includes('--help') || args.includes('-h');
  if (!asked) return unknownCommand(args, family);
  // The word of a whole family is asked about as such, whether or not it is also a command.
  const one = command !== null && (command.name.includes(' ') || family.length === 1) ? command : null;
  const shown = one !== null ? [one] : family.length > 0 ? family : await allCommands();
  process.stdout.write(helpText(shown, family.length > 0, process.stdout.columns ?? columnsWhereUnknown));
  return exitCodes.ok;
}

function unknownCommand(args: readonly string[], family: readonly Command[]): ExitCode {
  const [word = '', next] = args;
  // An option after the word of a family is no second word.
  const isAlone = next === undefined || next.startsWith('-') || family.length === 0;
  const said = isAlone ? word : `${word} ${next}`;
  const known = family.length > 0 ? family.map(({ name }) => name) : Object.keys(families);
  const near = nearest(said, known);
  const hint = near === undefined ? `There are: ${known.join(', ')}.` : `Did you mean holdpoint ${near}?`;
  const more = family.length > 0 ? `holdpoint ${word} --help` : 'holdpoint --help';
  const what =
    said === word && family.length > 0
      ? `${word} alone is no command`
      : `There is no command ${visible(said)}`;
  process.stderr.write(`holdpoint: ${what}.\n${hint} See ${more}.\n`);
  return exitCodes.usage;
}

/** Refused because of what was typed or configured, not because of what was found. */
const usageCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'usage',
  'config_invalid',
  'policy_invalid',
  'invalid_argument',
  'data_dir_locked',
  'unauthenticated',
  'not_found',
  'forbidden',
  'signature_required',
  'signature_invalid',
  'too_many_attempts',
  'body_too_large',
  'method_not_allowed',
]);
/** There is a sidecar, and it cannot do what was asked of it now. */
const unreachableCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'sidecar_unreachable',
  'ledger_unavailable',
  'overloaded',
  'shutting_down',
  'sign_in_unavailable',
]);

/** An answer that a command cannot read: files that it reads have errors of their own. */
function notUnderstood(error: z.ZodError): HoldpointError {
  // Of a list each item may lack the same.
  const first = wrongInput(new z.ZodError(error.issues.slice(0, 1)));
  return new HoldpointError(
    'sidecar_unreachable',
    `The answer is not one that ${product} knows: ${first} What was asked may have been carried out.`,
    'Ask with the holdpoint of the same version as the sidecar; is it the control port that --url or HOLDPOINT_URL names?',
    error,
  );
}

function report(thrown: unknown, name: string): ExitCode {
  const error = thrown instanceof z.ZodError ? notUnderstood(thrown) : thrown;
  if (!(error instanceof HoldpointError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    process.stderr.write(`holdpoint: ${visibleLines(text)}\n`);
    return exitCodes.finding;
  }
  // Who mistyped one command needs the help of that one.
  const step = error.next.replace('holdpoint --help', `holdpoint ${name} --help`);
  const next = step === '' ? '' : `${visibleLines(step)}\n`;
  process.stderr.write(`holdpoint: ${visibleLines(error.message)}\n${next}`);
  if (unreachableCodes.has(error.code)) return exitCodes.unreachable;
  return usageCodes.has(error.code) ? exitCodes.usage : exitCodes.finding;
}
