/** `holdpoint token new`: prints a control token once, alone on stdout; only its hash is kept. */
import { defaultConfigFile, loadConfig } from '../config/load.ts';
import { systemClock, systemRandom } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import { createRoleBook, roles } from '../core/roles.ts';
import { addToken } from '../store/token-file.ts';
import { type Command, exitCodes } from './command.ts';
import { readOptions, requiredText } from './options.ts';
import { printJson, printLine } from './print.ts';

export const tokenCommands: readonly Command[] = [
  {
    name: 'token new',
    usage: '[--config FILE] --name NAME --role ROLE [--json]',
    summary: `a control token for one person; roles: ${roles.join(', ')}, and those of control.roles`,
    run: async (args, env) => {
      const options = readOptions(args, ['config', 'name', 'role'], ['json']);
      const name = requiredText(options, 'name');
      const { paths, control } = loadConfig(options.text('config') ?? defaultConfigFile, env);
      const { names } = createRoleBook(control.roles);
      const role = names.find((known) => known === options.text('role'));
      if (role === undefined)
        throw new HoldpointError(
          'usage',
          options.text('role') === undefined ? '--role is required.' : 'There is no such role.',
          `It is one of: ${names.join(', ')}.`,
        );
      const token = addToken(paths.tokens, { name, role }, systemClock.nowMs(), systemRandom);
      if (options.flag('json')) printJson({ name, role, token });
      else printLine(token);
      process.stderr.write(
        `Token for ${name} (${role}). It is shown this once; ${paths.tokens} keeps its hash.\n`,
      );
      return exitCodes.ok;
    },
  },
];
