/** The turns of the calls of one connection. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { createTurns } from '../../../src/proxy/turns.ts';

test('a call on a connection that carries no further answer does not run', async () => {
  const socket = new PassThrough();
  const turns = createTurns();
  const ran: string[] = [];
  const take = (name: string): Promise<void> => turns.take(socket, async () => void ran.push(name));
  await take('while it is open');
  socket.end();
  await take('once its last answer is out');
  expect(ran).toEqual(['while it is open']);
});

test('one that fails keeps none of those behind it from running', async () => {
  const socket = new PassThrough();
  const turns = createTurns();
  const ran: string[] = [];
  const first = turns.take(socket, () => Promise.reject(new Error('defect')));
  const second = turns.take(socket, async () => void ran.push('second'));
  await expect(first).rejects.toThrow('defect');
  await second;
  expect(ran).toEqual(['second']);
});
