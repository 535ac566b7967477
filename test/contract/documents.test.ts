/** What the documents say can be typed, opened and followed is there. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { clientOptions } from '../../src/cli/client.ts';
import type { Command } from '../../src/cli/command.ts';
import { allCommands } from '../../src/cli/run-command.ts';
import { factHeaders } from '../../src/core/fact-headers.ts';
import { loadPolicy } from '../../src/policy/compile.ts';
import { protocolNamed } from '../../src/provider/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const documents = [
  'README.md',
  'SECURITY.md',
  'config/README.md',
  'k8s/README.md',
  'src/cli/README.md',
  'src/client/README.md',
  'src/ledger/README.md',
  'test/bench/README.md',
];
const textOf = (name: string): string => readFileSync(join(root, name), 'utf8');

let commands: readonly Command[];
beforeAll(async () => {
  commands = await allCommands();
});

/** The lines of a document that are to be typed: indented by four, without comments, cut at `;` and `&&`. */
function typed(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => /^ {4}\S/.test(line) || /^ {6}holdpoint /.test(line));
  return lines.flatMap((line) => line.replace(/\s+#.*$/, '').split(/;|&&/)).map((line) => line.trim());
}

function wrongIn(line: string): string {
  const words = line.split(/\s+/).slice(1);
  const command = [3, 2, 1]
    .map((count) => commands.find(({ name }) => name === words.slice(0, count).join(' ')))
    .find((found) => found !== undefined);
  if (command === undefined) return `${line}: there is no such command`;
  const known = new Set<string>([
    ...(command.usage.match(/--[a-z-]+/g) ?? []),
    ...clientOptions.map((name) => `--${name}`),
  ]);
  const unknown = words.filter((word) => word.startsWith('--') && !known.has(word));
  return unknown.length === 0 ? '' : `${line}: there is no ${unknown.join(', ')}`;
}

describe.each(documents)('%s', (name) => {
  it('names commands and options that there are', () => {
    const lines = typed(textOf(name)).filter((line) => line.startsWith('holdpoint '));
    expect(lines.map(wrongIn).filter((wrong) => wrong !== '')).toEqual([]);
  });

  it('names scripts that there are', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(textOf('package.json')));
    const named = [...textOf(name).matchAll(/\bnpm (?:run )?(?!ci\b|run\b|install\b)([a-z:]+)/g)]
      .filter(([whole]) => /^npm (run|start|test)/.test(whole))
      .map(([, script = '']) => script);
    expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
  });

  it('leads only to what is there', () => {
    const links = [...textOf(name).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to);
    const local = links.filter((to) => !/^(https?:|#)/.test(to)).map((to) => to.split('#', 1)[0] ?? '');
    expect(local.filter((to) => !existsSync(join(root, dirname(name), to)))).toEqual([]);
  });
});

/** Provider, operation and an example of each call that a document names. */
const callsIn = (text: string): readonly (readonly string[])[] =>
  [...text.matchAll(/^\| (\w+) \| `([\w.]+)` \| `([A-Z]+) (\/\S+)` \|$/gm)].map(([, ...call]) => call);

it('config/holdpoint.yaml names every setting', () => {
  const words = new Set(textOf('config/holdpoint.yaml').match(/\w+/g));
  const settings = propertiesIn(JSON.parse(textOf('config/holdpoint.schema.json')));
  expect(settings.size).toBeGreaterThan(100);
  expect([...settings].filter((name) => !words.has(name))).toEqual([]);
});

/** The names that objects of a JSON Schema have, however deep. */
function propertiesIn(schema: unknown): Set<string> {
  if (typeof schema !== 'object' || schema === null) return new Set();
  const own = 'properties' in schema ? Object.keys(schema.properties ?? {}) : [];
  return new Set([...own, ...Object.values(schema).flatMap((part) => [...propertiesIn(part)])]);
}

it('config/README.md calls calls what rules see them called', () => {
  const calls = callsIn(textOf('config/README.md'));
  expect(calls.length).toBeGreaterThan(50);
  for (const [provider = '', operation = '', method = '', path = ''] of calls)
    expect([path, protocolNamed(provider)?.operationOf(method, path)]).toEqual([path, operation]);
});

it('config/README.md names the header fields that rules see', () => {
  const [, list = ''] =
    /`request\.headers` has these alone, in lower case: ([^;]*);/.exec(textOf('config/README.md')) ?? [];
  expect([...list.matchAll(/`([^`]+)`/g)].map(([, name]) => name).sort()).toEqual([...factHeaders].sort());
});

/** The rules that a document shows, each as a policy of its own. */
function rulesIn(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```yaml\n(- id: [\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.map((block) => `version: shown\nrules:\n${block.replace(/^(?=.)/gm, '  ')}`);
}

it.each([
  ['README.md', 1],
  ['config/README.md', 1],
])('the rules that %s shows load, and do what they say', (name, count) => {
  const shown = rulesIn(textOf(name));
  expect(shown).toHaveLength(count);
  // A rule that does not do what its own tests say does not load.
  for (const rule of shown) expect(() => loadPolicy(name, rule)).not.toThrow();
});

it('the README has the commands of the first quarter of an hour', () => {
  const lines = typed(textOf('README.md'));
  for (const line of ['npm ci', 'npm run demo', 'npm start', 'holdpoint verify ./data'])
    expect(lines).toContain(line);
});

it('a command or an option that there is not is found', () => {
  expect(wrongIn('holdpoint veryfy ./data')).toContain('no such command');
  expect(wrongIn('holdpoint verify ./data --trsut x')).toContain('there is no --trsut');
});
