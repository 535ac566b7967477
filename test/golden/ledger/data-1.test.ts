/** A data directory in the first layout on disk, as a killed process left it: every later version goes on from it. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DemoProvider, startDemoProvider } from '../../../src/demo/provider.ts';
import { startSidecar } from '../../../src/sidecar.ts';
import { fsck } from '../../../src/store/fsck.ts';
import { verifyDirectory } from '../../../src/store/verify-directory.ts';
import { makeHouse } from '../../crash/sidecar-process.ts';
import { bodyOf, call } from '../../crash/workload.ts';
import { kek, signingKey } from '../../fault/ledger-under-test.ts';

const golden = fileURLToPath(new URL('data-1/', import.meta.url));
const sealed = { size: 77, root: 'RRr98BTzF6G0fwqa7mLjNDsJ98IHxATXbM648KesGRo=' };
let provider: DemoProvider;
const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-golden-'));
beforeAll(async () => {
  provider = await startDemoProvider({ port: 0 });
});
afterAll(async () => {
  await provider.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** A copy with the keys it was sealed under. */
function copy(name: string): string {
  const dataDir = join(scratch, name, 'data');
  mkdirSync(dirname(dataDir));
  cpSync(golden, dataDir, { recursive: true });
  const keys = join(dataDir, 'keys');
  mkdirSync(keys);
  writeFileSync(join(keys, 'signing.pem'), signingKey.export({ type: 'pkcs8', format: 'pem' }), {
    mode: 0o600,
  });
  writeFileSync(join(keys, 'kek.key'), `${kek.key.toString('base64')}\n`, { mode: 0o600 });
  return dataDir;
}

it('verifies, every body opens, and every file of it is whole', async () => {
  const dataDir = copy('verified');
  const verdict = await verifyDirectory(dataDir, { everySignature: true });
  expect(verdict.findings).toEqual([]);
  expect(verdict).toMatchObject(sealed);
  expect(verdict.bodies.opened).toBe(verdict.bodies.stored);
  expect(verdict.bodies.stored).toBeGreaterThan(10);
  const paths = {
    ledgerDir: join(dataDir, 'ledger'),
    indexDir: join(dataDir, 'index'),
    highWater: join(dataDir, 'high-water'),
  };
  const { findings } = await fsck(paths);
  expect(findings.filter(({ kind }) => kind !== 'note')).toEqual([]);
});

it('is continued by a sidecar: what was held then expires, and new calls are sealed after it', async () => {
  const dataDir = copy('continued');
  const before = readFileSync(join(dataDir, 'ledger', 'journal-0000000001.hpj'));
  const house = makeHouse(provider.url, { dataDir });
  try {
    const sidecar = await startSidecar(house.configFile, {});
    expect((await call(sidecar.proxyUrl, bodyOf('plain', 'after')))?.status).toBe(200);
    await sidecar.stop('test');
    const verdict = await verifyDirectory(dataDir, {});
    expect(verdict.findings).toEqual([]);
    expect(verdict.size).toBeGreaterThan(sealed.size);
    // Its holds ran out long ago.
    expect(verdict.decisions.byOutcome.expired).toBeGreaterThan(0);
    expect(verdict.decisions.open).toBe(0);
    const after = readFileSync(join(dataDir, 'ledger', 'journal-0000000001.hpj'));
    expect(after.subarray(0, before.length).equals(before)).toBe(true);
  } finally {
    house.remove();
  }
});

it('is small, and has nothing but the layout', () => {
  const files = readdirSync(golden, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const bytes = files.reduce(
    (sum, { parentPath, name }) => sum + readFileSync(join(parentPath, name)).length,
    0,
  );
  expect(bytes).toBeLessThan(200_000);
  expect(readdirSync(golden).sort()).toEqual(['high-water', 'index', 'ledger']);
});
