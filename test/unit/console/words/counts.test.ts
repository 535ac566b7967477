import { expect, it } from 'vitest';
import { counted, countText, excessIn } from '../../../../src/console/words/counts.ts';

it('sets the thousands of a count apart', () => {
  expect([0, 999, 12345, 1234567].map(countText)).toEqual(['0', '999', '12,345', '1,234,567']);
});

it('names one thing as one', () => {
  expect([1, 2, 10000].map((n) => counted(n, 'body', 'bodies'))).toEqual([
    '1 body',
    '2 bodies',
    '10,000 bodies',
  ]);
});

it('says by how much a text is too long', () => {
  expect(['a'.repeat(1000), 'a'.repeat(1001), 'a'.repeat(3000)].map((text) => excessIn(text, 1000))).toEqual([
    '',
    '1 character too many: 1,000 at most.',
    '2,000 characters too many: 1,000 at most.',
  ]);
});
