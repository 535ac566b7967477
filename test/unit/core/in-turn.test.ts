import { expect, test } from 'vitest';
import { createInTurn } from '../../../src/core/in-turn.ts';

test('work begins when the work before it has ended', async () => {
  const inTurn = createInTurn();
  const first = Promise.withResolvers<void>();
  const told: string[] = [];
  const one = inTurn(async () => {
    told.push('one begins');
    await first.promise;
    told.push('one ends');
  });
  const two = inTurn(async () => {
    told.push('two begins');
  });
  await Promise.resolve();
  first.resolve();
  await Promise.all([one, two]);
  expect(told).toEqual(['one begins', 'one ends', 'two begins']);
});

test('whoever handed in what fails hears of it, and what comes after runs all the same', async () => {
  const inTurn = createInTurn();
  const failing = inTurn(() => Promise.reject(new Error('no room')));
  const next = inTurn(async () => 7);
  await expect(failing).rejects.toThrow('no room');
  expect(await next).toBe(7);
});

test('work that throws before it waits for anything fails like any other', async () => {
  const inTurn = createInTurn();
  const failing = inTurn(() => {
    throw new Error('at once');
  });
  await expect(failing).rejects.toThrow('at once');
  expect(await inTurn(async () => 'after')).toBe('after');
});

test('two queues do not wait for each other', async () => {
  const [one, other] = [createInTurn(), createInTurn()];
  const never = Promise.withResolvers<void>();
  const waiting = one(() => never.promise);
  expect(await other(async () => 'past it')).toBe('past it');
  never.resolve();
  await waiting;
});
