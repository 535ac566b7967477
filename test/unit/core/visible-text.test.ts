import { expect, it } from 'vitest';
import { saysSomething } from '../../../src/core/visible-text.ts';

it.each(['no', '?', '７', 'нет', '好', '👍', '\u200bno\u200b'])('%j says something', (text) => {
  expect(saysSomething(text)).toBe(true);
});

it.each([
  '',
  ' \n\t',
  '\u00a0\u3000\u2028',
  '\u200b\u200d\ufeff',
  '\u00ad',
  '\u0000\u001b',
  '\u3164',
  '\u202e',
])('%j says nothing', (text) => {
  expect(saysSomething(text)).toBe(false);
});
