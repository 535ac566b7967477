/** Holds of the same bytes that are ruled on together, and what the page calls them. */
import { expect, it } from 'vitest';
import { identicalTo, listedWords } from '../../../../src/console/hold/identical.ts';
import { hold } from '../holds.ts';

const contentDigest = '5a'.repeat(32);
const open = hold('open', { contentDigest });
const queueOf = (count: number) =>
  new Map(
    [open, ...Array.from({ length: count }, (_, i) => hold(`other-${i}`, { contentDigest }))].map((one) => [
      one.id,
      one,
    ]),
  );
const wordsWith = (count: number) => listedWords(identicalTo(open, queueOf(count)));

it('are the others that wait with the same bytes', () => {
  const others = [
    hold('same', { contentDigest }),
    hold('over', { contentDigest, state: 'denied' }),
    hold('else', { contentDigest: '6b'.repeat(32) }),
  ];
  const holds = new Map([open, ...others].map((one) => [one.id, one]));
  expect(identicalTo(open, holds).others.map(({ id }) => id)).toEqual(['same']);
});

it('are none where it is not known what is held', () => {
  const [unknown, other] = [hold('a', { contentDigest: '' }), hold('b', { contentDigest: '' })];
  expect(identicalTo(unknown, new Map([['b', other]])).total).toBe(0);
});

it('are no more than one ruling takes', () => {
  expect(identicalTo(open, queueOf(250)).others.length).toBe(99);
});

it('are called all where they are all', () => {
  expect([1, 2, 99].map(wordsWith)).toEqual([
    'The other hold that waits with exactly these bytes',
    'All 2 other holds that wait with exactly these bytes',
    'All 99 other holds that wait with exactly these bytes',
  ]);
});

it('are not called all where more wait than one ruling takes', () => {
  expect(wordsWith(1_234)).toBe(
    '99 of the 1,234 other holds that wait with exactly these bytes: one ruling takes no more, and 1,135 wait on',
  );
});
