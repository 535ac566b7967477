/** `holdpoint policy …`: validate a policy and run its own tests, without a sidecar; replay it over the record of one. */
import { HoldpointError } from '../core/errors.ts';
import { backtestCommand } from './backtest.ts';
import { type Command, type Environment, exitCodes } from './command.ts';
import { type Options, onlyArgument, readArguments } from './options.ts';
import { printJson, printLine, visible, visibleLines } from './print.ts';
import { readPolicy } from './read-policy.ts';

export const policyCommands: readonly Command[] = [
  {
    name: 'policy check',
    usage: 'FILE [--config FILE] [--json]',
    summary: 'load a policy as the sidecar would',
    run: async (args, env) => {
      const options = readArguments(args, ['config'], ['json']);
      const file = onlyArgument(options, 'policy file');
      const { loadPolicy } = await import('../policy/compile.ts');
      const text = readPolicy(file);
      const rulers = await rulersOf(options, env);
      try {
        const { version, digest } = loadPolicy(file, text, rulers);
        if (options.flag('json')) printJson({ file, version, digest, ok: true });
        else printLine(`${visible(file)}: version ${visible(version)}, loads, and its tests pass.`);
        return exitCodes.ok;
      } catch (error) {
        // Who reads JSON reads `ok`; who reads the exit code and the words has them all the same.
        if (options.flag('json') && error instanceof HoldpointError && error.code === 'policy_invalid')
          printJson({ file, ok: false, message: error.message });
        throw error;
      }
    },
  },
  {
    name: 'policy test',
    usage: 'FILE [--config FILE] [--json]',
    summary: "run the rules' own tests; exit 1 when one fails",
    run: async (args, env) => {
      const options = readArguments(args, ['config'], ['json']);
      const file = onlyArgument(options, 'policy file');
      const { testPolicy } = await import('../policy/compile.ts');
      const results = testPolicy(file, readPolicy(file), await rulersOf(options, env));
      const failed = results.filter(({ passed }) => !passed);
      if (options.flag('json')) printJson(results);
      else {
        for (const { rule, fixture, message } of failed)
          printLine(visibleLines(`FAIL ${rule} / ${fixture}: ${message}`));
        printLine(`${results.length - failed.length} of ${results.length} tests pass.`);
      }
      return failed.length === 0 ? exitCodes.ok : exitCodes.finding;
    },
  },
  backtestCommand,
];

/** The roles that rules can ask for: those of the house, and with --config those that it adds. */
async function rulersOf(options: Options, env: Environment): Promise<readonly string[] | undefined> {
  const file = options.text('config');
  if (file === undefined) return undefined;
  const { loadConfig } = await import('../config/load.ts');
  const { createRoleBook } = await import('../core/roles.ts');
  return createRoleBook(loadConfig(file, env).control.roles).rulers;
}
