import { describe, expect, it, vi } from 'vitest';
import {
  addPattern,
  noPatterns,
  num,
  type Patterns,
  patternCharsMax,
  re2,
  texts,
  words,
} from '../../../src/policy/functions.ts';

describe('num', () => {
  it.each([
    [25000, 25000],
    [-0.5, -0.5],
    ['25000', 25000],
    ['25000.50', 25000.5],
    ['-3', -3],
    ['007', 7],
  ])('reads %j as %d', (value, expected) => {
    expect(num(value)).toBe(expected);
  });

  it('reads a CEL integer', () => {
    expect(num(7n)).toBe(7);
  });

  it.each([
    ...['25,000', '25.000,00', '', ' ', ' 5', '5 ', '+5', '5.', '.5', '1e5', '1e999', '0x10', '0b1', '1_000'],
    ...['NaN', 'Infinity', '-Infinity', '€5', '5 EUR', '٣', 'five', '5\nfive', '1'.repeat(41)],
    ...[Number.NaN, Number.POSITIVE_INFINITY, null, undefined, true, false, [], [5], {}, { amount: 5 }],
  ])('fails on %j', (value) => {
    expect(() => num(value)).toThrow(/num\(\) takes a number or a plain decimal text/);
  });
});

describe('words', () => {
  it.each([
    ['transfer_funds', 'transfer funds'],
    ['transferFunds', 'transfer funds'],
    ['TransferFunds', 'transfer funds'],
    ['transfer-funds', 'transfer funds'],
    ['TRANSFER_FUNDS', 'transfer funds'],
    ['transfer funds', 'transfer funds'],
    ['stripe.create_transfer', 'stripe / create transfer'],
    ['mcp__bank__transferFunds', 'mcp / bank / transfer funds'],
    ['ecs/services/update', 'ecs / services / update'],
    ['Bank::Transfer', 'bank / transfer'],
    ['Bank\\Transfer', 'bank / transfer'],
    ['v2Transfer', 'v2 transfer'],
    ['getHTTPResponse', 'get http response'],
    ['sendEMail', 'send e mail'],
    ['computer_20250124', 'computer 20250124'],
    ['überweisen', 'überweisen'],
    ['__proto__', '/ proto /'],
    ['', ''],
  ])('%j -> %j', (name, expected) => {
    expect(words(name)).toBe(expected);
  });

  it('fails for what is longer than any name, so that the rule holds', () => {
    expect(words('a.'.repeat(2_048))).toContain('a / a');
    expect(() => words('a'.repeat(4_097))).toThrow('words() takes at most 4096 characters');
  });

  it('says the same of a name however often it is asked', () => {
    expect([words('payInvoice'), words('payInvoice')]).toEqual(['pay invoice', 'pay invoice']);
  });
});

describe('texts', () => {
  it('finds every text at any depth and no key', () => {
    const found = texts({ a: 'one', b: [{ c: 'two' }, 3, null, ['three']] }).split('\n');
    expect(found.sort()).toEqual(['one', 'three', 'two']);
  });

  it('is the text itself for a text, and empty for what holds none', () => {
    expect([texts('x'), texts(5), texts(null), texts([])]).toEqual(['x', '', '', '']);
  });
});

describe('texts of very much', () => {
  it('fails, however little each of them has', () => {
    const half = 'x'.repeat(4_500_000);
    expect(() => texts([half, half])).toThrow('texts() takes at most 8388608 characters');
    expect(texts([half])).toBe(half);
  });
});

describe('re2', () => {
  const patterns = (source: string, ofNames = false): Patterns => {
    const made = noPatterns();
    addPattern(made, source, ofNames);
    return made;
  };

  it('finds a pattern anywhere in the text', () => {
    expect(re2(patterns('b+c'), 'abbcd', 'b+c')).toBe(true);
    expect(re2(patterns('b+c'), 'abbd', 'b+c')).toBe(false);
  });

  it.each([
    ['in small letters', 'ask mr. kelvin'],
    ['in capitals', 'ASK MR. KELVIN'],
    ['with letters that are ASCII’s only in another case', 'a\u017fk mr. \u212aelvin'],
  ])('finds a pattern without regard to case %s', (_, text) => {
    expect(re2(patterns('(?i)ask.+kelvin'), text, '(?i)ask.+kelvin')).toBe(true);
  });

  it('remembers of a name what it said the first time', () => {
    const made = patterns('^get', true);
    expect([1, 2].map(() => re2(made, 'get_x', '^get'))).toEqual([true, true]);
    expect([1, 2].map(() => re2(made, 'set_x', '^get'))).toEqual([false, false]);
  });

  it('is worked out once for a name, and each time for any other text, even when the pattern is also asked of names', () => {
    const made = patterns('^x', true);
    const compiled = made.bySource.get('^x')?.compiled;
    if (compiled === undefined) throw new Error('there is a pattern');
    const test = vi.spyOn(compiled, 'test');
    expect([1, 2].map(() => re2(made, 'x_get', '^x'))).toEqual([true, true]);
    expect(test).toHaveBeenCalledTimes(1);
    addPattern(made, '^x', false);
    expect([1, 2].map(() => re2(made, 'x_get', '^x'))).toEqual([true, true]);
    expect(test).toHaveBeenCalledTimes(3);
    addPattern(made, '^x', true);
    re2(made, 'x_get', '^x');
    expect(test).toHaveBeenCalledTimes(4);
  });

  it('refuses a pattern it was not given when the policy loaded', () => {
    expect(() => re2(noPatterns(), 'a', 'a')).toThrow(/literal/);
  });

  it.each([
    ['longer than its bound', 'a'.repeat(patternCharsMax + 1)],
    ['that is repeated beyond what RE2 takes', '((\\pL{100}){100}){10}'],
    ['that grows beyond its bound, though each repetition in it is within RE2’s', 'a{999}'.repeat(30)],
    ['that looks ahead', '(?=a)'],
    ['with a back reference', '(a)\\1'],
    ['that does not close', 'a('],
  ])('refuses a pattern %s', (_, source) => {
    expect(() => patterns(source)).toThrow();
  });

  it.each([
    ['(a+)+$', `${'a'.repeat(50_000)}b`],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(50_000)],
    ['(a|aa)+$', `${'a'.repeat(50_000)}b`],
    ['(.*)*x', 'y'.repeat(50_000)],
  ])('decides %s on a hostile text without backtracking', (source, text) => {
    const made = patterns(source);
    const startMs = performance.now();
    expect(re2(made, text, source)).toBe(false);
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });
});
