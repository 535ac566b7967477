/** What has the name of a file of the ledger and is none: a finding, and nothing waits for it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { requireNoCutOffRepair } from '../../src/store/cut-off-repair.ts';
import { fsck } from '../../src/store/fsck.ts';
import { segmentFile } from '../../src/store/journal.ts';
import { framesFrom } from '../../src/store/journal-frames.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { makeLedger } from './made-ledger.ts';

const made = await makeLedger(1);
const { size } = await verifyDirectory(made.paths.dataDir, {});
afterAll(() => made.remove());

const odd = [
  ['a directory', (path: string) => mkdirSync(path), 'it is no file'],
  ['a pipe', (path: string) => execFileSync('mkfifo', [path]), 'it is no file'],
  [
    'a link that leads nowhere',
    (path: string) => symlinkSync('nowhere', path),
    'it cannot be read: no such file or directory (ENOENT)',
  ],
] as const;

describe.each(odd)('%s', (_what, put, message) => {
  it.each([
    ['a log of LevelDB', '000099.log', 'derived'],
    ['a table of LevelDB', '000099.ldb', 'derived'],
    ['a segment of the journal', 'journal-0000000002.hpj', 'damage'],
  ] as const)('in the place of %s is found by fsck', async (_name, name, kind) => {
    const paths = made.copy();
    const file = join(paths.ledgerDir, name);
    put(file);
    const report = await fsck(paths);
    expect(report.findings).toContainEqual({ kind, file, byte: -1, message });
    expect(report.entries).toBe(size);
  });

  it('in the place of a segment of the journal is damage, and what comes before it is verified', async () => {
    const paths = made.copy();
    put(join(paths.ledgerDir, 'journal-0000000002.hpj'));
    const { findings, ...verdict } = await verifyDirectory(paths.dataDir, {});
    expect(verdict).toMatchObject({ ok: false, size });
    expect(findings.map(({ code, seq }) => [code, seq])).toEqual([['store_unreadable', size]]);
  });

  it('in the place of the high-water mark is found by fsck', async () => {
    const paths = made.copy();
    rmSync(paths.highWater);
    put(paths.highWater);
    const { findings } = await fsck(paths);
    expect(findings).toEqual([{ kind: 'damage', file: paths.highWater, byte: -1, message }]);
  });
});

it('a file in the place of the ledger is no repair that was cut off', () => {
  const { ledgerDir } = made.copy();
  rmSync(ledgerDir, { recursive: true });
  writeFileSync(ledgerDir, '');
  expect(() => requireNoCutOffRepair(ledgerDir)).not.toThrow();
});

describe('as another user than the one who made it', () => {
  const nobody = 65_534;
  const closed = (path: string) => ({
    code: 'config_invalid',
    message: `${path} cannot be read: permission denied (EACCES).`,
    next: expect.stringContaining('another user'),
  });

  /** Root reads everything: it becomes somebody else meanwhile. */
  async function asAnother(run: () => Promise<unknown>): Promise<unknown> {
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(nobody);
    try {
      return await run();
    } catch (error) {
      return error;
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  }

  it('a ledger that lies in a closed directory is told, and is nothing that went wrong within', async () => {
    const { dataDir, ledgerDir } = made.copy();
    chmodSync(dataDir, 0o000);
    const said = await asAnother(async () => requireNoCutOffRepair(ledgerDir));
    chmodSync(dataDir, 0o700);
    expect(said).toMatchObject(closed(ledgerDir));
  });

  it('a ledger whose own directory is closed is told', async () => {
    const { ledgerDir } = made.copy();
    for (const open of [made.scratch, dirname(ledgerDir)]) chmodSync(open, 0o755);
    chmodSync(ledgerDir, 0o000);
    const said = await asAnother(async () => requireNoCutOffRepair(ledgerDir));
    chmodSync(ledgerDir, 0o700);
    expect(said).toMatchObject(closed(ledgerDir));
  });

  it('a segment of the journal that is closed is told, and is no damage', async () => {
    const { ledgerDir } = made.copy();
    for (const open of [made.scratch, dirname(ledgerDir), ledgerDir]) chmodSync(open, 0o755);
    const segment = segmentFile(ledgerDir, 1);
    chmodSync(segment, 0o000);
    const said = await asAnother(() => framesFrom(ledgerDir, null).next());
    expect(said).toMatchObject(closed(segment));
  });
});
