/** Whose approval still counts while others have yet to join it. */
import { expect, it } from 'vitest';
import { peopleNow } from '../../../src/control/ruling.ts';
import { createPeople } from '../../../src/core/people.ts';
import { createRoleBook } from '../../../src/core/roles.ts';
import type { Approval } from '../../../src/hold/state.ts';

const roleOf: Readonly<Record<string, string>> = { ada: 'reviewer', bob: 'reviewer', vera: 'viewer' };
const { counts } = peopleNow({
  otherNames: createPeople([]),
  roleOf: (name) => roleOf[name] ?? null,
  roles: createRoleBook(),
});
const given: Approval = { by: 'ada', role: 'reviewer', verdict: 'release', atMs: 0 };

it.each<[whose: string, approval: Partial<Approval>]>([
  ['of who has a role that rules', {}],
  ['of who came otherwise than by a token', { by: 'idp:ada' }],
  ['in the stead of somebody who may rule', { inStead: 'bob' }],
])('an approval %s counts', (_whose, approval) => {
  expect(counts({ ...given, ...approval })).toBe(true);
});

it.each<[whose: string, approval: Partial<Approval>]>([
  ['of who has no token any more', { by: 'gone' }],
  ['of who has a role by now that does not rule', { by: 'vera' }],
  ['in a role that does not rule any more', { role: 'viewer' }],
  ['in the stead of somebody who has no token any more', { inStead: 'gone' }],
  ['in the stead of somebody who does not rule by now', { inStead: 'vera' }],
])('an approval %s counts no more', (_whose, approval) => {
  expect(counts({ ...given, ...approval })).toBe(false);
});
