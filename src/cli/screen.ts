/** What a terminal shows: colours where they are wanted, and text cut to columns. Whatever is shown was made visible before. */

import { columnsOf, textColumns } from './columns.ts';
import type { Environment } from './command.ts';
import { visible } from './print.ts';

const styles = { bold: 1, dim: 2, inverse: 7, red: 31, yellow: 33, cyan: 36 } as const;
export type Style = keyof typeof styles;
export type Paint = (style: Style, text: string) => string;

/** Paints where the output is a terminal that takes colours and https://no-color.org does not forbid it. */
export function paintFor(env: Environment, isTerminal: boolean): Paint {
  const isWanted = isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return (style, text) => (isWanted ? `\u001b[${styles[style]}m${text}\u001b[0m` : text);
}

/** Exactly `columns` wide: cut with an ellipsis or filled with spaces; nothing in it moves the cursor. */
export function cell(text: string, columns: number): string {
  const characters = [...visible(text)];
  const whole = textColumns(characters);
  if (whole <= columns) return characters.join('') + ' '.repeat(columns - whole);
  let out = '';
  let left = columns - 1;
  for (const character of characters) {
    left -= columnsOf(character);
    if (left < 0) break;
    out += character;
  }
  return cell(`${out}…`, columns);
}

/** The end of a text, in at most `columns`; everything in it is made visible. */
export function ending(text: string, columns: number): string {
  const characters = [...visible(text)];
  let first = characters.length;
  for (let left = columns; first > 0; first -= 1) {
    left -= columnsOf(characters[first - 1] ?? '');
    if (left < 0) break;
  }
  return characters.slice(first).join('');
}

/** The text in lines of at most `columns`, its own line breaks kept and everything else made visible. */
export function wrap(text: string, columns: number): string[] {
  return text.split('\n').flatMap((line) => {
    const rows: string[] = [];
    let row = '';
    let used = 0;
    for (const character of visible(line)) {
      const width = columnsOf(character);
      if (used + width > columns) {
        rows.push(row);
        row = '';
        used = 0;
      }
      row += character;
      used += width;
    }
    return [...rows, row];
  });
}
