import { expect, test } from 'vitest';
import { countGarbage } from '../../../src/proxy/young-garbage.ts';

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
