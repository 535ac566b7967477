/** A ledger in a directory of its own, with copies of it to spoil. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHighWater } from '../../src/store/high-water.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { openLevelCache } from '../../src/store/level.ts';
import { createLedgerUnderTest, exchange } from './ledger-under-test.ts';

export interface LedgerPaths {
  readonly dataDir: string;
  readonly ledgerDir: string;
  readonly indexDir: string;
  readonly highWater: string;
}

export interface MadeLedger {
  /** Where it lies, and its copies beside it. */
  readonly scratch: string;
  readonly paths: LedgerPaths;
  copy(): LedgerPaths;
  remove(): void;
}

function pathsIn(dataDir: string): LedgerPaths {
  return {
    dataDir,
    ledgerDir: join(dataDir, 'ledger'),
    indexDir: join(dataDir, 'index'),
    highWater: join(dataDir, 'high-water'),
  };
}

/** Makes one of so many exchanges, and closes it. */
export async function makeLedger(exchanges: number): Promise<MadeLedger> {
  const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-made-'));
  const paths = pathsIn(join(scratch, 'made'));
  const mark = openHighWater(paths.highWater);
  const ledger = await createLedgerUnderTest().open({
    openStore: () => openLedgerStore(paths.ledgerDir),
    openIndexStore: () => openLevelCache(paths.indexDir),
    highWater: mark,
  });
  for (let turn = 0; turn < exchanges; turn += 1) await exchange(ledger, () => undefined);
  await ledger.close('test');
  mark.close();
  let copies = 0;
  return {
    scratch,
    paths,
    copy: () => {
      copies += 1;
      const copied = pathsIn(join(scratch, `${copies}`));
      cpSync(paths.dataDir, copied.dataDir, { recursive: true });
      return copied;
    },
    remove: () => rmSync(scratch, { recursive: true, force: true }),
  };
}
