/** A backup that somebody handed over, with something else in the place of its files: it is told of, not waited for. */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBackup, takeBackup, verifyBackup } from '../../src/store/backup.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { makeLedger } from './made-ledger.ts';

const made = await makeLedger(1);
afterAll(() => made.remove());
const whole = join(made.scratch, 'backup');
const records = `records-${'0'.repeat(20)}.hpj`;

beforeAll(async () => {
  const store = await openLedgerCopy(made.paths.ledgerDir);
  const facts = { origin: 'o', key: 'k', taken: '2026-11-28T00:00:00.000Z' };
  await takeBackup(store, whole, facts, () => openLedgerCopy(made.paths.ledgerDir));
  await store.close();
});

describe.each([
  ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ['a device that never ends', (file: string) => symlinkSync('/dev/zero', file)],
])('%s', (what, make) => {
  function withIt(name: string): string {
    const dir = join(made.scratch, `${what} for ${name}`);
    cpSync(whole, dir, { recursive: true });
    rmSync(join(dir, name));
    make(join(dir, name));
    return dir;
  }

  it('in the place of its records is a defect, and keeps nobody waiting', async () => {
    const { verdict, defects } = await verifyBackup(readBackup(withIt(records)), {});
    expect([verdict.ok, verdict.findings[0]?.code]).toEqual([false, 'store_unreadable']);
    expect(defects).toEqual([`${records}: it is no file`]);
  });

  it('in the place of its manifest makes it none', () => {
    const dir = withIt('manifest.json');
    expect(() => readBackup(dir)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
