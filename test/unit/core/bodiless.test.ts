import { expect, test } from 'vitest';
import { isBodiless } from '../../../src/core/bodiless.ts';

test.each([204, 304])('an answer with status %i that has a body all the same is read', (status) => {
  expect(isBodiless(status, { headers: [], body: Buffer.of() })).toBe(true);
  expect(isBodiless(status, { headers: [], body: Buffer.from('x') })).toBe(false);
});

test.each([200, 202, 205, 206, 404])('an empty answer with status %i is read', (status) => {
  expect(isBodiless(status, { headers: [], body: Buffer.of() })).toBe(false);
});
