/** A journal that lost whole frames from its end, which LevelDB has: no frame of it is damaged, and yet no start goes on from it. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, expect, it, vi } from 'vitest';
import { frameHeaderBytes, streamHeader } from '../../src/ledger/frame.ts';
import { fsck } from '../../src/store/fsck.ts';
import { segmentFile } from '../../src/store/journal.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { repair } from '../../src/store/repair.ts';
import { makeLedger } from './made-ledger.ts';

vi.setConfig({ testTimeout: 30_000 });

const made = await makeLedger(2);
afterAll(() => made.remove());

/** Bytes at which its frames begin, and where the last one ends. */
function boundaries(journal: Buffer): readonly number[] {
  const found = [streamHeader.length];
  for (let at = streamHeader.length; at + frameHeaderBytes <= journal.length; ) {
    at += frameHeaderBytes + journal.readUInt32BE(at);
    found.push(at);
  }
  return found;
}

it('is damaged, at the byte where it ends, and LevelDB is not made again from it', async () => {
  const ends = boundaries(readFileSync(segmentFile(made.paths.ledgerDir, 1)));
  expect(ends.length).toBeGreaterThan(4);
  for (const end of ends.slice(1, -1)) {
    const paths = made.copy();
    const file = segmentFile(paths.ledgerDir, 1);
    truncateSync(file, end);
    const report = await fsck(paths);
    expect(report.journalIsWhole).toBe(false);
    expect(report.findings).toContainEqual({
      kind: 'damage',
      file,
      byte: end,
      message: 'it ends here, and LevelDB has frames that were behind',
    });
    await expect(openLedgerStore(paths.ledgerDir)).rejects.toMatchObject({ code: 'ledger_damaged' });
    // Without the mark nothing else would keep a repair from leaving out what LevelDB has.
    rmSync(paths.highWater);
    const derived = { kind: 'derived', file: paths.ledgerDir, byte: -1, message: 'something' } as const;
    await expect(repair(paths, { ...report, findings: [derived] })).rejects.toMatchObject({
      code: 'ledger_damaged',
    });
  }
});

it('is told of once where a frame of it is damaged too', async () => {
  const paths = made.copy();
  const file = segmentFile(paths.ledgerDir, 1);
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, -3));
  const { findings } = await fsck(paths);
  expect(findings.filter((found) => found.kind === 'damage' && found.message.includes('ends'))).toHaveLength(
    1,
  );
});
