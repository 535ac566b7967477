import fc from 'fast-check';
import { expect, it } from 'vitest';
import { signerOf } from '../../../src/ledger/checkpoint.ts';
import { emptyHead } from '../../../src/ledger/head.ts';
import { resume } from '../../../src/ledger/resume.ts';
import { type Sealer, startSealer } from '../../../src/ledger/sealer.ts';
import { emptyTree } from '../../../src/ledger/tree.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { kek, requestDraft, responseDraft, signingKey } from '../../fault/ledger-under-test.ts';
import { createMemoryDisk, createMemoryMark } from '../../fault/memory-disk.ts';

const ledgerId = '00112233445566778899aabbccddeeff';
const signerFor = (id: string) => signerOf(`holdpoint/${id}`, signingKey);

type Act = 'call' | 'answer' | 'close' | 'beat' | 'commit';
const acts = fc.array(
  fc.record({
    act: fc.constantFrom<Act>('call', 'call', 'answer', 'answer', 'close', 'beat', 'commit'),
    pick: fc.nat(),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Plays a history of calls, answers, outcomes and heartbeats into a fresh ledger. */
async function play(history: readonly { act: Act; pick: number }[]) {
  const disk = createMemoryDisk();
  const mark = createMemoryMark();
  const store = await disk.open();
  let us = 0;
  const signer = signerFor(ledgerId);
  const sealer: Sealer = startSealer({
    ledgerId,
    boot: '0011223344556677',
    durability: 'strict',
    signer,
    kek,
    clock: { nowMs: () => 1_800_000_000_000, monoUs: () => (us += 1) },
    highWater: mark,
    store,
    head: emptyHead(),
    tree: emptyTree,
    note: Buffer.alloc(0),
    onDurable: () => undefined,
    onFailure: (error) => {
      throw error;
    },
  });
  sealer.seal({ type: 'genesis', data: { key: signer.verifierKey, origin: signer.origin, product: 'test' } });
  /** Open decisions, and whether they have their answer. */
  const open: { seq: number; answered: boolean }[] = [];
  for (const { act, pick } of history) {
    const chosen = open[pick % Math.max(1, open.length)];
    if (act === 'call') open.push({ seq: sealer.seal(requestDraft).seq, answered: false });
    else if (act === 'beat') sealer.beat();
    else if (act === 'commit') await sealer.drain();
    else if (act === 'answer' && chosen?.answered === false) {
      sealer.seal(responseDraft(chosen.seq));
      chosen.answered = true;
    } else if (act === 'close' && chosen !== undefined) {
      const outcome = chosen.answered ? 'delivered' : 'client_abort';
      sealer.seal({ type: 'delivery', data: { outcomes: [[chosen.seq, outcome]] } });
      open.splice(open.indexOf(chosen), 1);
    }
  }
  await sealer.drain();
  return { disk, mark, store, open };
}

it('going on from the latest snapshot is going on from the beginning', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (history) => {
      const { mark, store, open } = await play(history);
      const fromSnapshot = await resume(store, mark, signerFor, 0, [kek]);
      const fromGenesis = await resume(store, mark, signerFor, Number.POSITIVE_INFINITY, [kek]);
      // How much was read differs, and with it whether bodies were among it.
      const aside = { checked: '', entriesChecked: 0, kekId: '' };
      expect({ ...fromSnapshot, ...aside }).toEqual({ ...fromGenesis, ...aside });
      expect(fromGenesis?.head.nextSeq).toBe(mark.mark?.size);
      expect([...(fromGenesis?.head.open.keys() ?? [])]).toEqual(open.map(({ seq }) => seq));
    }),
    { numRuns: 60 },
  );
});

it('every history verifies, its snapshots included', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (history) => {
      const { disk, open } = await play(history);
      const verdict = await verifyLedger(disk.source(), { openBody: new Uint8Array(kek.key) });
      expect(verdict.findings).toEqual([]);
      expect(verdict.decisions.open).toBe(open.length);
    }),
    { numRuns: 30 },
  );
});

it('a snapshot is used: what lies before it is not read again', async () => {
  const { mark, store } = await play([
    { act: 'call', pick: 0 },
    { act: 'commit', pick: 0 },
    { act: 'beat', pick: 0 },
    { act: 'commit', pick: 0 },
    { act: 'answer', pick: 0 },
  ]);
  const fromSnapshot = await resume(store, mark, signerFor, 0, [kek]);
  const fromGenesis = await resume(store, mark, signerFor, Number.POSITIVE_INFINITY, [kek]);
  expect([fromSnapshot?.entriesChecked, fromGenesis?.entriesChecked]).toEqual([2, 4]);
});
