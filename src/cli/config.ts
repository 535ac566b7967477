/** `holdpoint config …`: what the sidecar would be told, without one. */
import { defaultConfigFile } from '../config/load.ts';
import { type Command, exitCodes } from './command.ts';
import { readOptions } from './options.ts';
import { printJson, printLine, visible } from './print.ts';

/** As the base URL of most clients does, whose calls then begin behind it. */
const endsInVersion = (url: string): boolean => /\/v1\/*$/.test(url);

export const configCommands: readonly Command[] = [
  {
    name: 'config check',
    usage: '[--config FILE] [--json]',
    summary: 'read configuration, environment and policy as the sidecar would; --json shows every setting',
    run: async (args, env) => {
      const options = readOptions(args, ['config'], ['json']);
      const file = options.text('config') ?? defaultConfigFile;
      const { loadConfig } = await import('../config/load.ts');
      const { createRoleBook } = await import('../core/roles.ts');
      const { loadPolicy } = await import('../policy/compile.ts');
      const { readPolicy } = await import('./read-policy.ts');
      // Its text is sealed at the start; here the settings say the same.
      const { source: _, paths, ...settings } = loadConfig(file, env);
      const { rulers } = createRoleBook(settings.control.roles);
      const { version, digest } = loadPolicy(paths.policy, readPolicy(paths.policy), rulers);
      if (options.flag('json')) {
        printJson({ file, ok: true, policy: { file: paths.policy, version, digest }, paths, settings });
        return exitCodes.ok;
      }
      const { proxy, control, upstreams } = settings;
      printLine(`${visible(file)}: loads, and so does its policy ${visible(paths.policy)}.`);
      for (const [name, { url, protocol, mount }] of Object.entries(upstreams))
        printLine(visible(`${proxy.listen} ${mount} goes to ${name} at ${url}, read as ${protocol}.`));
      for (const [name, { url = '', mount }] of Object.entries(upstreams))
        if (endsInVersion(url) && !endsInVersion(mount))
          printLine(
            visible(
              `A client that asks for /v1/… asks for ${url.replace(/\/+$/, '')}/v1/… there: end upstreams.${name}.url before it.`,
            ),
          );
      printLine(`${control.listen} is the control port.`);
      printLine('Keys, certificates and secrets are looked for when it starts, not now.');
      return exitCodes.ok;
    },
  },
];
