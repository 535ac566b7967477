/** How many columns of a terminal a text takes. */

/** Of the first plane: Hangul, CJK, their brackets, the signs of the I Ching and emoji take two columns (UAX 11). */
const wide =
  /[\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const selectsEmoji = '\uFE0F';

/** Never less than a terminal takes, so that nothing stands beyond the margin: all of the further planes count two. */
export function columnsOf(character: string): number {
  if (character.length > 1) return 2;
  if (character <= '~') return 1;
  // It makes the sign before it wide.
  if (character === selectsEmoji) return 1;
  if (/[\p{Mn}\p{Me}]/u.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** @param characters those of a text, of which each is whole */
export function textColumns(characters: Iterable<string>): number {
  let columns = 0;
  for (const character of characters) columns += columnsOf(character);
  return columns;
}
