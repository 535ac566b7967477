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

  it.each(['paypal', 'Москва', 'naïve café', 'Ελλάδα', '東京'])('is silent about %s', (word) => {
    expect(lookalikesIn(word)).toEqual([]);
  });
});
