/**
 * Settings from the environment: HOLDPOINT_ and the path in upper snake case, for every scalar. A variable
 * that names no setting is a mistake, except those that Kubernetes sets by itself.
 */
import { type Document, parseDocument, visit } from 'yaml';
import { HoldpointError } from '../core/errors.ts';
import { isForm } from './accepted-keys.ts';
import { describeIssues, nearest } from './issues.ts';
import { type Config, configJsonSchema, configSchema } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'HOLDPOINT_';
/** Set for the command line, not for the file. */
const notOverrides = new Set(['HOLDPOINT_URL', 'HOLDPOINT_TOKEN']);
const settingsShownMax = 3;

interface Setting {
  readonly path: readonly string[];
  readonly variable: string;
  /** Of the JSON Schema. */
  readonly type: unknown;
}

/**
 * The configuration with the environment applied, and the file's text as it would have to read.
 * Throws `config_invalid` with the variable's name and what would be right.
 */
export function withEnvironment(
  text: string,
  fromFile: Config,
  env: Environment,
): { readonly config: Config; readonly source: string } {
  const named = Object.entries(env).flatMap(([name, value]) =>
    value === undefined || !name.startsWith(prefix) || notOverrides.has(name) ? [] : [{ name, value }],
  );
  if (named.length === 0) return { config: fromFile, source: text };
  const settings = settingsOf(fromFile);
  // What is set for a receiver of the name mail_service looks like a link, and is none.
  const isSetting = (name: string): boolean => settings.some(({ variable }) => variable === name);
  const given = named
    .filter(({ name, value }) => isSetting(name) || !isServiceLink(name, value))
    .map(({ name, value }) => ({ setting: settingOf(name, settings), value }));
  if (given.length === 0) return { config: fromFile, source: text };
  const document = withoutAliases(parseDocument(text));
  // A file without upstreams has the default ones; setting one of them must not lose the others.
  if (!document.has('upstreams')) document.set('upstreams', document.createNode(fromFile.upstreams));
  for (const { setting, value } of given) document.setIn(setting.path, valueIn(setting, value));
  const input: unknown = document.toJS();
  const parsed = configSchema.safeParse(input, { reportInput: true });
  if (parsed.success) return { config: parsed.data, source: String(document) };
  const problems = describeIssues(parsed.error.issues, configJsonSchema(), input);
  throw new HoldpointError(
    'config_invalid',
    problems
      .map(({ path, text: what }) => `${variablesOf(path, given)} (${path.join('.')}): ${what}`)
      .join('\n'),
    'Correct the environment and try again.',
  );
}

/** Two places of the file that share a node are two settings: what sets one of them must not set the other. */
function withoutAliases(document: Document): Document {
  let hasAlias = false;
  visit(document, {
    Alias: () => {
      hasAlias = true;
      return visit.BREAK;
    },
  });
  if (hasAlias) document.contents = document.createNode(document.toJS(), { aliasDuplicateObjects: false });
  return document;
}

/** A value as the file would have it; one of another kind stays text, and is then refused. */
function valueIn({ type }: Setting, value: string): unknown {
  if ((type === 'integer' || type === 'number') && /^-?\d+$/.test(value)) return Number(value);
  if (type === 'boolean' && /^(true|false)$/.test(value)) return value === 'true';
  return value;
}

/** The variables that set something at or below `path`. */
function variablesOf(path: readonly PropertyKey[], given: readonly { readonly setting: Setting }[]): string {
  const below = given.filter(({ setting }) => path.every((step, i) => setting.path[i] === step));
  return below.map(({ setting }) => setting.variable).join(', ') || 'HOLDPOINT_*';
}

/**
 * Kubernetes and Docker set these for every Service whose name begins with holdpoint. Their values tell them from
 * a mistyped setting: the port is a URL, the host an address or a name.
 */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)$/.test(name)) return true;
  return /_PORT(_\d+_(TCP|UDP|SCTP))?$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value);
}

function settingOf(name: string, settings: readonly Setting[]): Setting {
  const found = settings.find(({ variable }) => variable === name);
  if (found?.type === 'array')
    throw new HoldpointError(
      'config_invalid',
      `The environment variable ${name} is that of a list, and sets no list.`,
      `Write ${found.path.join('.')} in the configuration file.`,
    );
  if (found !== undefined) return found;
  const variables = settings.filter(({ type }) => type !== 'array').map(({ variable }) => variable);
  const beginningWith = (start: string) => variables.filter((variable) => variable.startsWith(`${start}_`));
  const below = beginningWith(name);
  // What is below it is meant rather than what is spelt alike.
  const near =
    below.length > 0
      ? undefined
      : nearest(
          name.slice(prefix.length),
          variables.map((variable) => variable.slice(prefix.length)),
        );
  const family = below.length > 0 ? below : beginningWith(name.split('_', 2).join('_'));
  const next =
    near !== undefined
      ? `Did you mean ${prefix}${near}?`
      : family.length > 0
        ? `There are ${family.slice(0, settingsShownMax).join(', ')}${family.length > settingsShownMax ? ' and others' : ''}.`
        : 'Settings are HOLDPOINT_ and the path in upper snake case, such as HOLDPOINT_DATA_DIR.';
  throw new HoldpointError('config_invalid', `The environment variable ${name} names no setting.`, next);
}

/** Every scalar and list of the schema; those of maps, such as the upstreams, under the names they have in the file. */
function settingsOf(fromFile: Config): Setting[] {
  return leavesOf(configJsonSchema(), [], fromFile).map(({ path, type }) => ({
    path,
    type,
    variable: prefix + path.map(upperSnake).join('_'),
  }));
}

function leavesOf(
  schema: unknown,
  path: readonly string[],
  value: unknown,
): { path: readonly string[]; type: unknown }[] {
  const type = field(schema, 'type');
  const properties = field(schema, 'properties');
  if (typeof properties === 'object' && properties !== null)
    return Object.entries(properties).flatMap(([key, inner]) =>
      leavesOf(inner, [...path, key], field(value, key)),
    );
  const values = field(schema, 'additionalProperties');
  if (typeof values === 'object' && typeof value === 'object' && value !== null)
    return Object.keys(value).flatMap((key) => leavesOf(values, [...path, key], field(value, key)));
  // One of several forms: whichever it is in the file has its kind there.
  const forms = field(schema, 'oneOf');
  if (Array.isArray(forms)) {
    const form = forms.find((each) => isForm(each, value));
    return form === undefined ? [] : leavesOf(form, path, value);
  }
  // Forms without a kind: setting what another one has is refused as it would be in the file.
  const others = field(schema, 'anyOf');
  if (Array.isArray(others)) return others.flatMap((form) => leavesOf(form, path, value));
  return type === 'object' ? [] : [{ path, type }];
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && key in value ? Reflect.get(value, key) : undefined;
}

function upperSnake(key: string): string {
  // No shell takes a name with a hyphen, as roles may have one.
  return key
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();
}
