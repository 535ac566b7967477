/**
 * `holdpoint keys show`: the verifier key that auditors keep. `holdpoint keys ca`: the certificate that workloads
 * trust. `holdpoint keys witness`: the key that peers configure. All read what is there; what changes keys is in change-keys.ts.
 */
import { existsSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { cosignerOf } from '../anchor/cosign.ts';
import { defaultConfigFile, type LoadedConfig, loadConfig } from '../config/load.ts';
import { HoldpointError } from '../core/errors.ts';
import { readKeyChain } from '../ledger/key-chain.ts';
import { parseVerifierKey } from '../ledger/verify/note.ts';
import { readAuthorityCertificate } from '../store/ca.ts';
import { loadWitnessKey, retiringIn } from '../store/keys.ts';
import { openLedgerCopy } from '../store/ledger-copy.ts';
import { changeKeysCommands } from './change-keys.ts';
import { type Command, exitCodes } from './command.ts';
import { readOptions } from './options.ts';
import { printJson, printLine, visible } from './print.ts';

export const keysCommands: readonly Command[] = [
  ...changeKeysCommands,
  {
    name: 'keys show',
    usage: '[--config FILE] [--json]',
    summary:
      "the ledger's verifier key in force, one line, all of them with --json; works while the sidecar runs",
    run: async (args, env) => {
      const options = readOptions(args, ['config'], ['json']);
      const config = loadConfig(options.text('config') ?? defaultConfigFile, env);
      const { paths } = config;
      if (!existsSync(paths.ledgerDir)) {
        throw new HoldpointError(
          'usage',
          `There is no ledger in ${paths.ledgerDir} yet.`,
          'Its key is made on the first start: holdpoint run --config FILE.',
        );
      }
      const store = await openLedgerCopy(paths.ledgerDir);
      try {
        const keys = await readKeyChain(store);
        const key = keys.at(-1)?.key ?? '';
        if ('code' in parseVerifierKey(key))
          throw new HoldpointError('ledger_damaged', 'The ledger names no verifier key.');
        const retiring = unfinishedRetirement(config);
        const said = { origin: key.split('+')[0], key, keys };
        if (options.flag('json')) printJson(retiring === null ? said : { ...said, retiringKek: retiring });
        else printLine(visible(key));
        if (retiring !== null) sayUnfinished(retiring);
      } finally {
        await store.close();
      }
      return exitCodes.ok;
    },
  },
  {
    name: 'keys witness',
    usage: '[--config FILE] [--json]',
    summary: 'the verifier key of the witness that this sidecar is for others, one line',
    run: async (args, env) => {
      const options = readOptions(args, ['config'], ['json']);
      const { paths, witness } = loadConfig(options.text('config') ?? defaultConfigFile, env);
      if (witness === undefined) {
        const next = 'Configure `witness` with a name, an address and its peers.';
        throw new HoldpointError('usage', 'This sidecar is no witness.', next);
      }
      const { verifierKey } = cosignerOf(witness.name, loadWitnessKey(paths.witnessKey, false));
      if (options.flag('json')) printJson({ name: witness.name, key: verifierKey });
      else printLine(visible(verifierKey));
      return exitCodes.ok;
    },
  },
  {
    name: 'keys ca',
    usage: '[--config FILE] [--with-public-roots] [--json]',
    summary: 'the certificate that workloads must trust for proxy.forward and proxy.transparent, in PEM',
    run: async (args, env) => {
      const options = readOptions(args, ['config'], ['json', 'with-public-roots']);
      const { paths } = loadConfig(options.text('config') ?? defaultConfigFile, env);
      const certificate = readAuthorityCertificate(paths.caCertificate);
      // SSL_CERT_FILE and the like replace a client's own list; NODE_EXTRA_CA_CERTS adds to it.
      const roots = options.flag('with-public-roots') ? rootCertificates : [];
      const pem = [certificate.trimEnd(), ...roots].join('\n');
      if (options.flag('json')) printJson({ file: paths.caCertificate, pem });
      else printLine(pem);
      return exitCodes.ok;
    },
  },
];

/** The key-encryption key of which its owner said to destroy it and which may still be there; null for none. */
function unfinishedRetirement({ keys, paths }: LoadedConfig): string | null {
  // One that another source has is not destroyed here.
  return keys.kek === undefined ? retiringIn(paths.keysDir) : null;
}

/** Beside the output, which goes into a file as it is. */
function sayUnfinished(kek: string): void {
  process.stderr.write(
    `note: The retirement of the key-encryption key ${visible(kek)} is not finished: it may still open bodies.\n` +
      `If none is under way, the next start goes on with it, or: holdpoint keys retire-kek ${visible(kek)}\n`,
  );
}
