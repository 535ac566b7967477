/** What npm publishes: `holdpoint/verify` from the packed tarball, with nothing beside it but its two libraries. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeConsole } from '../../src/control/console-bundle.ts';
import { streamOf } from '../second-opinion/ledgers.ts';
import { buildFullLedger } from '../support/ledger-builder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'holdpoint-package-'));
const consumer = join(folder, 'consumer');
const ledger = buildFullLedger();

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, [...args], { cwd, encoding: 'utf8' });

/** Builds as `npm run build` does, but away from the checkout, packs it, and unpacks it where a consumer has it. */
async function packAndUnpack(): Promise<void> {
  const source = join(folder, 'source');
  mkdirSync(source);
  for (const name of ['package.json', 'LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md'])
    copyFileSync(join(root, name), join(source, name));
  cpSync(join(root, 'config'), join(source, 'config'), { recursive: true });
  const bin = join(root, 'node_modules', '.bin');
  run(join(bin, 'tsc'), ['-p', 'tsconfig.build.json', '--outDir', join(source, 'dist')], root);
  run(process.execPath, ['src/main.ts', 'ledger', 'verifier', join(source, 'dist', 'verify.html')], root);
  await writeConsole(join(source, 'dist', 'console'));
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts'], source));
  const modules = join(consumer, 'node_modules');
  mkdirSync(join(modules, '@noble'), { recursive: true });
  run('tar', ['-xzf', join(source, packed.filename), '-C', modules], source);
  run('mv', ['package', 'holdpoint'], modules);
  for (const name of ['@noble/hashes', 'tweetnacl'])
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(consumer, 'ledger.hpj'), streamOf(ledger.records));
}

/** Every module reached from this one by relative imports, and the packages they import. */
function reachedFrom(entry: string): {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
} {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(
      /\b(?:from|import) ?\(?["']([^"']+)["']/g,
    )) {
      if (specifier.startsWith('.')) waiting.push(join(dirname(file), specifier));
      else packages.add(specifier);
    }
  }
  return { files, packages };
}

describe('the packed package', () => {
  beforeAll(packAndUnpack, 240_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives the verifier under its own name to plain Node', () => {
    writeFileSync(
      join(consumer, 'verify.js'),
      `import { createReadStream } from 'node:fs';
       import { verifyExport, reasons } from 'holdpoint/verify';
       const verdict = await verifyExport(createReadStream('ledger.hpj'), { trustedKeys: [process.argv[2]] });
       console.log(JSON.stringify({ ok: verdict.ok, size: verdict.size, keyTrust: verdict.keyTrust, codes: 'gap' in reasons }));`,
    );
    const said: unknown = JSON.parse(run(process.execPath, ['verify.js', ledger.verifierKey], consumer));
    expect(said).toEqual({ ok: true, size: ledger.size(), keyTrust: 'given', codes: true });
  });

  it('has types that a strict consumer compiles against', () => {
    const text = `import { verifyTlogProof, verifyExport, type Verdict, type ReasonCode } from 'holdpoint/verify';
      export const verdict: Promise<Verdict> = verifyExport(new ReadableStream<Uint8Array>().values());
      export const code: ReasonCode | undefined = verifyTlogProof('', { trustedKeys: [] }).findings[0]?.code;`;
    writeFileSync(join(consumer, 'types.ts'), text);
    const options = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--noEmit'];
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    expect(run(tsc, [...options, '--lib', 'es2024,dom,dom.asynciterable', 'types.ts'], consumer)).toBe('');
  }, 60_000);

  it('reaches nothing of Node from it, and nothing of what seals', () => {
    const entry = join(consumer, 'node_modules', 'holdpoint', 'dist', 'ledger', 'verify', 'index.js');
    const { files, packages } = reachedFrom(entry);
    expect(files.size).toBeGreaterThan(15);
    expect([...files].filter((file) => dirname(file) !== dirname(entry))).toEqual([]);
    expect([...packages].sort()).toEqual(['@noble/hashes/sha2.js', 'tweetnacl']);
  });

  it('serves the console that is in it, without a bundler', () => {
    writeFileSync(
      join(consumer, 'console.js'),
      `import { pathToFileURL } from 'node:url';
       const { consoleFiles } = await import(pathToFileURL(process.argv[2]));
       const { page, style, script } = consoleFiles();
       console.log(JSON.stringify([page, style, await script()].map(({ bytes }) => bytes.length)));`,
    );
    const files = join(consumer, 'node_modules', 'holdpoint', 'dist', 'control', 'console-files.js');
    const [page, style, script] = JSON.parse(run(process.execPath, ['console.js', files], consumer));
    expect(page).toBeGreaterThan(500);
    expect(style).toBeGreaterThan(10_000);
    expect(script).toBeGreaterThan(100_000);
  });

  it('has the verifier as one page in it, whole', () => {
    const dist = join(consumer, 'node_modules', 'holdpoint', 'dist');
    const page = readFileSync(join(dist, 'verify.html'), 'utf8');
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script[^>]+src=|<link rel="stylesheet"/);
  });
});
