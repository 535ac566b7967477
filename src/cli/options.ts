/** Options by node:util's parser, with messages in our words. */
import { parseArgs } from 'node:util';
import { HoldpointError, messageOf } from '../core/errors.ts';

export interface Options {
  readonly positionals: readonly string[];
  text(name: string): string | undefined;
  /** Every value of an option that may be given more than once. */
  list(name: string): readonly string[];
  flag(name: string): boolean;
}

/**
 * Parses the `args` of a command that takes options alone: unknown ones, missing values and any argument throw `usage`. A
 * value that was meant to be quoted, and is two words, orders nothing.
 */
export function readOptions(
  args: readonly string[],
  texts: readonly string[],
  flags: readonly string[] = [],
  lists: readonly string[] = [],
): Options {
  const options = readArguments(args, texts, flags, lists);
  refuseArguments(options);
  return options;
}

/** Throws `usage` where there is an argument. */
export function refuseArguments({ positionals: [unexpected] }: Options): void {
  if (unexpected === undefined) return;
  throw new HoldpointError(
    'usage',
    `This command takes no argument, and was given ${JSON.stringify(unexpected)}.`,
    'Put a value with spaces into quotes, or see holdpoint --help.',
  );
}

/** Parses `args`, arguments among them; unknown options and missing values throw `usage`. */
export function readArguments(
  args: readonly string[],
  texts: readonly string[],
  flags: readonly string[] = [],
  lists: readonly string[] = [],
): Options {
  const options = Object.fromEntries([
    ...texts.map((name) => [name, { type: 'string' as const }]),
    ...lists.map((name) => [name, { type: 'string' as const, multiple: true }]),
    ...flags.map((name) => [name, { type: 'boolean' as const }]),
  ]);
  try {
    const parsed = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    });
    const values = new Map<string, unknown>(Object.entries(parsed.values));
    const { positionals } = parsed;
    return {
      positionals,
      text: (name) => {
        const value = values.get(name);
        return typeof value === 'string' ? value : undefined;
      },
      list: (name) => {
        const value = values.get(name);
        return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
      },
      flag: (name) => values.get(name) === true,
    };
  } catch (error) {
    throw new HoldpointError('usage', `${messageOf(error)}`, 'See holdpoint --help.', error);
  }
}

/** The one argument a command needs. */
export function onlyArgument(options: Options, what: string): string {
  const [value, ...rest] = options.positionals;
  if (value === undefined || rest.length > 0)
    throw new HoldpointError('usage', `Name exactly one ${what}.`, 'See holdpoint --help.');
  return value;
}

export function requiredText(options: Options, name: string): string {
  const value = options.text(name);
  if (value === undefined || value.trim() === '')
    throw new HoldpointError('usage', `--${name} is required.`, 'See holdpoint --help.');
  return value;
}
