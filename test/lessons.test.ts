/** Every case of LESSONS.md has its tests, and they exist under the titles it gives. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const casesMin = 19;

const rows = [
  ...readFileSync(pathOf('LESSONS.md'), 'utf8').matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \|$/gm),
].map(([, number = '', tests = '']) => ({
  number: Number(number),
  tests: tests.split('<br>').map((line) => {
    const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(line.trim()) ?? [];
    return { file, title };
  }),
}));

test('every case is there, once and in order', () => {
  expect(rows.length).toBeGreaterThanOrEqual(casesMin);
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_, at) => at + 1));
});

test.each(rows.flatMap(({ number, tests }) => tests.map((each) => ({ number, ...each }))))(
  'case $number: $file has “$title”',
  ({ file, title }) => {
    expect(existsSync(pathOf(file)), file).toBe(true);
    const source = readFileSync(pathOf(file), 'utf8');
    // As the title of a test, of one of its cases, or of a scenario.
    const literal = [`'${title}'`, `"${title}"`, `\`${title}\``].find((quoted) => source.includes(quoted));
    expect(literal, `no test of ${file} is named “${title}”`).toBeDefined();
  },
);
