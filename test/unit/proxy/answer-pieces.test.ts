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
