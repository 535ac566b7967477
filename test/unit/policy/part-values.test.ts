/** What a part of a rule that was true read: in short, and where that stands. */
import { expect, it, test } from 'vitest';
import type { Facts } from '../../../src/core/facts.ts';
import { expressionCompiler } from '../../../src/policy/expression.ts';
import { valueCharsMax } from '../../../src/policy/part-values.ts';
import { trueParts } from '../../../src/policy/true-parts.ts';
import { call, facts } from './support.ts';

const valuesOf = (when: string, given: Facts) =>
  trueParts(expressionCompiler()('response', when), given).flatMap(({ values }) => values);
const placesOf = (when: string, given: Facts) => valuesOf(when, given).map(({ path }) => path);

const given = facts(
  {
    text: 'Done.',
    finishReason: 'Do',
    toolCalls: [call('run', { n: 1, first: 'ls', last: ['cd', 'rm -rf /'] })],
  },
  { text: 'Hi' },
  ['pii.iban'],
);

it('is of a search the text in which it found what it looked for, however deep', () => {
  const found = [{ path: '/response/toolCalls/0/arguments/last/1', value: 'rm -rf /' }];
  for (const search of ['texts(c.arguments).contains("rm -rf")', 're2(texts(c.arguments), "rm -rf")'])
    expect(valuesOf(`response.toolCalls.exists(c, ${search})`, given)).toEqual(found);
});

it('has no place where what was searched is put together', () => {
  expect(valuesOf('(response.text + request.text).contains("Done")', given)).toEqual([
    { path: '', value: 'Done.Hi' },
  ]);
});

it('is of another comparison of texts, and of a search for what the facts have, all that it read', () => {
  expect(placesOf('response.text.startsWith("Do")', given)).toEqual(['/response/text']);
  expect(placesOf('response.text.contains(response.finishReason)', given)).toEqual([
    '/response/text',
    '/response/finishReason',
  ]);
});

it('is each of the first four reads once', () => {
  const read = ['response.text', 'response.text', 'request.text', 'request.model', 'response.model'];
  expect(placesOf(`[${[...read, 'request.operation'].join(', ')}] != []`, given)).toEqual([
    '/response/text',
    '/request/text',
    '/request/model',
    '/response/model',
  ]);
});

it('is the list that was walked, and the labels by themselves', () => {
  const walk = 'size(response.toolCalls.filter(c, c.name == response.text)) == 0';
  expect(placesOf(walk, given)).toEqual(['/response/toolCalls']);
  expect(valuesOf('"pii.iban" in labels', given)).toEqual([{ path: '/labels', value: '["pii.iban"]' }]);
});

test.each([
  ['a text that is just short enough', 'x'.repeat(valueCharsMax), 'x'.repeat(valueCharsMax)],
  ['the beginning of a longer one', 'x'.repeat(valueCharsMax + 1), `${'x'.repeat(valueCharsMax)}…`],
  ['no half of a character', `${'x'.repeat(valueCharsMax - 1)}😀y`, `${'x'.repeat(valueCharsMax - 1)}…`],
])('shows %s', (_what, text, shown) => {
  expect(valuesOf('response.text.startsWith("x")', facts({ text }))).toEqual([
    { path: '/response/text', value: shown },
  ]);
});

test.each([
  ['sixty characters before', 'x'.repeat(100), `…${'x'.repeat(60)}`],
  ['no half of the first', `${'x'.repeat(39)}😀${'x'.repeat(59)}`, `…${'x'.repeat(59)}`],
  ['all before', 'x'.repeat(60), 'x'.repeat(60)],
])('shows of a long text what was found, with %s', (_what, before, shown) => {
  const text = `${before}FOUND${'y'.repeat(300)}`;
  const [value] = valuesOf('response.text.contains("FOUND")', facts({ text }));
  expect(value?.value.split('FOUND')[0]).toBe(shown);
  expect(value?.value.endsWith('y…')).toBe(true);
});
