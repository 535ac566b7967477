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

/** Lines that push what follows out of sight, as soon as there are more than anybody writes: they are counted instead. */
const emptyLines = /(?<=\n|^)(?:[ \t]*\r?\n){8,}/;
const marked = new RegExp(`${emptyLines.source}|${unseen.source}`, unseen.flags);

/** The text in pieces, in order; joined, with marks undone, they are the text. */
export function piecesOf(text: string): readonly TextPiece[] {
  const pieces: TextPiece[] = [];
  let at = 0;
  for (const match of text.matchAll(marked)) {
    if (pieces.length >= piecesMax) {
      pieces.push({ kind: 'plain', text: text.slice(at).replace(unseen, markOf) });
      return pieces;
    }
    if (match.index > at) pieces.push({ kind: 'plain', text: text.slice(at, match.index) });
    const lines = match[0].split('\n').length - 1;
    pieces.push({ kind: 'mark', text: lines > 0 ? `⟨${lines} empty lines⟩` : markOf(match[0]) });
    // The last of their line feeds stays: what follows begins a line.
    at = match.index + match[0].length - (lines > 0 ? 1 : 0);
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

/**
 * Words that mix Latin with letters that look like Latin, that use letters that stand for plain ones, or of which every
 * letter is of another alphabet and looks Latin.
 */
export function lookalikesIn(text: string): readonly string[] {
  const found = new Set<string>();
  const isOfThatAlphabet = notLikeLatin.test(text);
  for (const { 0: word, index } of text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    if (isAscii(word)) continue;
    // A word of Russian can look so; among others that do not, it is one, but for a part of an address.
    const isDisguised =
      likeLatin.test(word) && (!isOfThatAlphabet || isPartOfLatin(text, index, word.length));
    if (!isDisguised && !mixesAlphabets(word) && !standsForPlain(word)) continue;
    found.add(word);
    if (found.size >= lookalikesMax) break;
  }
  return [...found];
}

/** Cyrillic, then Greek letters that look like Latin ones (Unicode's confusables). */
const lookLatin = 'асԁеһіјӏорԛѕуԝхѵАВЕЅІЈКМНОРСТУХԌԚԜοανρυικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ';
const likeLatin = new RegExp(`^(?=.*[${lookLatin}]{2})[${lookLatin}\\p{N}]+$`, 'u');
const notLikeLatin = new RegExp(`(?![${lookLatin}])[\\p{Script=Cyrillic}\\p{Script=Greek}]`, 'u');

/** As in `name.com`, `name@host` and `https://host`. */
function isPartOfLatin(text: string, index: number, length: number): boolean {
  const before = text.slice(Math.max(0, index - 4), index);
  const after = text.slice(index + length, index + length + 4);
  return /[a-z\d][-.@_/:]{1,3}$/i.test(before) || /^[-.@_/:]{1,3}[a-z\d]/i.test(after);
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
