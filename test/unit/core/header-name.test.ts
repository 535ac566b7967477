/** Names in the sidecar's own headers, a character for each byte as node:http gives them. */
import { expect, it } from 'vitest';
import { nameIn } from '../../../src/core/header-name.ts';

const header = 'holdpoint-subject';
const named = (value: string): string => nameIn(['Host', 'x', 'Holdpoint-Subject', value], header);
const asUtf8 = (name: string): string => Buffer.from(name).toString('latin1');

it.each([
  ['customer-4711', 'customer-4711'],
  ['Jos\xe9', 'José'],
  [asUtf8('José'), 'José'],
  [asUtf8('王小明'), '王小明'],
  // Neither is UTF-8.
  ['Jos\xe9 \xc3', 'José Ã'],
])('%j is read as %s', (sent, name) => {
  expect(named(sent)).toBe(name);
});

it('no header names nobody', () => {
  expect(nameIn(['Host', 'x'], header)).toBe('');
});

it('a long one is cut, and not within a character', () => {
  expect(named('x'.repeat(300))).toBe('x'.repeat(256));
  expect(named(`${'x'.repeat(255)}${asUtf8('😀')}`)).toBe(`${'x'.repeat(255)}\ufffd`);
});
