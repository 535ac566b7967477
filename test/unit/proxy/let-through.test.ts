import { expect, it, test } from 'vitest';
import type { ToolCallFact } from '../../../src/core/facts.ts';
import { createLetThrough } from '../../../src/proxy/let-through.ts';

const asker = { credential: 'one', upstream: { name: 'openai' } };
const read = { ...asker, method: 'GET' };
const idOf = (number: number): string => `call_${String(number).padStart(16, '0')}`;
const call = (number: number, others: Partial<ToolCallFact> = {}): ToolCallFact => ({
  id: idOf(number),
  name: 'pay',
  arguments: { amount: 5 },
  argumentsText: '{"amount":5}',
  ...others,
});

it('tells by their places which calls of an answer were let through, and in which decisions', () => {
  const letThrough = createLetThrough();
  letThrough.add(asker, 7, [call(1), call(2)]);
  letThrough.add(asker, 9, [call(3)]);
  expect(letThrough.among(read, [call(0), call(2), call(3)])).toEqual([
    [1, 7],
    [2, 9],
  ]);
});

test.each([
  ['has another name', read, call(1, { name: 'refund' })],
  ['has its arguments written otherwise', read, call(1, { argumentsText: '{"amount": 5}' })],
  [
    'is another call to those who read it otherwise',
    read,
    call(1, { alsoAs: [{ ...call(1), name: 'a.pay' }] }),
  ],
  ['comes from another upstream', { ...read, upstream: { name: 'azure' } }, call(1)],
  ['goes to another credential', { ...read, credential: 'two' }, call(1)],
  ['is the answer to what may have made a model say it', { ...read, method: 'POST' }, call(1)],
])('a call of the same id is not known where it %s', (_how, by, other) => {
  const letThrough = createLetThrough();
  letThrough.add(asker, 7, [call(1)]);
  expect(letThrough.among(by, [other])).toEqual([]);
  expect(letThrough.among(read, [call(1)])).toEqual([[0, 7]]);
});

it('remembers the last ten thousand', () => {
  const letThrough = createLetThrough();
  for (let i = 0; i <= 10_000; i += 1) letThrough.add(asker, i, [call(i)]);
  expect(letThrough.among(read, [call(0), call(1)])).toEqual([[1, 1]]);
});

it('names 256 calls of one answer, so that the rest of a longer one is judged', () => {
  const letThrough = createLetThrough();
  const calls = Array.from({ length: 257 }, (_, i) => call(i));
  letThrough.add(asker, 7, calls);
  expect(letThrough.among(read, calls)).toHaveLength(256);
});
