/** `holdpoint demo`: the main job with no key and no network. */
import { type Command, exitCodes } from './command.ts';
import { readOptions } from './options.ts';

export const demoCommand: Command = {
  name: 'demo',
  usage: '[--exit]',
  summary:
    'a model provider, the sidecar and a workload in one process: one call passes, one is released, one denied',
  run: async (args) => {
    const options = readOptions(args, [], ['exit']);
    const { runDemo } = await import('../demo/demo.ts');
    const ok = await runDemo({ exit: options.flag('exit') });
    return ok ? exitCodes.ok : exitCodes.finding;
  },
};
