import { expect, it } from 'vitest';
import { counted, countText } from '../../../../src/console/words/counts.ts';

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
