/** Hostile text on a terminal. */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { printTable, safeJson, shortened, visible, visibleLines } from '../../../src/cli/print.ts';

/** What moves the cursor, hides or reorders. */
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

describe('visible', () => {
  it.each([
    ['\u001b[2J', '<U+001B>[2J'],
    ['\u009b31m', '<U+009B>31m'],
    ['a\nb\r\tc', 'a<U+000A>b<U+000D><U+0009>c'],
    ['\u202egnp.exe', '<U+202E>gnp.exe'],
    ['\u2066x\u2069', '<U+2066>x<U+2069>'],
    ['pay\u200bpal', 'pay<U+200B>pal'],
    ['\u2028\u2029', '<U+2028><U+2029>'],
    ['\u{e0041}', '<U+E0041>'],
    ['ig\u034fno\ufe01re\u{e0101}', 'ig<U+034F>no<U+FE01>re<U+E0101>'],
    ['\u3164\uffa0\u2800', '<U+3164><U+FFA0><U+2800>'],
    ['10\u00a0000\u3000EUR', '10<U+00A0>000<U+3000>EUR'],
    ['\ue000\u0378', '<U+E000><U+0378>'],
    [`a${'\u0301'.repeat(4)}`, `a${'\u0301'.repeat(3)}<U+0301>`],
    ['é 😀 ❤\ufe0f 日本', 'é 😀 ❤\ufe0f 日本'],
  ])('shows %j as %j', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('leaves nothing that a terminal obeys in any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !obeyed.test(visible(text))));
  });

  it('keeps line breaks where lines are wanted, and no other', () => {
    expect(visibleLines('a\nb\r\nc\u2028d')).toBe('a\nb<U+000D>\nc<U+2028>d');
  });
});

describe('shortened', () => {
  it.each([
    ['as long as it may be', 20, 'as long as it may be'],
    ['as long as it may be', 19, 'as long as it may…'],
    ['😀😀😀', 2, '😀…'],
    ['', 5, ''],
  ])('%j to %i is %j', (text, characters, shown) => {
    expect(shortened(text, characters)).toBe(shown);
  });
});

describe('a table', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });
  function printed(rows: readonly (readonly string[])[]): string {
    const written: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    printTable(['ID', 'BY'], rows, 'None stands.');
    return written.join('');
  }

  it('has its columns aligned, and what a terminal would obey made visible', () => {
    expect(
      printed([
        ['l-1', 'petra'],
        ['l-22', '\u001b[2J'],
      ]),
    ).toBe('ID    BY\nl-1   petra\nl-22  <U+001B>[2J\n');
  });

  it('has its columns aligned where signs are two columns wide or none', () => {
    expect(
      printed([
        ['漢字', 'petra'],
        ['e\u0301', 'paul'],
      ]),
    ).toBe('ID    BY\n漢字  petra\ne\u0301     paul\n');
  });

  it('without a row says so, and shows no heads', () => {
    expect(printed([])).toBe('None stands.\n');
  });
});

describe('safeJson', () => {
  it('is the same value to a program and harmless on a terminal', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        for (const indent of [undefined, 2]) {
          const text = safeJson(value, indent);
          expect(text.replaceAll('\n', '')).not.toMatch(obeyed);
          expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(value));
        }
      }),
    );
  });

  it('keeps letters as letters', () => {
    expect(safeJson({ a: 'é 😀' })).toBe('{"a":"é 😀"}');
  });
});
