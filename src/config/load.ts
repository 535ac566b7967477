/** Reads the configuration at an entry point: file, then environment, then checked as one. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { type Config, configSchema } from './schema.ts';
import { readYaml } from './yaml.ts';

/** The configuration with every path made absolute. */
export interface LoadedConfig extends Config {
  readonly paths: {
    readonly config: string;
    readonly ledgerDir: string;
    readonly indexDir: string;
    readonly highWater: string;
    readonly tokens: string;
    readonly keysDir: string;
    readonly policy: string;
  };
  /** The file's text with the environment applied; hashed into the ledger. */
  readonly source: string;
}

export const defaultConfigFile = 'config/holdpoint.yaml';
const prefix = 'HOLDPOINT_';
/** Set for the command line, not for the file. */
const notOverrides = new Set(['HOLDPOINT_URL', 'HOLDPOINT_TOKEN']);
/** Kubernetes and Docker set these for every Service whose name begins with holdpoint. */
const serviceLink =
  /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/**
 * Loads `file`; relative paths in it are relative to the directory the process was started in, as in a shell.
 * Throws `config_invalid` with file, line, path and what would be right.
 */
export function loadConfig(file: string, env: Readonly<Record<string, string | undefined>>): LoadedConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `The configuration ${file} cannot be read: ${messageOf(error)}.`,
      'Name it with --config FILE.',
      error,
    );
  }
  // The file is checked as it stands first, so that its mistakes are reported on its own lines.
  readYaml(file, text, configSchema, 'config_invalid');
  const overridden = withEnvironment(text, env);
  const config =
    overridden === text
      ? readYaml(file, text, configSchema, 'config_invalid')
      : readYaml(`${file} with HOLDPOINT_* applied`, overridden, configSchema, 'config_invalid');
  const dataDir = resolve(config.data.dir);
  return {
    ...config,
    paths: {
      config: resolve(file),
      ledgerDir: join(dataDir, 'ledger'),
      indexDir: join(dataDir, 'index'),
      highWater: join(dataDir, 'high-water'),
      tokens: join(dataDir, 'tokens.json'),
      keysDir: resolve(config.keys.dir ?? join(dataDir, 'keys')),
      policy: resolve(config.policy.file),
    },
    source: overridden,
  };
}

/** Every scalar can be set by HOLDPOINT_ and its path in upper snake case; an unknown one is a mistake. */
function withEnvironment(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const document = parseDocument(text);
  let changed = false;
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || notOverrides.has(name) || serviceLink.test(name) || value === undefined)
      continue;
    const path = pathOfVariable(name, Object.keys(readUpstreams(document.toJS())));
    if (path === null) {
      throw new HoldpointError(
        'config_invalid',
        `The environment variable ${name} names no setting.`,
        'Settings are HOLDPOINT_ and the path in upper snake case, such as HOLDPOINT_DATA_DIR.',
      );
    }
    document.setIn(path, /^\d+$/.test(value) ? Number(value) : value);
    changed = true;
  }
  return changed ? String(document) : text;
}

function readUpstreams(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || !('upstreams' in value))
    return { openai: null, anthropic: null };
  const { upstreams } = value;
  return typeof upstreams === 'object' && upstreams !== null ? { ...upstreams } : {};
}

function pathOfVariable(name: string, upstreamNames: readonly string[]): string[] | null {
  const wanted = name.slice(prefix.length);
  return settingPaths(upstreamNames).find((path) => path.map(upperSnake).join('_') === wanted) ?? null;
}

function settingPaths(upstreamNames: readonly string[]): string[][] {
  const sections = configSchema.shape;
  const paths = Object.entries(sections).flatMap(([section, schema]) =>
    keysOf(schema).map((key) => [section, key]),
  );
  const ofUpstreams = upstreamNames.flatMap((name) =>
    ['url', 'protocol', 'mount'].map((key) => ['upstreams', name, key]),
  );
  return [...paths, ...ofUpstreams];
}

function keysOf(schema: z.ZodType): string[] {
  const inner = 'unwrap' in schema && typeof schema.unwrap === 'function' ? schema.unwrap() : schema;
  return typeof inner === 'object' &&
    inner !== null &&
    'shape' in inner &&
    typeof inner.shape === 'object' &&
    inner.shape !== null
    ? Object.keys(inner.shape)
    : [];
}

function upperSnake(key: string): string {
  return key.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
}

/** Splits `host:port`; the schema has checked the form. */
export function parseAddress(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}
