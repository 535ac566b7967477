/**
 * Reads the console's files once at start. In the checkout its TypeScript is stripped when a browser first asks, in
 * the built package it is JavaScript already: it gets the same modules either way, with no bundler between.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ConsoleFile {
  /** As the browser gets them; made on the first call. */
  readonly bytes: () => Buffer;
  readonly type: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Files the browser imports from packages, by the path the console imports them under. */
const vendored = {
  '/console/vendor/preact.js': 'preact',
  '/console/vendor/hooks.js': 'preact/hooks',
} as const;

/** Path on the control port -> file. */
export function consoleFiles(): Map<string, ConsoleFile> {
  const directory = fileURLToPath(new URL('../console/', import.meta.url));
  const files = new Map<string, ConsoleFile>();
  for (const name of readdirSync(directory)) {
    const type = types[extname(name)];
    if (type === undefined || name.endsWith('.d.ts')) continue;
    files.set(`/console/${name.replace(/\.ts$/, '.js')}`, { type, bytes: servedFrom(join(directory, name)) });
  }
  for (const [path, specifier] of Object.entries(vendored)) {
    files.set(path, { type: 'text/javascript; charset=utf-8', bytes: servedFrom(moduleFile(specifier)) });
  }
  const page = files.get('/console/index.html');
  if (page !== undefined) files.set('/', page);
  return files;
}

/** Reads the file now, and makes of it what a browser takes when that is asked for, once. */
function servedFrom(file: string): () => Buffer {
  const bytes = readFileSync(file);
  if (!/\.m?[jt]s$/.test(file)) return () => bytes;
  let served: Buffer | null = null;
  return () => {
    if (served !== null) return served;
    const text = bytes.toString('utf8');
    served = Buffer.from(withBrowserImports(file.endsWith('.ts') ? withoutTypes(text) : text));
    return served;
  };
}

/** Node warns that its function is experimental, on a log that is JSON otherwise, though it runs this file by it. */
function withoutTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text, { mode: 'strip' });
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Import specifiers as the browser can resolve them. */
function withBrowserImports(script: string): string {
  return script
    .replace(/(\bfrom\s*['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2')
    .replace(/\bfrom\s*['"]preact\/hooks['"]/g, "from '/console/vendor/hooks.js'")
    .replace(/\bfrom\s*['"]preact['"]/g, "from '/console/vendor/preact.js'")
    .replace(/^\/\/# sourceMappingURL=.*$/m, '');
}

function moduleFile(specifier: string): string {
  return fileURLToPath(import.meta.resolve(specifier));
}
