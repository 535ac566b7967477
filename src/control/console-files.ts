/**
 * Reads the console's files once at start. In the checkout its TypeScript is stripped when a browser first asks, in
 * the built package it is JavaScript already: it gets the same modules either way, with no bundler between.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, extname, join } from 'node:path';
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
  '/console/vendor/noble/sha2.js': '@noble/hashes/sha2.js',
  '/console/vendor/nacl.js': 'tweetnacl',
} as const;

/** What noble's hash imports of its own package; not among the package's exports. */
const nobleParts = ['_md.js', '_u64.js', 'utils.js'] as const;

/** Path on the control port -> file. */
export function consoleFiles(): Map<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>([
    ...filesIn('../console/', '/console/'),
    ...filesIn('../ledger/verify/', '/ledger/verify/'),
  ]);
  const noble = dirname(moduleFile('@noble/hashes/sha2.js'));
  for (const name of nobleParts) {
    files.set(`/console/vendor/noble/${name}`, {
      type: types['.js'] ?? '',
      bytes: servedFrom(join(noble, name)),
    });
  }
  for (const [path, specifier] of Object.entries(vendored)) {
    files.set(path, { type: 'text/javascript; charset=utf-8', bytes: servedFrom(moduleFile(specifier)) });
  }
  const page = files.get('/console/index.html');
  if (page !== undefined) files.set('/', page);
  return files;
}

/** The browser's files of a directory beside this file's own, by the path they are served under. */
function filesIn(relative: string, prefix: string): [string, ConsoleFile][] {
  const directory = fileURLToPath(new URL(relative, import.meta.url));
  return readdirSync(directory).flatMap((name): [string, ConsoleFile][] => {
    const type = types[extname(name)];
    if (type === undefined || name.endsWith('.d.ts')) return [];
    return [[`${prefix}${name.replace(/\.ts$/, '.js')}`, { type, bytes: servedFrom(join(directory, name)) }]];
  });
}

/** Reads the file now, and makes of it what a browser takes when that is asked for, once. */
function servedFrom(file: string): () => Buffer {
  const bytes = readFileSync(file);
  if (!/\.m?[jt]s$/.test(file)) return () => bytes;
  let served: Buffer | null = null;
  return () => {
    if (served !== null) return served;
    const text = bytes.toString('utf8');
    const script = withBrowserImports(file.endsWith('.ts') ? withoutTypes(text) : text);
    // tweetnacl is a script: it puts itself on `self` where there are no CommonJS modules.
    served = Buffer.from(file.endsWith('nacl-fast.js') ? `${script}\nexport default self.nacl;\n` : script);
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
    .replace(/\bfrom\s*['"]@noble\/hashes\/sha2\.js['"]/g, "from '/console/vendor/noble/sha2.js'")
    .replace(/\bfrom\s*['"]tweetnacl['"]/g, "from '/console/vendor/nacl.js'")
    .replace(/^\/\/# sourceMappingURL=.*$/m, '');
}

function moduleFile(specifier: string): string {
  return fileURLToPath(import.meta.resolve(specifier));
}
