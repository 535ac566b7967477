/** What is said where an export, a backup or a restored ledger cannot be written. */
import { expect, test } from 'vitest';
import { writable } from '../../../src/cli/ledger-export.ts';

test.each([
  ['EACCES', 'Name one that this user may write.'],
  ['ENOSPC', 'Free space there, or name another place.'],
])('%s: %s', (code, next) => {
  const error = Object.assign(new Error(`${code}: words, write`), { code, syscall: 'write' });
  expect(writable(error, 'a.hpj')).toMatchObject({
    code: 'usage',
    message: `a.hpj cannot be written: words (${code}).`,
    next,
  });
});
