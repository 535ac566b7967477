/** The sealer by itself: a change of key that fails, and what it takes once a commit failed. */
import { expect, it } from 'vitest';
import { signerOf } from '../../../src/ledger/checkpoint.ts';
import { emptyHead } from '../../../src/ledger/head.ts';
import { type Sealer, startSealer } from '../../../src/ledger/sealer.ts';
import type { LedgerStore } from '../../../src/ledger/store.ts';
import { emptyTree } from '../../../src/ledger/tree.ts';
import { kek, requestDraft, signingKey, signingKeyOf } from '../../fault/ledger-under-test.ts';
import { createMemoryDisk, createMemoryMark } from '../../fault/memory-disk.ts';

const ledgerId = '00112233445566778899aabbccddeeff';
const origin = `holdpoint/${ledgerId}`;
const signer = signerOf(origin, signingKey);
const next = signerOf(origin, signingKeyOf('next'));

async function start(change: Partial<LedgerStore> = {}): Promise<Sealer> {
  const store = await createMemoryDisk().open();
  let us = 0;
  const sealer = startSealer({
    ledgerId,
    boot: '0011223344556677',
    durability: 'strict',
    signer,
    kek,
    clock: { nowMs: () => 1_800_000_000_000, monoUs: () => (us += 1) },
    highWater: createMemoryMark(),
    store: { ...store, ...change },
    head: emptyHead(),
    tree: emptyTree,
    note: Buffer.alloc(0),
    onDurable: () => undefined,
    onFailure: () => undefined,
  });
  sealer.seal({ type: 'genesis', data: { key: signer.verifierKey, origin, product: 'test' } });
  return sealer;
}

/** The key hashes of a note's signatures (C2SP signed-note). */
function signersOf(note: Buffer): readonly string[] {
  const lines = note
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('— '));
  return lines.map((line) => Buffer.from(line.split(' ')[2] ?? '', 'base64').toString('hex', 0, 4));
}

it('a key whose entry cannot be sealed signs nothing', async () => {
  const sealer = await start();
  const tooLong = { action: 'rotate', reason: 'x'.repeat(1024 * 1024) };
  expect(() => sealer.changeKey(next, tooLong)).toThrow(RangeError);
  await sealer.seal(requestDraft).durable;
  await sealer.seal(requestDraft).durable;
  expect(signersOf(sealer.durable().note)).toEqual([signer.kid]);
});

it('once a commit failed it takes no entry, no heartbeat and no key', async () => {
  const sealer = await start({ commit: () => Promise.reject(new Error('no space left')) });
  await expect(sealer.drain()).rejects.toMatchObject({ code: 'ledger_unavailable' });
  const refused = expect.objectContaining({ code: 'ledger_unavailable' });
  expect(() => sealer.seal(requestDraft)).toThrow(refused);
  expect(() => sealer.beat()).toThrow(refused);
  expect(() => sealer.changeKey(next, { action: 'rotate' })).toThrow(refused);
});

it('a commit that fails refuses all that waited behind it', async () => {
  const begun = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const commit = (): Promise<void> => {
    begun.resolve();
    return written.promise;
  };
  const sealer = await start({ commit });
  await begun.promise;
  const ofNextBlock = sealer.seal(requestDraft).durable;
  // It begins a block of its own.
  sealer.beat();
  const ofTheOneAfter = sealer.seal(requestDraft).durable;
  written.reject(new Error('no space left'));
  await expect(ofNextBlock).rejects.toMatchObject({ code: 'ledger_unavailable' });
  await expect(ofTheOneAfter).rejects.toMatchObject({ code: 'ledger_unavailable' });
});
