/** `holdpoint run`: the sidecar, until SIGTERM or SIGINT. */
import { defaultConfigFile } from '../config/load.ts';
import { messageOf } from '../core/errors.ts';
import { type Command, exitCodes } from './command.ts';
import { readOptions } from './options.ts';
import { outputMayBeLost, printLine, visible } from './print.ts';

export const runSidecarCommand: Command = {
  name: 'run',
  usage: '[--config FILE]',
  summary: 'run the sidecar; drains and exits 0 on SIGTERM',
  run: async (args, env) => {
    const options = readOptions(args, ['config']);
    // A full disk beneath what it says of itself is no reason to answer no call.
    outputMayBeLost();
    const stopped = Promise.withResolvers<string>();
    let reload = (): void => undefined;
    // Before the start: a signal that comes while it starts must neither kill it half-way nor be lost.
    process.once('SIGTERM', () => stopped.resolve('SIGTERM'));
    process.once('SIGINT', () => stopped.resolve('SIGINT'));
    process.on('SIGHUP', () => reload());
    // Unheard, it has Node open its debugger: on the loopback that the workload shares, for whoever comes, with every key.
    process.on('SIGUSR1', () => undefined);
    const { startSidecar } = await import('../sidecar.ts');
    const sidecar = await startSidecar(options.text('config') ?? defaultConfigFile, env);
    reload = () => {
      sidecar
        .reloadPolicy()
        .catch((error: unknown) => process.stderr.write(`holdpoint: ${visible(messageOf(error))}\n`));
    };
    printLine(`proxy listening on ${sidecar.proxyUrl}`);
    const { forwardUrl, transparentAddress } = sidecar.waysIn;
    if (forwardUrl !== null) printLine(`forward proxy listening on ${forwardUrl}`);
    if (transparentAddress !== null) printLine(`redirected connections listening on ${transparentAddress}`);
    printLine(`control listening on ${sidecar.controlUrl}`);
    const { witnessUrl, witnessKey } = sidecar.witness;
    if (witnessUrl !== null) printLine(`witness listening on ${witnessUrl} as ${witnessKey}`);
    await sidecar.stop(await stopped.promise);
    return exitCodes.ok;
  },
};
