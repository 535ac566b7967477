/** Files that share a worker share its modules: what one of them replaces, another may have loaded before, or get. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { withModulesOfTheirOwn } from '../../vitest.config.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('only test files with modules of their own replace one', () => {
  const replacing = globSync('test/**/*.ts', { cwd: root }).filter((file) =>
    /\bvi\.(mock|doMock)\(/.test(readFileSync(`${root}${file}`, 'utf8')),
  );
  expect(replacing).not.toEqual([]);
  const alone = (file: string): boolean =>
    withModulesOfTheirOwn.includes(file) || file.endsWith('.slow.test.ts');
  expect(replacing.filter((file) => !alone(file))).toEqual([]);
});
