/** Output for people and for programs. What was recorded is hostile text: control characters are made visible. */
import { refusalOf } from '../core/errors.ts';
import { textColumns } from './columns.ts';
import { exitCodes } from './command.ts';

let readerGone = false;
let mayBeLost = false;

/**
 * Survives a reader that leaves early (`| head`): what follows is not written, and the command ends as it would
 * have, with its own exit code and no stack.
 */
export function tolerateClosedOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && !mayBeLost) leaveUnwritten(error);
    readerGone = true;
  });
  // Where messages cannot be written either, nobody is left to tell.
  process.stderr.on('error', () => undefined);
}

/** For a command whose work is another than its output: it goes on where nothing of that can be written. */
export function outputMayBeLost(): void {
  mayBeLost = true;
}

/** A file that is cut off looks whole to whoever reads it, and exit 1 would be a finding: neither is left to guess. */
function leaveUnwritten(error: Error): never {
  process.stderr.write(
    `holdpoint: The output cannot be written: ${refusalOf(error)}. What is there of it is not whole.\n`,
  );
  process.exit(exitCodes.usage);
}

/** True once nobody reads the output; long listings stop then. */
export function outputIsGone(): boolean {
  return readerGone;
}

export function printLine(text: string): void {
  if (!readerGone) process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  printLine(safeJson(value, 2));
}

/** JSON with everything that a terminal would obey as escapes: the same value to a program. */
export function safeJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent) ?? 'null';
  return text.replace(/[^\n\P{C}]|[\p{Zl}\p{Zp}]/gu, (character) => escaped(character));
}

/** As JSON escapes it, surrogates apart. */
function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
    .join('');
}

/**
 * What moves, hides or reorders text, or is not seen at all: controls, formats (bidirectional, zero-width), code points
 * without a letter, line and paragraph separators, selectors and fillers, spaces other than the usual one, and a fourth and
 * further combining sign, which would cover the rows above. The selector that follows a pictograph stays.
 */
const unsafe =
  /(?!(?<=\p{Extended_Pictographic})\uFE0F)(?:[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}|(?<=\p{M}{3})\p{M})/gu;

/** The text with every character that could move the cursor, hide or reorder text shown as its code point. */
export function visible(text: string): string {
  return text.replace(
    unsafe,
    (character) => `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`,
  );
}

/** As `visible`, keeping line breaks. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** The text, or its begin and an ellipsis where it has more than `charactersMax` characters. */
export function shortened(text: string, charactersMax: number): string {
  const characters = [...text];
  if (characters.length <= charactersMax) return text;
  return `${characters
    .slice(0, charactersMax - 1)
    .join('')
    .trimEnd()}…`;
}

/** Aligned columns, or where there is no row what is said then; cells are made visible here. */
export function printTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): void {
  if (rows.length === 0) {
    printLine(none);
    return;
  }
  const cells = [head, ...rows.map((row) => row.map(visible))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => textColumns(row[column] ?? ''))));
  for (const row of cells)
    printLine(
      row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - textColumns(cell)))
        .join('  ')
        .trimEnd(),
    );
}

/** What is left or past, at a glance: `40s`, `12m5s`, `3h20m`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  return seconds < 3600
    ? `${Math.floor(seconds / 60)}m${seconds % 60}s`
    : `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`;
}
