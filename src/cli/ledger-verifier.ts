/** `holdpoint ledger verifier`: the verifier as one HTML file, to hand over together with an export. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { bundleVerifierPage } from '../verifier-page/bundle.ts';
import { type Command, exitCodes } from './command.ts';
import { onlyArgument, readArguments } from './options.ts';
import { printJson, printLine, visible } from './print.ts';

/** Where `npm run build` leaves the page; in the checkout there is none, and it is bundled when asked for. */
const builtPage = fileURLToPath(new URL('../verify.html', import.meta.url));

export const verifierCommand: Command = {
  name: 'ledger verifier',
  usage: 'FILE.html [--json]',
  summary: 'the verifier as one HTML page that works offline, for whoever is given an export',
  run: async (args) => {
    const options = readArguments(args, [], ['json']);
    const file = onlyArgument(options, 'file');
    const page = existsSync(builtPage) ? await readFile(builtPage, 'utf8') : await bundledPage();
    try {
      // Never over another file: the argument could be the export itself.
      await writeFile(file, page, { flag: 'wx' });
    } catch (error) {
      throw new HoldpointError(
        'usage',
        `${file} cannot be written: ${refusalOf(error)}.`,
        'Name a file that is not there yet.',
        error,
      );
    }
    if (options.flag('json')) printJson({ file });
    else printLine(`Wrote ${visible(file)}. Open it in a browser and drop an export on it.`);
    return exitCodes.ok;
  },
};

async function bundledPage(): Promise<string> {
  try {
    return await bundleVerifierPage();
  } catch (error) {
    throw new HoldpointError(
      'usage',
      `The page cannot be made here: ${refusalOf(error)}.`,
      'In a checkout, run npm ci first: the bundler is a development dependency. The built package has the page in it.',
      error,
    );
  }
}
