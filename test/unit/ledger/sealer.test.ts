/** The sealer by itself: what is sealed of what was handed in, a change of key that fails, and what it takes once a commit failed. */
import { expect, it } from 'vitest';
import { signerOf } from '../../../src/ledger/checkpoint.ts';
import { emptyHead } from '../../../src/ledger/head.ts';
import { type Draft, type Sealer, startSealer } from '../../../src/ledger/sealer.ts';
import type { LedgerStore } from '../../../src/ledger/store.ts';
import { emptyTree } from '../../../src/ledger/tree.ts';
import {
  createLedgerUnderTest,
  kek,
  requestDraft,
  signingKey,
  signingKeyOf,
} from '../../fault/ledger-under-test.ts';
import { createMemoryDisk, createMemoryMark } from '../../fault/memory-disk.ts';

const ledgerId = '00112233445566778899aabbccddeeff';
const origin = `holdpoint/${ledgerId}`;
const signer = signerOf(origin, signingKey);
const next = signerOf(origin, signingKeyOf('next'));

async function start(
  change: Partial<LedgerStore> = {},
  onFailure: (error: unknown) => void = () => undefined,
): Promise<Sealer> {
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
    onFailure,
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

const textDraft = (bytes: Buffer): Draft => ({ ...requestDraft, parts: [{ name: 'request', bytes }] });

it('what the leaf says of its parts is known once the entry is durable, and not before', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const sealed = ledger.seal(textDraft(Buffer.from('pay')));
  expect(() => sealed.parts()).toThrow('once it is durable');
  await sealed.durable;
  expect(sealed.parts()).toEqual(house.entries().at(-1)?.parts);
  expect(sealed.parts()).toMatchObject([{ name: 'request', size: 3 }]);
  await ledger.close('done');
});

it('an entry that no leaf may hold is refused at once, and the next has its number', async () => {
  const sealer = await start();
  expect(() => sealer.seal({ ...requestDraft, data: { text: 'x'.repeat(65_536) } })).toThrow(RangeError);
  expect(() => sealer.seal({ ...requestDraft, data: { share: 0.5 } })).toThrow(RangeError);
  const { seq, durable } = sealer.seal(requestDraft);
  expect(seq).toBe(1);
  await durable;
});

it('what is large is encrypted when it is handed in, and does not wait in the clear', async () => {
  const ledger = await createLedgerUnderTest().open();
  const storedOf = async (bytes: number): Promise<string> => {
    const body = Buffer.alloc(bytes, 'a');
    const { seq, durable } = ledger.seal(textDraft(body));
    body.fill('b');
    await durable;
    return (await ledger.part(seq, 'request')).toString('latin1', 0, 1);
  };
  expect(await storedOf(64 * 1024)).toBe('b');
  expect(await storedOf(64 * 1024 + 1)).toBe('a');
  await ledger.close('done');
});

it('an entry whose contents are taken away while it waits is not sealed, nor is what waits with it', async () => {
  const failures: unknown[] = [];
  const sealer = await start({}, (error) => failures.push(error));
  await sealer.drain();
  const memory = new ArrayBuffer(3, { maxByteLength: 3 });
  const beside = sealer.seal(requestDraft);
  const { durable } = sealer.seal(textDraft(Buffer.from(memory)));
  memory.resize(0);
  await expect(durable).rejects.toMatchObject({ code: 'ledger_unavailable' });
  await expect(beside.durable).rejects.toMatchObject({ code: 'ledger_unavailable' });
  expect(() => beside.parts()).toThrow('once it is durable');
  expect(failures).toEqual([new Error('Entry 2 was changed while it waited.')]);
  expect(sealer.durable().size).toBe(1);
});

it('a heartbeat vouches for entries that wait in front of it, in blocks that were not begun', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const many = Array.from({ length: 1_500 }, () => ledger.seal(requestDraft).durable);
  await Promise.all(many);
  await ledger.close('done');
  expect(await house.verify()).toMatchObject({ ok: true });
  const reopened = await house.open();
  await reopened.close('done');
});

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
