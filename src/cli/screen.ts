/** What a terminal shows: colours where they are wanted, and text cut to columns. Whatever is shown was made visible before. */
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

/** Of the first plane: Hangul, CJK and emoji take two columns. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const selectsEmoji = '\uFE0F';

/** Never less than a terminal takes, so that nothing stands beyond the margin: all of the further planes count two. */
function columnsOf(character: string): number {
  if (character.length > 1) return 2;
  // It makes the sign before it wide.
  if (character === selectsEmoji) return 1;
  if (/[\p{Mn}\p{Me}]/u.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Exactly `columns` wide: cut with an ellipsis or filled with spaces; nothing in it moves the cursor. */
export function cell(text: string, columns: number): string {
  const characters = [...visible(text)];
  const whole = characters.reduce((sum, character) => sum + columnsOf(character), 0);
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
