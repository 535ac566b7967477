import { expect, it } from 'vitest';
import { createFrameMemory } from '../../../src/store/frame-memory.ts';

const long = 100_000;

it('memory for a long frame is that of the one before, as much of it as is asked for', () => {
  const memoryFor = createFrameMemory();
  const [first, second] = [memoryFor(long), memoryFor(long - 1)];
  expect([first.length, second.length]).toEqual([long, long - 1]);
  expect(second.buffer).toBe(first.buffer);
  expect(second.byteOffset).toBe(first.byteOffset);
});

it('memory for a longer frame has all that is asked for, and a slightly longer one finds room in it', () => {
  const memoryFor = createFrameMemory();
  memoryFor(long);
  const longer = memoryFor(3 * long);
  expect(longer.length).toBe(3 * long);
  expect(memoryFor(4 * long).buffer).toBe(longer.buffer);
});

it.each([
  ['short', 1_000],
  ['too long to keep memory for', 9 * 1024 * 1024],
])('a frame that is %s has memory of its own', (_, bytes) => {
  const memoryFor = createFrameMemory();
  const [first, second] = [memoryFor(bytes), memoryFor(bytes)];
  expect([first.length, second.length]).toEqual([bytes, bytes]);
  first.fill(1);
  second.fill(2);
  expect(first.every((byte) => byte === 1)).toBe(true);
});

it('two stores share none', () => {
  const [one, other] = [createFrameMemory()(long), createFrameMemory()(long)];
  expect(one.buffer).not.toBe(other.buffer);
});
