/** Verifying where LevelDB cannot be opened: the journal beside it has every entry. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { run } from '../contract/support/process.ts';
import { flipped, makeRealLedgers, type RealLedger, type RealLedgers, sealedOf } from './real-ledger.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let made: RealLedgers;
const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-lost-'));
beforeAll(async () => {
  made = await makeRealLedgers();
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => {
  made.remove();
  rmSync(scratch, { recursive: true, force: true });
});

function copyOf({ name, dataDir }: RealLedger, what: string): string {
  const copy = join(scratch, `${name} ${what}`);
  cpSync(dataDir, copy, { recursive: true });
  return copy;
}

function flipIn(file: string): void {
  const whole = readFileSync(file);
  writeFileSync(file, flipped(whole, { file, byte: whole.length >> 1, bit: 0 }));
}

const damages: readonly [string, RegExp, (file: string) => void][] = [
  ['a lost list of tables', /^CURRENT$/, (file) => rmSync(file)],
  ['a list that names no file', /^CURRENT$/, flipIn],
  ['a lost manifest', /^MANIFEST/, (file) => rmSync(file)],
  ['a flipped bit of the manifest', /^MANIFEST/, flipIn],
  ['a lost table', /\.ldb$/, (file) => rmSync(file)],
  ['a flipped bit of a table', /\.ldb$/, flipIn],
];

it.each(damages)('%s is named, and all that was sealed is read from the journal', async (what, of, harm) => {
  for (const ledger of made.all) {
    const dataDir = copyOf(ledger, what);
    const ledgerDir = join(dataDir, 'ledger');
    const name = readdirSync(ledgerDir).find((file) => of.test(file)) ?? '';
    harm(join(ledgerDir, name));
    const verdict = await verifyDirectory(dataDir, {});
    expect(verdict.ok).toBe(false);
    expect(verdict.findings.map(({ code }) => code)).toEqual(['store_unreadable']);
    expect(sealedOf(verdict)).toEqual(ledger.sealed);
    const [{ message = '' } = {}] = verdict.findings;
    expect(message).toContain(`LevelDB cannot open ${ledgerDir}: `);
    expect(message).toContain('nothing is lost');
    expect(message).toContain('holdpoint ledger fsck --repair');
    expect(message).not.toContain('holdpoint-verify-');
  }
});

it('on the command line nobody is told to ask for another file, as there is none', async () => {
  const [ledger] = made.all;
  if (ledger === undefined) throw new Error('no ledger was made');
  const dataDir = copyOf(ledger, 'told');
  rmSync(join(dataDir, 'ledger', 'CURRENT'));
  const { code, out } = await run(['verify', dataDir]);
  expect(code).toBe(1);
  expect(out).toMatch(/^next: `holdpoint ledger fsck` names what is damaged/m);
});

it('a ledger that is gone is a finding where its high-water mark is still there', async () => {
  for (const ledger of made.all) {
    const dataDir = copyOf(ledger, 'gone');
    rmSync(join(dataDir, 'ledger'), { recursive: true });
    const { ok, findings } = await verifyDirectory(dataDir, {});
    expect(ok).toBe(false);
    expect(findings.map(({ code }) => code)).toContain('rolled_back');
  }
});

it('of a ledger whose journal is damaged too, both are named', async () => {
  for (const ledger of made.all) {
    const dataDir = copyOf(ledger, 'both');
    rmSync(join(dataDir, 'ledger', 'CURRENT'));
    flipIn(join(dataDir, 'ledger', 'journal-0000000001.hpj'));
    const { ok, findings } = await verifyDirectory(dataDir, {});
    expect(ok).toBe(false);
    expect(findings[0]?.code).toBe('store_unreadable');
    expect(findings[0]?.message).toMatch(
      /LevelDB cannot open .*journal-0000000001\.hpj is damaged: .* What comes before that was read/,
    );
    expect(findings[0]?.seq).toBeGreaterThan(0);
  }
});

it('where no copy can be made, nothing is said about the ledger', async () => {
  vi.stubEnv('TMPDIR', join(scratch, 'not there'));
  const [ledger] = made.all;
  await expect(verifyDirectory(ledger?.dataDir ?? '', {})).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('not there'),
  });
});
