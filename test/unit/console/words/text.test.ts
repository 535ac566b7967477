import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hidesCharacters,
  lookalikesIn,
  markedText,
  piecesOf,
  quotedText,
} from '../../../../src/console/words/text.ts';

describe('marks in recorded text', () => {
  it.each([
    ['\u202Etxt.exe', '⟨U+202E⟩txt.exe'],
    ['a\u200Bb', 'a⟨U+200B⟩b'],
    ['a\u0000b', 'a⟨U+0000⟩b'],
    ['a\u00A0b', 'a⟨U+00A0⟩b'],
    ['a\u3164b', 'a⟨U+3164⟩b'],
    ['tag \u{E0041}', 'tag ⟨U+E0041⟩'],
    ['half \uD800', 'half ⟨U+D800⟩'],
    ['e\u0301\u0301\u0301\u0301', 'e\u0301\u0301\u0301⟨U+0301⟩'],
    ['over\rwritten', 'over⟨U+000D⟩written'],
  ])('shows what %j hides', (text, shown) => {
    expect(markedText(text)).toBe(shown);
  });

  it.each(['plain', 'two\nlines\tand a tab', 'line\r\nends', 'Łódź, 東京, عربى', 'a heart ❤\uFE0F'])(
    'leaves %j as it is',
    (text) => {
      expect(markedText(text)).toBe(text);
      expect(hidesCharacters(text)).toBe(false);
    },
  );

  it.each([
    [`a${'\n'.repeat(9)}b`, 'a\n⟨8 empty lines⟩\nb'],
    [`a\r\n${' \t\r\n'.repeat(60)}b`, 'a\r\n⟨60 empty lines⟩\nb'],
    [`${'\n'.repeat(8)}b`, '⟨8 empty lines⟩\nb'],
    [`a${'\n'.repeat(9)}\u200b${'\n'.repeat(9)}`, 'a\n⟨8 empty lines⟩\n⟨U+200B⟩\n⟨8 empty lines⟩\n'],
    [`a${'\n'.repeat(8)}b`, `a${'\n'.repeat(8)}b`],
  ])('counts the empty lines of %j, where they are many', (text, shown) => {
    const pieces = piecesOf(text);
    expect(pieces.map((piece) => piece.text).join('')).toBe(shown);
    expect(pieces.filter(({ kind }) => kind === 'mark').length).toBe(shown.split('⟨').length - 1);
  });

  it.each([' '.repeat(200_000), `${'\n'.repeat(7)}x`.repeat(30_000), `\n${' '.repeat(5_000)}`.repeat(40)])(
    'reads much white space in good time',
    (text) => {
      const begun = performance.now();
      piecesOf(text);
      expect(performance.now() - begun).toBeLessThan(2_000);
    },
  );

  it('loses nothing of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const pieces = piecesOf(text);
        expect(pieces.map((piece) => piece.text).join('')).toBe(markedText(text));
        expect(pieces.every((piece) => piece.kind === 'mark' || text.includes(piece.text))).toBe(true);
      }),
    );
  });

  it('keeps a text of nothing but marks cheap to draw, and whole', () => {
    const pieces = piecesOf('\u200B'.repeat(50_000));
    expect(pieces.length).toBeLessThan(5000);
    expect(pieces.map(({ text }) => text).join('')).toBe('⟨U+200B⟩'.repeat(50_000));
  });

  it('quotes any text so that nothing is hidden and JSON reads it back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(quotedText(text))).toBe(text);
        expect(hidesCharacters(quotedText(text))).toBe(false);
      }),
    );
  });
});

describe('letters that look like others', () => {
  it.each(['p\u0430ypal', 'ｐaypal', '\u{1D429}ay', 'Αdmin'])('finds %s', (word) => {
    expect(lookalikesIn(`pay ${word} now`)).toEqual([word]);
  });

  it.each(['\u0430\u0440\u0440\u04cf\u0435', '\u0420\u0410\u0423', '\u0440\u0430\u04431', '\u039f\u039a'])(
    'finds %s, of another alphabet whole',
    (word) => {
      expect(lookalikesIn(`pay ${word} now`)).toEqual([word]);
    },
  );

  it.each(['%s.com', 'sales@%s', 'http://%s/'])(
    'finds a word of such letters as %s, in Russian too',
    (address) => {
      const word = '\u0430\u0440\u0440\u04cf\u0435';
      expect(lookalikesIn(`Москва ${address.replace('%s', word)}`)).toEqual([word]);
    },
  );

  it('is silent about a word of Russian, and about single letters', () => {
    expect(lookalikesIn('Москва: сухо, ура. Оса – с ухо')).toEqual([]);
    expect(lookalikesIn('plan \u0421, 5\u0445')).toEqual([]);
  });

  it.each(['paypal', 'Москва', 'naïve café', 'Ελλάδα', '東京'])('is silent about %s', (word) => {
    expect(lookalikesIn(word)).toEqual([]);
  });
});
