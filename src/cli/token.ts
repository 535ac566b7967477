/** `holdpoint token …`: makes a control token, which is printed once, alone on stdout, and kept as a hash; lists, replaces and revokes them. */
import { defaultConfigFile, loadConfig } from '../config/load.ts';
import { systemClock, systemRandom } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import { type ConfiguredRoles, createRoleBook, roles } from '../core/roles.ts';
import { addToken, listTokens, replaceToken, revokeToken } from '../store/token-file.ts';
import { type Command, exitCodes } from './command.ts';
import { onlyArgument, readArguments, readOptions, requiredText } from './options.ts';
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
      const role = roleNamed(control.roles, options.text('role'));
      const token = addToken(paths.tokens, { name, role }, systemClock.nowMs(), systemRandom, osUser());
      printToken({ name, role, token }, paths.tokens, options.flag('json'));
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
          'Nobody has one.',
        );
      return exitCodes.ok;
    },
  },
  {
    name: 'token replace',
    usage: 'NAME [--config FILE] [--role ROLE] [--json]',
    summary: 'another token for the person who has or had one of this name; the one they have ends',
    run: async (args, env) => {
      const options = readArguments(args, ['config', 'role'], ['json']);
      const name = onlyArgument(options, 'token');
      const { paths, control } = loadConfig(options.text('config') ?? defaultConfigFile, env);
      const asked = options.text('role');
      const { role, token } = replaceToken(
        paths.tokens,
        { name, role: asked === undefined ? undefined : roleNamed(control.roles, asked) },
        systemClock.nowMs(),
        systemRandom,
        osUser(),
      );
      printToken({ name, role, token }, paths.tokens, options.flag('json'));
      return exitCodes.ok;
    },
  },
  {
    name: 'token revoke',
    usage: 'NAME [--config FILE]',
    summary: 'end a control token; a running sidecar refuses it at once',
    run: async (args, env) => {
      const options = readArguments(args, ['config'], []);
      const name = onlyArgument(options, 'token');
      const { paths } = loadConfig(options.text('config') ?? defaultConfigFile, env);
      revokeToken(paths.tokens, name, osUser(), systemClock.nowMs());
      printLine(`The token of ${visible(name)} is revoked.`);
      return exitCodes.ok;
    },
  },
];

/** Throws `usage` where there is no such role. */
function roleNamed(configured: ConfiguredRoles, asked: string | undefined): string {
  const { names } = createRoleBook(configured);
  const role = names.find((known) => known === asked);
  if (role !== undefined) return role;
  throw new HoldpointError(
    'usage',
    asked === undefined ? '--role is required.' : 'There is no such role.',
    `It is one of: ${names.join(', ')}.`,
  );
}

/** The one time that a token is shown. */
function printToken(
  { name, role, token }: { readonly name: string; readonly role: string; readonly token: string },
  file: string,
  asJson: boolean,
): void {
  if (asJson) printJson({ name, role, token });
  else printLine(token);
  process.stderr.write(`Token for ${name} (${role}). It is shown this once; ${file} keeps its hash.\n`);
}
