/** How work that arrives together goes on together. */
import { setImmediate as nextRound } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createCohorts } from '../../../src/core/cohort.ts';

async function inTwoSteps(name: string, join: () => Promise<void>, done: string[]): Promise<void> {
  done.push(`${name} arrives`);
  await join();
  done.push(`${name} is read`);
  await null;
  done.push(`${name} is judged`);
}

it('each of a round does its first step, in order of arrival, before any does its second', async () => {
  const done: string[] = [];
  const join = createCohorts();
  const first = inTwoSteps('a', join, done);
  // Others of the round come in callbacks of their own, between which what was promised goes on.
  await null;
  await Promise.all([first, inTwoSteps('b', join, done), inTwoSteps('c', join, done)]);
  const names = ['a', 'b', 'c'];
  expect(done).toEqual([
    ...names.map((name) => `${name} arrives`),
    ...names.map((name) => `${name} is read`),
    ...names.map((name) => `${name} is judged`),
  ]);
});

it('what arrives after a round is in the next, and what arrives elsewhere in another cohort', async () => {
  const done: string[] = [];
  const [join, elsewhere] = [createCohorts(), createCohorts()];
  const first = inTwoSteps('a', join, done);
  expect(join()).toBe(join());
  expect(join()).not.toBe(elsewhere());
  await nextRound();
  const second = inTwoSteps('b', join, done);
  await Promise.all([first, second]);
  expect(done).toEqual([
    ...['a arrives', 'a is read', 'a is judged'],
    ...['b arrives', 'b is read', 'b is judged'],
  ]);
});
