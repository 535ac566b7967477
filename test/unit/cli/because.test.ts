import { expect, test } from 'vitest';
import { becauseLines } from '../../../src/cli/because.ts';

const rule = { id: 'r', title: 'R', when: 'true', error: '' };

test('each part that was true is a line with what it was true of, and no value breaks it', () => {
  const because = [
    { expression: 'num(c.arguments.amount) > 10000.0', values: [{ value: '25000' }] },
    { expression: 'c.a == c.b', values: [{ value: 'one\ntwo' }, { value: 'x\u202e' }] },
    { expression: '!has(c.arguments.memo)', values: [] },
  ];
  expect(becauseLines({ ...rule, because })).toEqual([
    'because num(c.arguments.amount) > 10000.0: 25000',
    'because c.a == c.b: one<U+000A>two, x<U+202E>',
    'because !has(c.arguments.memo)',
  ]);
});

test('a rule that failed says how, and nothing that was true', () => {
  const because = [{ expression: 'c.a == 1', values: [] }];
  expect(becauseLines({ ...rule, error: 'no such key: a', because })).toEqual(['it failed: no such key: a']);
});

test('a sidecar that does not tell leaves none', () => {
  expect(becauseLines(rule)).toEqual([]);
});
