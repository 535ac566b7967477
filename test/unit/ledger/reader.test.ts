import { expect, it } from 'vitest';
import type { Entry } from '../../../src/ledger/entry.ts';
import { readBlocks, readEntry, readPart } from '../../../src/ledger/reader.ts';
import { createLedgerUnderTest, exchange, kek } from '../../fault/ledger-under-test.ts';

const house = createLedgerUnderTest();
const ledger = await house.open();
const decisions = [await exchange(ledger, () => undefined), await exchange(ledger, () => undefined)];
await ledger.close('test');
const all = house.entries();
const store = await house.disk.open();

async function seqsFrom(fromSeq: number, reverse: boolean): Promise<readonly number[]> {
  const blocks: Entry[][] = [];
  for await (const block of readBlocks(store, { fromSeq, reverse })) blocks.push([...block]);
  return blocks.flatMap((block) => (reverse ? block.toReversed() : block)).map(({ seq }) => seq);
}

it('reads each entry by its number, and none that is not there', async () => {
  for (const { seq, type } of all) expect(await readEntry(store, seq)).toMatchObject({ seq, type });
  await expect(readEntry(store, all.length)).rejects.toMatchObject({ code: 'not_found' });
  await expect(readEntry(store, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: 'not_found' });
});

it('reads each body back, and says which there is none of', async () => {
  const [decision = -1] = decisions;
  expect((await readPart(store, [kek], decision, 'request')).toString()).toBe('what is a hold point?');
  expect((await readPart(store, [kek], decision + 1, 'response')).toString()).toBe('a place to stop');
  await expect(readPart(store, [kek], decision, 'response')).rejects.toMatchObject({ code: 'not_found' });
  await expect(readPart(store, [kek], 0, 'request')).rejects.toMatchObject({ code: 'not_found' });
});

it('walks forwards and backwards from any entry, whole blocks at a time', async () => {
  const seqs = all.map(({ seq }) => seq);
  expect(await seqsFrom(0, false)).toEqual(seqs);
  expect(await seqsFrom(Number.MAX_SAFE_INTEGER, true)).toEqual(seqs.toReversed());
  for (const seq of seqs) {
    const onwards = await seqsFrom(seq, false);
    expect(onwards.slice(onwards.indexOf(seq))).toEqual(seqs.slice(seq));
    const back = await seqsFrom(seq, true);
    expect(back.slice(back.indexOf(seq))).toEqual(seqs.slice(0, seq + 1).toReversed());
  }
});
