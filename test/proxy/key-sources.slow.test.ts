/** Real processes: rotation from a key in a file to one that a program keeps, and on to another program. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { type KeptKeys, openKeptKeys, program } from './kept-keys.ts';

let kept: KeptKeys;
beforeEach(async () => {
  kept = await openKeptKeys();
});
afterEach(endAll);

test('a start with keys.nextSigning rotates: from a file to a program, and to another program', {
  timeout: 90_000,
}, async () => {
  const first = await kept.runWith({});
  const second = await kept.runWith({ nextSigning: program('a') });
  expect(second.slice(0, 1)).toEqual(first);
  expect(await kept.runWith({ signing: program('a') })).toEqual(second);
  const third = await kept.runWith({ signing: program('a'), nextSigning: program('b') });
  expect(third.slice(0, 2)).toEqual(second);
  expect(new Set(third).size).toBe(3);
});
