/** `holdpoint completion SHELL`: a script that completes commands and options, made from the commands themselves. */
import { HoldpointError } from '../core/errors.ts';
import { type Command, exitCodes } from './command.ts';
import { onlyArgument, readArguments } from './options.ts';
import { printLine } from './print.ts';

interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly string[];
}

/** Commands to a running sidecar take these without their usage saying so. */
const everywhere = ['--help', '--url', '--token'];

export function completionCommand(all: () => Promise<readonly Command[]>): Command {
  return {
    name: 'completion',
    usage: 'bash|zsh|fish',
    summary: 'a script that completes commands and options: source <(holdpoint completion bash)',
    run: async (args) => {
      const shell = onlyArgument(readArguments(args, []), 'shell: bash, zsh or fish');
      const make = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
      if (make === undefined)
        throw new HoldpointError(
          'usage',
          'There is no completion for that shell.',
          'It is one of: bash, zsh, fish.',
        );
      const commands = (await all()).map(({ name, usage, summary }) => ({
        name,
        summary,
        options: [...new Set([...(usage.match(/--[a-z][a-z-]*/g) ?? []), ...everywhere])].sort(),
      }));
      printLine(make(commands));
      return exitCodes.ok;
    },
  };
}

const scripts: Readonly<Record<string, (commands: readonly Completed[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

const firstWords = (commands: readonly Completed[]): string[] => [
  ...new Set(commands.map(({ name }) => name.split(' ')[0] ?? '')),
];

function secondWords(commands: readonly Completed[], first: string): string[] {
  return commands.flatMap(({ name }) => {
    const [one, two] = name.split(' ');
    return one === first && two !== undefined ? [two] : [];
  });
}

/** Arms of a `case`: by first word its second ones, and by command its options. */
function arms(commands: readonly Completed[], say: (words: readonly string[]) => string) {
  const second = firstWords(commands)
    .filter((first) => secondWords(commands, first).length > 0)
    .map((first) => `      ${first}) ${say(secondWords(commands, first))} ;;`);
  const options = commands.map(
    ({ name, options }) =>
      `      '${name}${name.includes(' ') ? '' : ' '}'${name.includes(' ') ? '' : '*'}) ${say(options)} ;;`,
  );
  // The longer names first: a command of one word is also the beginning of others.
  return {
    second,
    options: [...options.filter((arm) => !arm.includes('*')), ...options.filter((arm) => arm.includes('*'))],
  };
}

function bashScript(commands: readonly Completed[]): string {
  const { second, options } = arms(commands, (words) => `words='${words.join(' ')}'`);
  return `_holdpoint() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${firstWords(commands).join(' ')}'
  elif [ "$COMP_CWORD" -eq 2 ] && [ "\${cur#-}" = "$cur" ]; then
    case "\${COMP_WORDS[1]}" in
${second.join('\n')}
    esac
  elif [ "\${cur#-}" != "$cur" ]; then
    case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${options.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _holdpoint holdpoint`;
}

function zshScript(commands: readonly Completed[]): string {
  const { second, options } = arms(commands, (words) => `compadd -- ${words.join(' ')}`);
  return `#compdef holdpoint
_holdpoint() {
  if (( CURRENT == 2 )); then
    compadd -- ${firstWords(commands).join(' ')}
  elif (( CURRENT == 3 )) && [[ "$PREFIX" != -* ]]; then
    case "$words[2]" in
${second.join('\n')}
      *) _files ;;
    esac
  elif [[ "$PREFIX" == -* ]]; then
    case "$words[2] $words[3]" in
${options.join('\n')}
    esac
  else
    _files
  fi
}
if [ "$funcstack[1]" = _holdpoint ]; then _holdpoint; else compdef _holdpoint holdpoint; fi`;
}

function fishScript(commands: readonly Completed[]): string {
  const firsts = firstWords(commands).map(
    (first) => `complete -c holdpoint -f -n __fish_use_subcommand -a ${first}`,
  );
  const rest = commands.flatMap(({ name, summary, options }) => {
    const [first = '', second] = name.split(' ');
    const seconds = secondWords(commands, first).join(' ');
    const inside = `__fish_seen_subcommand_from ${first}`;
    const where = second === undefined ? inside : `${inside}; and __fish_seen_subcommand_from ${second}`;
    return [
      ...(second === undefined
        ? []
        : [
            `complete -c holdpoint -f -n '${inside}; and not __fish_seen_subcommand_from ${seconds}' -a ${second} -d ${quoted(summary)}`,
          ]),
      ...options.map((option) => `complete -c holdpoint -n '${where}' -l ${option.slice(2)}`),
    ];
  });
  return [...firsts, ...rest].join('\n');
}

/** For fish, which knows only these two escapes between single quotes. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (sign) => `\\${sign}`)}'`;
}
