/** Finds the subcommand, runs it, and says what went wrong in words a person can act on. */
import { type ErrorCode, HoldpointError, messageOf } from '../core/errors.ts';
import { product } from '../version.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { printLine, tolerateClosedOutput, visible, visibleLines } from './print.ts';

const nodeMajorMin = 24;
const footer = `Everything that prints data takes --json.
Commands on local state take --config FILE (config/holdpoint.yaml when absent); holds, delegations, decisions,
erase, legal-hold, reviewer and ledger ask a running sidecar and take --url and --token, or HOLDPOINT_URL and HOLDPOINT_TOKEN.
Exit codes: 0 ok, 1 a finding, 2 usage or configuration, 3 cannot reach the sidecar.
`;

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
  ledger: async () => (await import('./ledger.ts')).ledgerCommands,
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
  const family = await familyOf(args[0]);
  const command = findCommand(args, family);
  if (command === null || args.includes('--help') || args.includes('-h')) return help(args, command, family);
  try {
    return await command.run(args.slice(command.name.split(' ').length), env);
  } catch (error) {
    return report(error);
  }
}

async function allCommands(): Promise<readonly Command[]> {
  return (await Promise.all(Object.values(families).map((load) => load()))).flat();
}

/** The commands that begin with this word; none when there is no such word. */
async function familyOf(word: string | undefined): Promise<readonly Command[]> {
  const load = word !== undefined && Object.hasOwn(families, word) ? families[word] : undefined;
  return load === undefined ? [] : load();
}

function findCommand(args: readonly string[], family: readonly Command[]): Command | null {
  for (const words of [3, 2, 1]) {
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
  const asked = args.length === 0 || args.includes('--help') || args.includes('-h');
  // The word of a whole family is asked about as such, whether or not it is also a command.
  const one = command !== null && (command.name.includes(' ') || family.length === 1) ? command : null;
  const shown = one !== null ? [one] : family.length > 0 ? family : await allCommands();
  const width = Math.max(...shown.map(({ name, usage }) => `${name} ${usage}`.length));
  const lines = shown.map(
    ({ name, usage, summary }) => `  ${`${name} ${usage}`.trim().padEnd(width)}  ${summary}`,
  );
  const out = asked ? process.stdout : process.stderr;
  if (!asked) out.write(`holdpoint: there is no command ${visible(args.slice(0, 2).join(' '))}.\n`);
  out.write(`usage: holdpoint <command>\n\n${lines.join('\n')}\n\n${footer}`);
  return asked ? exitCodes.ok : exitCodes.usage;
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

function report(error: unknown): ExitCode {
  if (!(error instanceof HoldpointError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    process.stderr.write(`holdpoint: ${visibleLines(text)}\n`);
    return exitCodes.finding;
  }
  const next = error.next === '' ? '' : `${visibleLines(error.next)}\n`;
  process.stderr.write(`holdpoint: ${visibleLines(error.message)}\n${next}`);
  if (unreachableCodes.has(error.code)) return exitCodes.unreachable;
  return usageCodes.has(error.code) ? exitCodes.usage : exitCodes.finding;
}
