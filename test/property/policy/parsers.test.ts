import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { addPattern, noPatterns, num, re2, words } from '../../../src/policy/functions.ts';
import { neededLiterals } from '../../../src/policy/literal.ts';
import { createLiteralScan } from '../../../src/policy/literal-scan.ts';
import { policyText } from '../../unit/policy/support.ts';

const piece = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'ab',
    'k',
    's',
    'sk',
    '-',
    '\\.',
    '\\b',
    '\\d',
    '.',
    '[ab]',
    '[^a]',
    '[]a]',
    '(a|b)',
    '(?:ab)',
    '(ab|ba)',
    '(?:ab|a1)',
    '(ab|b)',
    '(ab|)',
    '(?i)',
    '(?i:a)',
    '|',
    '^',
    '$',
    ' ',
  ),
  fc.constantFrom(
    'a?',
    'b*',
    'a+',
    'b{0}',
    'a{2}',
    'b{0,2}',
    'a??',
    'a{,2}',
    'a{b',
    '{',
    '}',
    ']',
    '\\Qa\\E',
    '\\x61',
    '\\pL',
    '(',
    ')',
    '[[:alpha:]]',
  ),
);
const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
const subject = fc
  .array(fc.constantFrom('a', 'b', 'A', 'B', '-', '.', ' ', '1', '{', '}', ',', '2', ']'), { maxLength: 10 })
  .map((chars) => chars.join(''));

const anyCase = fc.constantFrom('', '(?i)');

describe('what a pattern needs', () => {
  const folded = (text: string, isAnyCase: boolean): string => (isAnyCase ? text.toLowerCase() : text);

  it('is in every text that the pattern matches', () => {
    fc.assert(
      fc.property(
        anyCase,
        pattern,
        fc.array(subject, { minLength: 5, maxLength: 5 }),
        (flag, written, texts) => {
          const source = flag + written;
          const compiled = compiledOf(source);
          const { literals, anyCase: isAnyCase } = neededLiterals(source);
          if (compiled === null || literals.length === 0) return;
          for (const text of texts.filter((each) => compiled.test(each))) {
            const read = folded(text, isAnyCase);
            expect(literals.some((literal) => read.includes(folded(literal, isAnyCase)))).toBe(true);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('keeps no match from re2, whatever else rules ask for', () => {
    const sources = fc.array(
      fc.tuple(anyCase, pattern).map(([flag, written]) => flag + written),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    // In any case, these two are letters of ASCII.
    const odd = subject.map((text) => text.replaceAll('1', '\u212a').replaceAll('2', '\u017f'));
    fc.assert(
      fc.property(sources, fc.oneof(subject, odd), (written, text) => {
        const patterns = noPatterns();
        const compiled = new Map(written.map((source) => [source, compiledOf(source)]));
        const known = [...compiled].filter((each): each is [string, RE2JS] => each[1] !== null);
        for (const [source] of known) addPattern(patterns, source, false);
        for (const [source, engine] of known)
          expect([source, re2(patterns, text, source)]).toEqual([source, engine.test(text)]);
      }),
      { numRuns: 3_000 },
    );
  });
});

function compiledOf(source: string): RE2JS | null {
  try {
    return RE2JS.compile(source);
  } catch {
    return null;
  }
}

describe('a scan for literals', () => {
  it('finds those that the text contains, and no others', () => {
    const letters = (maxLength: number) =>
      fc
        .array(fc.constantFrom('a', 'b', '-', '.', '\u00e9'), { minLength: 1, maxLength })
        .map((all) => all.join(''));
    fc.assert(
      fc.property(fc.array(letters(4), { minLength: 1, maxLength: 16 }), letters(40), (literals, text) => {
        const scan = createLiteralScan();
        for (const literal of literals) scan.add(literal);
        for (const literal of literals)
          expect(scan.containsOneOf(text, [literal])).toBe(text.includes(literal));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('num', () => {
  it('gives a finite number or fails, whatever it is handed', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        try {
          expect(Number.isFinite(num(value))).toBe(true);
        } catch (error) {
          expect(String(error)).toContain('num() takes');
        }
      }),
    );
  });
});

describe('words', () => {
  it('gives lower-case words and namespaces, one space apart, for any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (name) => {
        expect(words(name)).toMatch(/^$|^[^\sA-Z]+( [^\sA-Z]+)*$/);
      }),
    );
  });
});

describe('loadPolicy', () => {
  const whole = policyText('response.text == "yes"');

  it('loads or raises policy_invalid on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(outcome(text)).toBe('refused');
      }),
    );
  });

  it('loads or raises policy_invalid on a damaged policy', () => {
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(8), fc.string({ maxLength: 4 }), (at, length, inserted) => {
        expect(['loaded', 'refused']).toContain(
          outcome(whole.slice(0, at) + inserted + whole.slice(at + length)),
        );
      }),
    );
  });

  it('loads or raises policy_invalid on any expression', () => {
    const token = fc.constantFrom(
      ...[
        'request',
        '.text',
        '.model',
        'response',
        '.toolCalls',
        '[0]',
        '.exists(c, ',
        '.map(c, ',
        ')',
        '(',
        '"a"',
        '1',
        '1.0',
      ],
      ...[
        '==',
        '&&',
        '||',
        '!',
        '+',
        '/',
        'labels',
        're2(',
        ', ',
        'num(',
        'words(',
        'has(',
        'c',
        '.arguments',
        '?',
        ':',
        '[',
        ']',
        '{',
        '}',
      ],
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        expect(['loaded', 'refused']).toContain(outcome(policyText(tokens.join(' ') || ' ')));
      }),
      { numRuns: 300 },
    );
  });
});

function outcome(text: string): 'loaded' | 'refused' {
  try {
    loadPolicy('policy.yaml', text);
    return 'loaded';
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'policy_invalid') return 'refused';
    throw error;
  }
}
