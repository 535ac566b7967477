/** `holdpoint keys show`: the verifier key that auditors keep. Reads the ledger's directory without changing it. */
import { defaultConfigFile, loadConfig } from '../config/load.ts';
import { HoldpointError } from '../core/errors.ts';
import { readEntry } from '../ledger/reader.ts';
import { openLevelCopy } from '../store/level.ts';
import { type Command, exitCodes } from './command.ts';
import { readOptions } from './options.ts';
import { printJson, printLine } from './print.ts';

export const keysCommands: readonly Command[] = [
  {
    name: 'keys show',
    usage: '[--config FILE] [--json]',
    summary: "the ledger's verifier key, one line; works while the sidecar runs",
    run: async (args, env) => {
      const options = readOptions(args, ['config'], ['json']);
      const { paths } = loadConfig(options.text('config') ?? defaultConfigFile, env);
      const store = await openLevelCopy(paths.ledgerDir);
      try {
        const { data } = await readEntry(store, 0);
        const key = data['key'];
        if (typeof key !== 'string')
          throw new HoldpointError('ledger_damaged', 'The genesis entry names no key.');
        if (options.flag('json')) printJson({ origin: data['origin'], key });
        else printLine(key);
      } finally {
        await store.close();
      }
      return exitCodes.ok;
    },
  },
];
