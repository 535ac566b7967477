import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const folder = new URL('../../../src/ledger/verify/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
const allowed = /^(\.\/[a-z-]+\.ts|@noble\/hashes\/sha2\.js|tweetnacl)$/;

describe('the verifier', () => {
  it('has files to look at', () => {
    expect(files).toContain('verify.ts');
  });

  it.each(files)('%s imports nothing but its own folder and the two portable libraries', (name) => {
    const source = readFileSync(new URL(name, folder), 'utf8');
    const imported = [...source.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
      (match) => match[1] ?? '',
    );
    expect(imported.filter((specifier) => !allowed.test(specifier))).toEqual([]);
    expect(source).not.toMatch(/\b(Buffer|process|require)\b\s*[.(]/);
  });
});
