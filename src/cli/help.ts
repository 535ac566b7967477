/** What --help prints: all commands in a line or two each, a family's or one command's with their options. Pure. */
import type { Command } from './command.ts';

const nameWidthMax = 22;
const optionIndent = 6;

const footer: readonly string[] = [
  'holdpoint COMMAND --help shows the options, holdpoint --version the version. Everything that prints data takes --json.',
  'Commands that name --config FILE (config/holdpoint.yaml when absent) work on local state; those that ask a running sidecar take --url and --token, or HOLDPOINT_URL and HOLDPOINT_TOKEN.',
  'Exit codes: 0 ok, 1 a finding, 2 usage or configuration, 3 cannot reach the sidecar.',
];

/** The help for `shown`, no wider than `columns` where words allow it. */
export function helpText(shown: readonly Command[], withOptions: boolean, columns: number): string {
  const blocks = shown.map((command) =>
    withOptions ? withUsage(command, columns) : inOneLine(command, columns),
  );
  const end = footer.map((text) => `${wrapped(text.split(' '), 0, columns)}\n`).join('');
  return `usage: holdpoint <command>\n\n${blocks.join(withOptions ? '\n\n' : '\n')}\n\n${end}`;
}

function inOneLine({ name, summary }: Command, columns: number): string {
  const indent = nameWidthMax + 4;
  return `  ${name.padEnd(nameWidthMax)}  ${wrapped(summary.split(' '), indent, columns)}`;
}

function withUsage({ name, usage, summary }: Command, columns: number): string {
  const indent = ' '.repeat(optionIndent);
  const order = wrapped(partsOf(`${name} ${usage}`), optionIndent, columns, 2);
  return `  ${order}\n${indent}${wrapped(summary.split(' '), optionIndent, columns)}`;
}

/** What stands in brackets stays together. */
function partsOf(usage: string): readonly string[] {
  return usage.trim().match(/\[[^\]]*\]\S*|\S+/g) ?? [];
}

/** `words` in lines: the first begins at column `begin`, the others are indented. */
function wrapped(words: readonly string[], indent: number, columns: number, begin = indent): string {
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const start = lines.length === 0 ? begin : indent;
    if (line !== '' && start + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}
