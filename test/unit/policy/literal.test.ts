import { describe, expect, it } from 'vitest';
import { requiredLiteral } from '../../../src/policy/literal.ts';

describe('requiredLiteral', () => {
  it.each([
    ['-----BEGIN ([A-Z0-9]+ )*KEY-----', '-----BEGIN '],
    ['\\bAIza[A-Z]{3}', 'AIza'],
    ['abc{2,3}?d', 'ab'],
    ['abc+?de', 'ab'],
    ['foo\\.bar\\d', 'foo.bar'],
    ['[]abc]def', 'def'],
    ['(a|b)xy(c)z', 'xy'],
  ])('of %s is %j', (source, expected) => {
    expect(requiredLiteral(source)).toBe(expected);
  });

  it.each([
    'abc|def',
    '(?i)abc',
    '(?i:a)bc',
    '(x(?i)y)abc',
    'a',
    'a.b',
    '(abc)',
    '\\Qa|b\\E',
    'a\\x41bc',
    'ab\\pLcd',
    'ab(c',
    'é+abc',
  ])('of %s is not known', (source) => {
    expect(requiredLiteral(source)).toBe('');
  });
});
