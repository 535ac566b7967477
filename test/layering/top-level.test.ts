/** What stands at the top of the repository, which is the first that anybody sees of it: what the house names, and nothing left over. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const house = ['src', 'config', 'test', 'k8s', 'package.json', 'tsconfig.json', 'Dockerfile', 'README.md'];
const tooling = [
  ...['.ci', '.dependency-cruiser.mjs', '.dockerignore', '.gitignore', 'biome.json', 'vitest.config.ts'],
  ...['package-lock.json', 'tsconfig.build.json', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'],
];

// A copy without history knows no difference between what belongs to it and what lies beside it.
test.skipIf(!existsSync(`${root}.git`))('the top level has what the house names and nothing else', () => {
  const listed = spawnSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' });
  expect(listed.status, listed.stderr).toBe(0);
  const names = new Set(listed.stdout.split('\n').map((path) => path.split('/', 1)[0]));
  names.delete('');
  expect([...names].sort()).toEqual([...house, ...tooling].sort());
});
