/** `holdpoint token …`: makes a control token, which is printed once, alone on stdout, and kept as a hash; lists and revokes them. */
import { defaultConfigFile, loadConfig } from '../config/load.ts';
import { systemClock, systemRandom } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import { createRoleBook, roles } from '../core/roles.ts';
import { addToken, listTokens, revokeToken } from '../store/token-file.ts';
import { type Command, exitCodes } from './command.ts';
import { onlyArgument, readOptions, requiredText } from './options.ts';
import { osUser } from './os-user.ts';
import { printJson, printLine, printTable, visible } from './print.ts';

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
      const token = addToken(paths.tokens, { name, role }, systemClock.nowMs(), systemRandom, osUser());
      if (options.flag('json')) printJson({ name, role, token });
      else printLine(token);
      process.stderr.write(
        `Token for ${name} (${role}). It is shown this once; ${paths.tokens} keeps its hash.\n`,
      );
      return exitCodes.ok;
    },
  },
  {
    name: 'token list',
    usage: '[--config FILE] [--json]',
    summary: 'the control tokens there are and were, with who granted and revoked them',
    run: async (args, env) => {
      const options = readOptions(args, ['config'], ['json']);
      const { paths } = loadConfig(options.text('config') ?? defaultConfigFile, env);
      const tokens = listTokens(paths.tokens);
      if (options.flag('json')) printJson(tokens);
      else
        printTable(
          ['NAME', 'ROLE', 'CREATED', 'BY', 'REVOKED'],
          tokens.map(({ name, role, created, by = '', revoked }) => [
            ...[name, role, created, by],
            revoked === undefined ? '' : `${revoked.at} by ${revoked.by}`,
          ]),
        );
      return exitCodes.ok;
    },
  },
  {
    name: 'token revoke',
    usage: 'NAME [--config FILE]',
    summary: 'end a control token; a running sidecar refuses it at once',
    run: async (args, env) => {
      const options = readOptions(args, ['config'], []);
      const name = onlyArgument(options, 'token');
      const { paths } = loadConfig(options.text('config') ?? defaultConfigFile, env);
      revokeToken(paths.tokens, name, osUser(), systemClock.nowMs());
      printLine(`the token of ${visible(name)} is revoked`);
      return exitCodes.ok;
    },
  },
];
