import { describe, expect, it } from 'vitest';
import { neededLiterals } from '../../../src/policy/literal.ts';

const literalsOf = (source: string): readonly string[] => neededLiterals(source).literals;

describe('what a pattern needs', () => {
  it.each([
    ['-----BEGIN ([A-Z0-9]+ )*KEY-----', ['-----BEGIN ']],
    ['\\bAIza[A-Z]{3}', ['AIza']],
    ['abc{2,3}?d', ['ab']],
    ['abc+?de', ['ab']],
    ['foo\\.bar\\d', ['foo.bar']],
    ['[]abc]def', ['def']],
    ['(a|b)xy(c)z', ['axycz', 'bxycz']],
    ['(gh|gl)(p|o)_', ['ghp_', 'gho_', 'glp_', 'glo_']],
    ['\\b(redis|amqp)://', ['redis://', 'amqp://']],
    ['ab(c|d)?e', ['ab']],
    ['\\b(ghp_|gho_)[A-Z]{3}', ['ghp_', 'gho_']],
    ['(?:ab|c)def', ['abdef', 'cdef']],
    ['(abc|de)?f(xy)', ['fxy']],
    ['(abc)+xy', ['xy']],
    ['abc|de(f|g)', ['abc', 'def', 'deg']],
    ['(?i)abc|de', ['abc', 'de']],
    ['abc{b}', ['abc']],
    ['abc{,2}d', [',2}d']],
  ])('of %s is %j', (source, expected) => {
    expect(literalsOf(source)).toEqual(expected);
  });

  it.each([
    'abc|d',
    'abc|',
    '[[:alpha:]x]abc',
    'x(?i)abc',
    '(?is)abc',
    '(ab|ba)c{d|}',
    '(?i:a)bc',
    '(x(?i)y)abc',
    'a',
    'a.b',
    '(abc|d)',
    '\\Qa|b\\E',
    'a\\x41bc',
    'ab\\pLcd',
    'ab(c',
    'é+abc',
  ])('of %s is not known', (source) => {
    expect(literalsOf(source)).toEqual([]);
  });

  it('takes so many ways to write a run as one pass can look for, and ends it there', () => {
    expect(literalsOf(`${'(a|b)'.repeat(5)}(cd|ef)`)).toHaveLength(32);
    expect(literalsOf(`(a|b)(cde|fgh)${'(a|b)'.repeat(4)}x`)).toHaveLength(32);
  });

  it('is needed in any case where the pattern says so of all of it', () => {
    expect(neededLiterals('(?i)abc|de').anyCase).toBe(true);
    expect(neededLiterals('abc|de').anyCase).toBe(false);
  });
});
