/** What an amendment has to look like, before anybody looks at what it is of. */
import { expect, it } from 'vitest';
import { amendmentSchema } from '../../../src/control/amend.ts';

it('takes any JSON for arguments, and an object for a body', () => {
  const values = [null, false, 0, '', [], {}];
  const toolCalls = values.map((value) => ({ id: 'a', arguments: value }));
  const amendment = { toolCalls, body: { a: [null] } };
  expect(amendmentSchema.parse(amendment)).toEqual(amendment);
});

it.each([
  ['a call without arguments', { toolCalls: [{ id: 'a' }] }],
  ['a body that is a list', { body: [] }],
  ['a body that is null', { body: null }],
  ['a body that is a text', { body: '{}' }],
])('refuses %s', (_, amendment) => {
  expect(amendmentSchema.safeParse(amendment).success).toBe(false);
});

it('walks no value within: whoever sends one of 4 MiB does not keep calls waiting', () => {
  const walked = (): never => {
    throw new Error('it was walked');
  };
  const value: unknown = new Proxy({}, { get: walked, ownKeys: walked });
  const amendment = { toolCalls: [{ id: 'a', arguments: value }], body: value };
  expect(amendmentSchema.safeParse(amendment).success).toBe(true);
});
