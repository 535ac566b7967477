/** Draws recorded text: text nodes only, what hides shown as a mark, nothing live. */
import { type ComponentChild, h } from 'preact';
import { lookalikesIn, markedText, piecesOf } from '../words/text.ts';

interface RecordedProps {
  readonly text: string;
  /** The element; a span otherwise. */
  readonly as?: 'span' | 'strong';
  readonly class?: string;
}

/** A recorded text, whole. It cannot turn the direction of what stands around it. */
export function Recorded({ text, as = 'span', class: place = '' }: RecordedProps): ComponentChild {
  const pieces = piecesOf(text);
  return h(
    as,
    { class: place === '' ? 'recorded' : `recorded ${place}`, dir: 'auto' },
    pieces.map(({ kind, text: piece }) =>
      kind === 'plain' ? piece : h('mark', { class: 'hidden-char' }, piece),
    ),
  );
}

/** Says so when words of the text are not the letters they look like. */
export function LookalikeNote({ text }: { readonly text: string }): ComponentChild {
  const words = lookalikesIn(text);
  if (words.length === 0) return null;
  return h('p', { class: 'note' }, [
    h('strong', null, 'Letters that look like others: '),
    words.map((word, i) => [
      i === 0 ? '' : ', ',
      h('code', null, `${markedText(word)} (${spelledOut(word)})`),
    ]),
  ]);
}

/** The characters of a word that are not ASCII, by their code points. */
function spelledOut(word: string): string {
  const codes = [...word].filter((char) => char > '\u007f').map((char) => char.codePointAt(0) ?? 0);
  return codes.map((code) => `U+${code.toString(16).toUpperCase().padStart(4, '0')}`).join(' ');
}
