/**
 * Recorded text is hostile: it may hide characters, turn the reading direction or borrow letters of another
 * alphabet. This splits a text into what can be seen and what must be shown as a mark, such as ⟨U+202E⟩. Pure.
 */

export interface TextPiece {
  readonly kind: 'plain' | 'mark';
  readonly text: string;
}

/**
 * Everything without a shape of its own: controls, formats, unassigned and private code points, halves of
 * surrogate pairs, spaces other than the usual one, fillers, and a fourth and further combining sign. Kept as they
 * are: line feed, tab, a carriage return before a line feed, and the selector that follows a pictograph.
 */
const unseen =
  /(?![\n\t]|\r\n|(?<=\p{Extended_Pictographic})\uFE0F)(?:[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}|(?<=\p{M}{3})\p{M})/gu;

/** From here on marks are written into the plain text, so that a text of nothing but marks stays cheap to draw. */
const piecesMax = 4000;

/** The text in pieces, in order; joined, with marks undone, they are the text. */
export function piecesOf(text: string): readonly TextPiece[] {
  const pieces: TextPiece[] = [];
  let at = 0;
  for (const match of text.matchAll(unseen)) {
    if (pieces.length >= piecesMax) {
      pieces.push({ kind: 'plain', text: text.slice(at).replace(unseen, markOf) });
      return pieces;
    }
    if (match.index > at) pieces.push({ kind: 'plain', text: text.slice(at, match.index) });
    pieces.push({ kind: 'mark', text: markOf(match[0]) });
    at = match.index + match[0].length;
  }
  if (at < text.length) pieces.push({ kind: 'plain', text: text.slice(at) });
  return pieces;
}

/** The text with marks in place, for a title, a label or a print-out. */
export function markedText(text: string): string {
  return text.replace(unseen, markOf);
}

/** True when the text hides something. */
export function hidesCharacters(text: string): boolean {
  return text.search(unseen) >= 0;
}

/** The text as JSON spells it, with nothing hidden: `\u202e` for what has no shape. Reads back as the same text. */
export function quotedText(text: string): string {
  return JSON.stringify(text).replace(unseen, (char) =>
    Array.from({ length: char.length }, (_, i) => `\\u${hex(char.charCodeAt(i)).toLowerCase()}`).join(''),
  );
}

function markOf(char: string): string {
  return `⟨U+${hex(char.codePointAt(0) ?? 0)}⟩`;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}

const lookalikesMax = 5;

/** Words that mix Latin with letters that look like Latin, or use letters that stand for plain ones. */
export function lookalikesIn(text: string): readonly string[] {
  const found = new Set<string>();
  for (const [word] of text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    if (isAscii(word) || !(mixesAlphabets(word) || standsForPlain(word))) continue;
    found.add(word);
    if (found.size >= lookalikesMax) break;
  }
  return [...found];
}

function isAscii(word: string): boolean {
  return /^[\x20-\x7e]*$/.test(word);
}

function mixesAlphabets(word: string): boolean {
  return (
    /\p{Script=Latin}/u.test(word) &&
    /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u.test(word)
  );
}

/** Full-width, mathematical and similar forms of ASCII letters and digits. */
function standsForPlain(word: string): boolean {
  return isAscii(word.normalize('NFKC'));
}
