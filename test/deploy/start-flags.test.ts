/** Node's flags decide how much memory the sidecar takes, and how long its callers wait while it is collected. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { startFlags } from '../support/start-flags.ts';
import { repositoryRoot } from './manifests.ts';

const readLine = (file: string, start: string): string => {
  const lines = readFileSync(join(repositoryRoot, file), 'utf8').split('\n');
  return lines.find((line) => line.startsWith(start))?.slice(start.length) ?? '';
};
const flagsOf = (words: readonly string[]): readonly string[] =>
  words.filter((word) => word.startsWith('--'));

test('the image starts Node with the flags of npm start', () => {
  const entrypoint = z.array(z.string()).parse(JSON.parse(readLine('Dockerfile', 'ENTRYPOINT ')));
  expect(flagsOf(entrypoint)).toEqual(startFlags);
  expect(startFlags.length).toBeGreaterThan(0);
});

test('the command starts Node with the flags of npm start', () => {
  expect(flagsOf(readLine('src/main.ts', '#!').split(' '))).toEqual(startFlags);
});
