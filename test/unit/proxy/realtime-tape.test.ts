/** What is kept of the messages that passed on a WebSocket, and how much memory that takes. */
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../../src/core/bytes.ts';
import { createTape } from '../../../src/proxy/realtime/tape.ts';

const saying = (text: string) => ({ data: Buffer.from(text), binary: false });
const goingAway = { code: 1001, reason: Buffer.from('going away') };

describe('a tape that is full', () => {
  const full = () => createTape(0);

  test('keeps what passed by its hash alone', () => {
    const tape = full();
    tape.add(saying('hello'), 'server', 'passed', 7);
    expect(tape.records).toEqual([
      {
        atMs: 7,
        sender: 'server',
        opcode: 'text',
        way: 'passed',
        bytes: 5,
        data: null,
        sha256: sha256Hex(Buffer.from('hello')),
      },
    ]);
    expect([tape.bytes, tape.passedBytes, tape.omittedBytes]).toEqual([5, 5, 5]);
  });

  test.each(['withheld', 'refused'] as const)('keeps whole what was %s', (way) => {
    const tape = full();
    tape.add(saying('hello'), 'client', way, 0);
    expect(String(tape.records[0]?.data)).toBe('hello');
    expect([tape.bytes, tape.passedBytes, tape.omittedBytes]).toEqual([5, 0, 0]);
  });

  test('keeps why somebody closed', () => {
    const tape = full();
    tape.addEnding(goingAway, 'server', 'passed', 0);
    expect(String(tape.records[0]?.data)).toBe('going away');
    expect([tape.bytes, tape.passedBytes, tape.omittedBytes]).toEqual([10, 10, 0]);
  });
});

test('a tape is filled by how many messages there are, however small each is', () => {
  const tape = createTape(1_000);
  for (let i = 0; i < 9; i++) tape.add(saying('.'), 'client', 'passed', i);
  expect(tape.records.filter(({ data }) => data !== null)).toHaveLength(4);
});

describe('a tape that begins as another one does', () => {
  test('has the message behind, which that one has not', () => {
    const tape = createTape(1_000);
    tape.add(saying('one'), 'client', 'passed', 1);
    const longer = tape.plus(saying('two'), 'client', 'withheld', 2);
    expect(longer.records.map(({ data }) => String(data))).toEqual(['one', 'two']);
    expect([longer.bytes, longer.passedBytes]).toEqual([6, 3]);
    expect(tape.records.map(({ data }) => String(data))).toEqual(['one']);
    expect([tape.bytes, tape.passedBytes]).toEqual([3, 3]);
  });

  test('is as full as that one', () => {
    const tape = createTape(203);
    tape.add(saying('one'), 'client', 'passed', 1);
    const longer = tape.plus(saying('two'), 'client', 'passed', 2);
    expect(longer.records.map(({ data }) => data === null)).toEqual([false, true]);
    expect(longer.omittedBytes).toBe(3);
  });
});

test('a message is kept without the read that it is a window on', () => {
  const read = Buffer.alloc(64 * 1024, 'x');
  const { data } = createTape(1_000).add(
    { data: read.subarray(0, 5), binary: true },
    'server',
    'withheld',
    0,
  );
  expect(String(data)).toBe('xxxxx');
  expect(data.buffer).not.toBe(read.buffer);
});
