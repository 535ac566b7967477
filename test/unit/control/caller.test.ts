/** What people are called: a provider's word, which must not look like another one. */
import { expect, it } from 'vitest';
import { displayOf } from '../../../src/control/sign-in/caller.ts';

it.each([
  ['turns the direction of writing', 'ada\u202e nimda', 'ada nimda'],
  ['begins another line', 'ada\n\u2028release', 'adarelease'],
  ['cannot be seen', 'a\u200bda\u0000', 'ada'],
])('of what is said of them, what %s is left out', (_what, said, shown) => {
  expect(displayOf(said)).toBe(shown);
});

it('they are called nothing where nothing is left', () => {
  expect(displayOf(' \u200b\n')).toBeUndefined();
});

it('they are called by 128 characters at most, none of which is cut in two', () => {
  expect(displayOf('😀'.repeat(129))).toBe('😀'.repeat(128));
});
