import { describe, expect, it } from 'vitest';
import { requiredLiterals } from '../../../src/policy/literal.ts';

describe('requiredLiterals', () => {
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
    ['abc{b}', ['abc']],
    ['abc{,2}d', [',2}d']],
  ])('of %s is %j', (source, expected) => {
    expect(requiredLiterals(source)).toEqual(expected);
  });

  it.each([
    'abc|def',
    '[[:alpha:]x]abc',
    '(?i)abc',
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
    expect(requiredLiterals(source)).toEqual([]);
  });

  it('takes so many ways to write a run as one pass can look for, and ends it there', () => {
    expect(requiredLiterals(`${'(a|b)'.repeat(5)}(cd|ef)`)).toHaveLength(32);
    expect(requiredLiterals(`(a|b)(cde|fgh)${'(a|b)'.repeat(4)}x`)).toHaveLength(32);
  });
});
