/** The table of roles that people read: it has every role of the house, and what each may. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createRoleBook, permissions, roles } from '../../../src/core/roles.ts';

const text = readFileSync(new URL('../../../config/README.md', import.meta.url), 'utf8');
const rows = [...text.matchAll(/^\| `([a-z]+)` \| [^|]+ \| ([^|]+) \|$/gm)];

it('config/README.md says of every role which permissions it has', () => {
  const told = rows.map(([, role = '', listed = '']) => [
    role,
    listed === 'all' ? permissions : [...listed.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  ]);
  const book = createRoleBook();
  expect(told).toEqual(roles.map((role) => [role, book.permissionsOf(role)]));
});
