/** Ledgers as files that programs not ours can read: exports of records and of tiles. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { exportTiles } from '../../src/ledger/export.ts';
import { encodeFrame, streamHeader } from '../../src/ledger/frame.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import {
  createLedgerUnderTest,
  exchange,
  type LedgerUnderTest,
  sealMarked,
} from '../fault/ledger-under-test.ts';
import type { LedgerRecord } from '../support/ledger-builder.ts';

/** Records in the order given, a frame for each block and what follows it: the frames are right, whatever is in them. */
export function streamOf(records: readonly LedgerRecord[]): Buffer {
  const commits: { key: Buffer; value: Buffer }[][] = [];
  for (const { key, value } of records) {
    const record = { key: Buffer.from(key), value: Buffer.from(value) };
    const last = commits.at(-1);
    if (last === undefined || key[8] === 1) commits.push([record]);
    else last.push(record);
  }
  return Buffer.concat([streamHeader, ...commits.map(encodeFrame)]);
}

export interface Folder {
  readonly path: string;
  /** Writes a file below it and returns its path. */
  write(name: string, bytes: Buffer | string): string;
  remove(): void;
}

export function makeFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'holdpoint-opinion-'));
  return {
    path,
    write: (name, bytes) => {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** A ledger made by the product's own sealer: exchanges with bodies, and `entries` small entries. */
export async function sealLedger(entries: number): Promise<LedgerUnderTest> {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await exchange(ledger, () => undefined);
  for (let sealed = 0; sealed < entries; sealed += 50)
    await sealReads(ledger, Math.min(50, entries - sealed));
  await exchange(ledger, () => undefined);
  await ledger.close('test');
  return house;
}

async function sealReads(ledger: Ledger, count: number): Promise<void> {
  const draft = { type: 'access' as const, data: { by: 'ada', role: 'auditor', action: 'read' } };
  await Promise.all(Array.from({ length: count }, () => sealMarked(ledger, draft)));
}

/** Opens the ledger's store for `read` only. */
export async function withStore<T>(
  house: LedgerUnderTest,
  read: (store: LedgerStore) => Promise<T>,
): Promise<T> {
  const store = await house.disk.open();
  return read(store).finally(() => store.close());
}

/** Writes the tiles below the folder; returns the directory. */
export async function writeTiles(house: LedgerUnderTest, folder: Folder, name: string): Promise<string> {
  await withStore(house, async (store) => {
    for await (const { path, bytes } of exportTiles(store)) folder.write(join(name, path), bytes);
  });
  return join(folder.path, name);
}
