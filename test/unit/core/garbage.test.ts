import { expect, test } from 'vitest';
import { collectAll, countGarbage } from '../../../src/core/garbage.ts';

const pieceBytes = 64 * 1024;

test('buffers that nobody needs any more do not wait in their tens of megabytes', () => {
  const count = countGarbage();
  // What other tests have left behind is no part of it.
  count(64 * pieceBytes);
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let i = 0; i < 1_000; i += 1) {
    Buffer.alloc(pieceBytes, i);
    count(pieceBytes);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(8 * 1024 * 1024);
});

test('the heap of a large piece of work that is done is given back', () => {
  const kept = Array.from({ length: 400_000 }, (_, i) => ({ i, text: `entry ${i}` }));
  const full = process.memoryUsage().heapTotal;
  expect(kept.splice(0)).toHaveLength(400_000);
  collectAll();
  expect(process.memoryUsage().heapTotal).toBeLessThan(full - 16 * 1024 * 1024);
});
