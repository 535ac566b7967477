import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openTape } from '../../../src/proxy/tape.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('a tape', () => {
  it('keeps an answer within its bound whole, and needs no hash of it', () => {
    const tape = openTape(6);
    for (const text of ['abc', 'def']) tape.add(Buffer.from(text));
    expect(tape.stored().toString()).toBe('abcdef');
    expect(tape.bytes()).toBe(6);
    expect(tape.sha256()).toBeNull();
  });

  it('keeps the beginning of a longer one, counts all of it and hashes all of it', () => {
    const tape = openTape(4);
    for (const text of ['abc', 'def', 'ghi']) tape.add(Buffer.from(text));
    expect(tape.stored().toString()).toBe('abcd');
    expect(tape.bytes()).toBe(9);
    expect(tape.sha256()).toBe(sha256('abcdefghi'));
  });
});
