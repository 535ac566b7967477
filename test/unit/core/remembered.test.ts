import { expect, test } from 'vitest';
import { collectAll } from '../../../src/core/garbage.ts';
import { remembered } from '../../../src/core/remembered.ts';

function counting(): { readonly length: (text: string) => number; readonly asked: string[] } {
  const asked: string[] = [];
  const length = remembered((text) => {
    asked.push(text);
    return text.length;
  });
  return { length, asked };
}

test('a text that comes again is not worked out again', () => {
  const { length, asked } = counting();
  expect([length('/v1/chat'), length('/v1/chat'), length('/v1/files')]).toEqual([8, 8, 9]);
  expect(asked).toEqual(['/v1/chat', '/v1/files']);
});

test('what is made of a text may be undefined', () => {
  const asked: string[] = [];
  const nothing = remembered((text): undefined => {
    asked.push(text);
    return undefined;
  });
  expect([nothing('a'), nothing('a')]).toEqual([undefined, undefined]);
  expect(asked).toEqual(['a']);
});

test('a text of more than 256 characters is worked out each time', () => {
  const { length, asked } = counting();
  const [kept, long] = ['x'.repeat(256), 'x'.repeat(257)];
  for (const text of [kept, kept, long, long]) expect(length(text)).toBe(text.length);
  expect(asked).toEqual([kept, long, long]);
});

test('of endless other texts no more than 256 are kept', () => {
  const { length, asked } = counting();
  for (let i = 0; i < 256; i += 1) length(`/${i}`);
  expect(length('/0')).toBe(2);
  expect(asked.length).toBe(256);
  length('/256');
  length('/0');
  expect(asked.slice(-2)).toEqual(['/256', '/0']);
});

test('of a text that is a piece of another nothing but the piece is kept', () => {
  const length = remembered((text) => text.length);
  collectAll();
  const before = inMemory();
  for (let i = 0; i < 200; i += 1) {
    const whole = Buffer.alloc(1024 * 1024, 'k').toString('latin1');
    length(whole.slice(0, 20 + i));
  }
  collectAll();
  expect(inMemory() - before).toBeLessThan(32 * 1024 * 1024);
});

function inMemory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
