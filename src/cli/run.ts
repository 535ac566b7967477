/** `holdpoint run`: the sidecar, until SIGTERM or SIGINT. */
import { defaultConfigFile } from '../config/load.ts';
import { startSidecar } from '../sidecar.ts';
import { type Command, exitCodes } from './command.ts';
import { readOptions } from './options.ts';
import { printLine } from './print.ts';

export const runSidecarCommand: Command = {
  name: 'run',
  usage: '[--config FILE]',
  summary: 'run the sidecar; drains and exits 0 on SIGTERM',
  run: async (args, env) => {
    const options = readOptions(args, ['config']);
    const stopped = Promise.withResolvers<string>();
    const sidecar = await startSidecar(options.text('config') ?? defaultConfigFile, env);
    process.once('SIGTERM', () => stopped.resolve('SIGTERM'));
    process.once('SIGINT', () => stopped.resolve('SIGINT'));
    process.on('SIGHUP', () => {
      sidecar.reloadPolicy().catch((error: unknown) => process.stderr.write(`holdpoint: ${String(error)}\n`));
    });
    printLine(`proxy listening on ${sidecar.proxyUrl}`);
    printLine(`control listening on ${sidecar.controlUrl}`);
    await sidecar.stop(await stopped.promise);
    return exitCodes.ok;
  },
};
