/** How often a heartbeat vouches for the state before it, so that a start need not read further back. */
import { expect, it } from 'vitest';
import type { Draft } from '../../../src/ledger/sealer.ts';
import { createLedgerUnderTest } from '../../fault/ledger-under-test.ts';

const policyOf = (bytes: Buffer): Draft => ({
  type: 'policy',
  data: { digest: 'c'.repeat(64), result: 'loaded', version: '1' },
  parts: [{ name: 'source', bytes }],
});
const small = policyOf(Buffer.from('rules: []'));
const mebibyte = policyOf(Buffer.alloc(1024 * 1024));

async function open() {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  return {
    ledger,
    seal: async (count: number, draft = small) => {
      await Promise.all(Array.from({ length: count }, () => ledger.seal(draft).durable));
    },
    snapshots: () =>
      house.entries().filter(({ type, data }) => type === 'heartbeat' && 'snapshot' in data).length,
  };
}

it('one comes after each 1024 entries', async () => {
  const { ledger, seal, snapshots } = await open();
  const before = snapshots();
  const entries = ledger.durable().size;
  await seal(1_024 - entries);
  expect(snapshots()).toBe(before);
  await seal(1);
  expect(snapshots()).toBe(before + 1);
  // The first of these came right after it.
  await seal(1_023);
  expect(snapshots()).toBe(before + 1);
  await seal(1);
  expect(snapshots()).toBe(before + 2);
  await ledger.close('done');
});

it('one comes after each 8 MiB', async () => {
  const { ledger, seal, snapshots } = await open();
  const before = snapshots();
  for (let mebibytes = 1; mebibytes <= 7; mebibytes += 1) await seal(1, mebibyte);
  await seal(1);
  expect(snapshots()).toBe(before);
  await seal(1, mebibyte);
  await seal(1);
  expect(snapshots()).toBe(before + 1);
  await ledger.close('done');
});
