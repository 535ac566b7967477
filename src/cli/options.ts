/** Options by node:util's parser, with messages in our words. */
import { parseArgs } from 'node:util';
import { nearest } from '../config/issues.ts';
import { HoldpointError } from '../core/errors.ts';
import { shortened, visible } from './print.ts';

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
  const [unexpected = ''] = options.positionals;
  if (texts.includes('config') && /\.ya?ml$/.test(unexpected))
    throw new HoldpointError(
      'usage',
      `This command takes no argument, and was given ${JSON.stringify(unexpected)}.`,
      `Did you mean --config ${unexpected}? ${seeHelp}`,
    );
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
  const kinds = new Map<string, Kind>([
    ...texts.map((name): [string, Kind] => [name, 'text']),
    ...lists.map((name): [string, Kind] => [name, 'list']),
    ...flags.map((name): [string, Kind] => [name, 'flag']),
  ]);
  const options = Object.fromEntries(
    [...kinds].map(([name, kind]) => [name, { type: kind === 'flag' ? 'boolean' : 'string' } as const]),
  );
  // Lenient, as what is wrong is said here.
  const { tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const positionals: string[] = [];
  const values = new Map<string, readonly string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, value } = token;
    const kind = kinds.get(name);
    if (kind === undefined) throw unknownOption(token.rawName, args[token.index] ?? '', [...kinds.keys()]);
    if (kind === 'flag' && value !== undefined)
      throw new HoldpointError('usage', `--${name} takes no value.`, seeHelp);
    if (kind !== 'flag' && (value === undefined || (!token.inlineValue && /^-./.test(value))))
      throw new HoldpointError(
        'usage',
        `--${name} needs a value.`,
        `Write it behind; one that begins with a dash as --${name}=-VALUE. ${seeHelp}`,
      );
    values.set(name, [...(values.get(name) ?? []), value ?? '']);
  }
  return {
    positionals,
    text: (name) => values.get(name)?.at(-1),
    list: (name) => values.get(name) ?? [],
    flag: (name) => values.has(name),
  };
}

type Kind = 'text' | 'list' | 'flag';

/** Of an option that is none: the rest may be its value. */
const shownCharactersMax = 24;
const seeHelp = 'See holdpoint --help.';

/** @param typed the whole argument: of `-reason` the parser only says `-r` */
function unknownOption(name: string, typed: string, known: readonly string[]): HoldpointError {
  const said = typed.startsWith('--') ? name : (typed.split('=', 1)[0] ?? name);
  const word = said.replace(/^-+/, '');
  const near =
    nearest(word, known) ?? (word === '' ? undefined : known.find((each) => each.startsWith(word)));
  const hint =
    near === undefined
      ? `There are: ${known.map((each) => `--${each}`).join(', ')}. For a text that begins with a dash, put -- before it.`
      : `Did you mean --${near}?`;
  return new HoldpointError(
    'usage',
    `There is no option ${visible(shortened(said, shownCharactersMax))} here.`,
    `${hint} ${seeHelp}`,
  );
}

/** The one argument a command needs. */
export function onlyArgument(options: Options, what: string): string {
  const [value, ...rest] = options.positionals;
  if (value === undefined || rest.length > 0)
    throw new HoldpointError('usage', `Name exactly one ${what}.`, 'See holdpoint --help.');
  return value;
}

/** The one argument, an entry's number. */
export function entryNumber(options: Options): string {
  const seq = onlyArgument(options, 'entry');
  if (/^\d{1,15}$/.test(seq)) return seq;
  throw new HoldpointError(
    'usage',
    `${seq} is no number of an entry.`,
    'Name it as the ledger does, from 0 on; holdpoint decisions show ID has those of a decision.',
  );
}

/** For a number that the ledger has not come to. */
export function noEntry(seq: string | number): HoldpointError {
  return new HoldpointError(
    'not_found',
    `There is no entry ${seq}.`,
    'They are numbered from 0 on; the second line of holdpoint ledger checkpoint says how many there are.',
  );
}

export function requiredText(options: Options, name: string): string {
  const value = options.text(name);
  if (value === undefined || value.trim() === '')
    throw new HoldpointError('usage', `--${name} is required.`, 'See holdpoint --help.');
  return value;
}
