/**
 * Makes the console three files: a page, one script, one style sheet, so that it is there after three answers however
 * far away the sidecar is. The script needs the bundler among the development dependencies; `npm run build` runs it once.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The files' names, in the directory that the built package has them in. */
export const consoleFileNames = { page: 'index.html', script: 'console.js', style: 'console.css' } as const;

export type ConsolePart = keyof typeof consoleFileNames;

const here = (name: string): string => fileURLToPath(new URL(`../console/${name}`, import.meta.url));
/** In the order in which one rule may override another. */
const styles = [
  'console',
  'frame',
  'inbox',
  'hold',
  'ruling',
  'page',
  'views',
  'draft',
  'privacy',
  'chart',
  'phone',
  'print',
];

export function readPage(): string {
  return readFileSync(here('index.html'), 'utf8');
}

export function readStyle(): string {
  return styles.map((name) => readFileSync(here(`styles/${name}.css`), 'utf8')).join('\n');
}

/** Rejects with what the bundler throws, or that it is not installed. */
export async function bundleScript(): Promise<string> {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({ input: here('main.ts'), platform: 'browser' });
  const { output } = await bundle.generate({ format: 'es', minify: true, comments: { legal: true } });
  await bundle.close();
  const [{ code }, ...others] = output;
  if (others.length > 0) throw new Error('the console was bundled into more than one script');
  return code;
}

/** Makes the files in `directory`. */
export async function writeConsole(directory: string): Promise<void> {
  const texts = { page: readPage(), script: await bundleScript(), style: readStyle() };
  mkdirSync(directory, { recursive: true });
  for (const part of ['page', 'script', 'style'] as const)
    writeFileSync(join(directory, consoleFileNames[part]), texts[part]);
}
