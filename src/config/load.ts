/** Reads the configuration at an entry point: file, then environment, then checked as one. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { withEnvironment } from './environment.ts';
import { type Config, configSchema } from './schema.ts';
import { readYaml } from './yaml.ts';

/** The configuration with every path made absolute. */
export interface LoadedConfig extends Config {
  readonly paths: {
    readonly config: string;
    readonly ledgerDir: string;
    readonly indexDir: string;
    readonly highWater: string;
    /** There between a restore and the first start after it. */
    readonly restored: string;
    readonly spoolDir: string;
    readonly tokens: string;
    readonly erasures: string;
    readonly keysDir: string;
    readonly anchorsDir: string;
    readonly witnessDir: string;
    readonly witnessKey: string;
    readonly notifyDir: string;
    readonly caKey: string;
    readonly caCertificate: string;
    readonly policy: string;
  };
  /** The file's text with the environment applied; hashed into the ledger. */
  readonly source: string;
}

export const defaultConfigFile = 'config/holdpoint.yaml';

/**
 * Loads `file`; relative paths in it are relative to the directory the process was started in, as in a shell.
 * Throws `config_invalid` with file, line, path and what would be right.
 */
export function loadConfig(file: string, env: Readonly<Record<string, string | undefined>>): LoadedConfig {
  requireVerification(env);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `The configuration ${file} cannot be read: ${refusalOf(error)}.`,
      'Name it with --config FILE.',
      error,
    );
  }
  // The file is checked as it stands first, so that its mistakes are reported on its own lines.
  const { config, source } = withEnvironment(text, readYaml(file, text, configSchema, 'config_invalid'), env);
  const dataDir = resolve(config.data.dir);
  const keysDir = resolve(config.keys.dir ?? join(dataDir, 'keys'));
  return {
    ...config,
    paths: {
      config: resolve(file),
      ledgerDir: join(dataDir, 'ledger'),
      indexDir: join(dataDir, 'index'),
      highWater: join(dataDir, 'high-water'),
      restored: join(dataDir, 'restored.json'),
      spoolDir: join(dataDir, 'spool'),
      tokens: join(dataDir, 'tokens.json'),
      erasures: join(dataDir, 'erasures.json'),
      keysDir,
      anchorsDir: join(dataDir, 'anchors'),
      witnessDir: join(dataDir, 'witness'),
      witnessKey: join(keysDir, 'witness.pem'),
      notifyDir: join(dataDir, 'notify'),
      caKey: join(keysDir, 'ca.key'),
      caCertificate: resolve(config.proxy.caFile ?? join(dataDir, 'ca.pem')),
      policy: resolve(config.policy.file),
    },
    source,
  };
}

/** Prompts and keys would go to whoever answers in a provider's name. */
function requireVerification(env: Readonly<Record<string, string | undefined>>): void {
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return;
  throw new HoldpointError(
    'config_invalid',
    'The environment variable NODE_TLS_REJECT_UNAUTHORIZED is 0: no certificate of an upstream would be checked.',
    'Unset it, and name the authority of an upstream that is not publicly known in NODE_EXTRA_CA_CERTS.',
  );
}

/** Splits `host:port`; the schema has checked the form. */
export function parseAddress(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}
