/** When the reader of an answer goes on: with all that a round of the event loop brought of it. */
import { setImmediate as nextRound } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createAnswerBody } from '../../../src/proxy/answer-body.ts';

it('pieces that came in one round are read in its order, after all of them are there', async () => {
  const body = createAnswerBody();
  const done: string[] = [];
  const reading = (async () => {
    for await (const piece of body.chunks()) done.push(`${piece} read`);
    done.push('end read');
  })();
  // Until it waits.
  await nextRound();
  for (const pieces of [['a', 'b'], ['c']]) {
    for (const piece of pieces) {
      body.push(Buffer.from(piece));
      done.push(`${piece} came`);
      // Before another socket's turn all that was promised goes on.
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    await nextRound();
    await nextRound();
  }
  body.end(null);
  await reading;
  expect(done).toEqual(['a came', 'b came', 'a read', 'b read', 'c came', 'c read', 'end read']);
});

it('what came while a piece was being worked on is read, also where that was the end', async () => {
  const body = createAnswerBody();
  body.push(Buffer.from('a'));
  const read: string[] = [];
  for await (const piece of body.chunks()) {
    read.push(piece.toString());
    if (read.length > 1) continue;
    body.push(Buffer.from('b'));
    body.end(null);
  }
  expect(read).toEqual(['a', 'b']);
});

it.each([
  [3, null],
  [2, 'response_too_large'],
])('of three bytes all are taken where %i may be: %s', async (bytesMax, code) => {
  const body = createAnswerBody();
  body.push(Buffer.from('ab'));
  body.push(Buffer.from('c'));
  body.end(null);
  const { error } = await body.readAll(bytesMax);
  expect(error?.code ?? null).toBe(code);
});

it('what a sender gives as soon as it may, is read at once, also where that was the end', async () => {
  const body = createAnswerBody();
  const resume = (): void => {
    body.push(Buffer.from('the rest'));
    body.end(null);
  };
  body.flow = { pause: () => undefined, resume };
  body.push(Buffer.alloc(300 * 1024));
  const { body: all } = await body.readAll(1024 * 1024);
  expect(all.subarray(300 * 1024).toString()).toBe('the rest');
});

it('what is not read holds its sender back, until it is', () => {
  const body = createAnswerBody();
  const said: string[] = [];
  body.flow = { pause: () => void said.push('pause'), resume: () => void said.push('resume') };
  const piece = Buffer.alloc(128 * 1024);
  for (let i = 0; i < 4; i += 1) body.push(piece);
  expect([said, body.isPaused()]).toEqual([['pause'], true]);
  void body.readAll(1024 * 1024);
  expect([said, body.isPaused()]).toEqual([['pause', 'resume'], false]);
});
