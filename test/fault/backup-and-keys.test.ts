/** What is done to bodies while a backup of them is taken: a key is retired that opens them, or they are erased. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { kekOf } from '../../src/ledger/vault.ts';
import { readBackup, takeBackup, verifyBackup } from '../../src/store/backup.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { waitFor } from '../support/wait-for.ts';
import { createLedgerUnderTest, exchange, kek } from './ledger-under-test.ts';

vi.setConfig({ testTimeout: 60_000 });

const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-backup-keys-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('a retired key: is no backup, the first one neither, and the next attempt is one', async () => {
  const ledgerDir = join(scratch, 'ledger');
  const dir = join(scratch, 'backup');
  const house = createLedgerUnderTest();
  const ledger = await house.open({ openStore: () => openLedgerStore(ledgerDir) });
  await exchange(ledger, () => undefined);
  // Then nothing is sealed after the retirement, and it stands in the last block of the second attempt.
  await waitFor(() => expect(ledger.openDecisions()).toEqual([]));
  const facts = { origin: ledger.origin, key: ledger.verifierKey, taken: '2026-11-26T00:00:00.000Z' };
  const back = async (meanwhile: () => Promise<void>): Promise<void> => {
    const store = await openLedgerCopy(ledgerDir);
    try {
      await takeBackup(store, dir, facts, async () => {
        await meanwhile();
        return openLedgerCopy(ledgerDir);
      });
    } finally {
      await store.close();
    }
  };
  const order = { by: 'olga', reason: 'yearly' };
  const retire = async (): Promise<void> => {
    await ledger.beginEpoch(kekOf(Buffer.alloc(32, 7)), order);
    await ledger.retireKek(kek.id, order);
  };
  await expect(back(retire)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining(kek.id),
  });
  expect(existsSync(join(dir, 'manifest.json'))).toBe(false);
  await back(async () => undefined);
  expect(readBackup(dir).manifest.size).toBe(ledger.durable().size);
  await ledger.close('test');
});

it('an erasure: what was copied is no backup and stays as it was, and the next attempt is one', async () => {
  const ledgerDir = join(scratch, 'erased');
  const dir = join(scratch, 'backup of erased');
  const house = createLedgerUnderTest();
  const ledger = await house.open({ openStore: () => openLedgerStore(ledgerDir) });
  const decision = await exchange(ledger, () => undefined);
  await waitFor(() => expect(ledger.openDecisions()).toEqual([]));
  const facts = { origin: ledger.origin, key: ledger.verifierKey, taken: '2026-11-26T00:00:00.000Z' };
  const back = async (meanwhile: () => Promise<unknown>): Promise<void> => {
    const store = await openLedgerCopy(ledgerDir);
    try {
      await meanwhile();
      await takeBackup(store, dir, facts, () => openLedgerCopy(ledgerDir));
    } finally {
      await store.close();
    }
  };
  const data = {
    ...{ action: 'erase', basis: 'objection', by: 'petra', final: true, request: 'ab'.repeat(8) },
    ...{ role: 'privacy', scope: { decision }, targets: [[decision, 0]] },
  };
  const erase = () => ledger.erase({ type: 'erasure', data }, () => true);
  await expect(back(erase)).rejects.toMatchObject({ code: 'overloaded' });
  expect(existsSync(join(dir, 'manifest.json'))).toBe(false);
  await back(async () => undefined);
  const { verdict, defects } = await verifyBackup(readBackup(dir), {});
  expect([verdict.findings, verdict.bodies.erased, defects]).toEqual([[], 1, []]);
  await ledger.close('test');
});

it('another backup into the same directory: the one that ends first is it, and the other says so', async () => {
  const ledgerDir = join(scratch, 'twice');
  const house = createLedgerUnderTest();
  const ledger = await house.open({ openStore: () => openLedgerStore(ledgerDir) });
  await exchange(ledger, () => undefined);
  const facts = { origin: ledger.origin, key: ledger.verifierKey, taken: '2026-11-28T00:00:00.000Z' };
  const back = async (dir: string, meanwhile: () => Promise<unknown>): Promise<void> => {
    const store = await openLedgerCopy(ledgerDir);
    try {
      await takeBackup(store, dir, facts, async () => {
        await meanwhile();
        return openLedgerCopy(ledgerDir);
      });
    } finally {
      await store.close();
    }
  };
  const nothing = async (): Promise<void> => undefined;
  // Begun by both, then gone on with by both.
  const dir = join(scratch, 'backup of two');
  for (let turn = 0; turn < 2; turn += 1) {
    await exchange(ledger, () => undefined);
    const other = async (): Promise<void> => {
      await exchange(ledger, () => undefined);
      await back(dir, nothing);
    };
    await expect(back(dir, other)).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining('Another backup'),
    });
    const { verdict, defects } = await verifyBackup(readBackup(dir), {});
    expect([verdict.findings, defects]).toEqual([[], []]);
    expect(readdirSync(dir).filter((name) => name.endsWith('.new'))).toEqual([]);
  }
  await ledger.close('test');
});
