import { expect, it } from 'vitest';
import { parseRecordKey } from '../../../src/ledger/block.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { readBlocks, readEntry, readPart } from '../../../src/ledger/reader.ts';
import type { RecordStore } from '../../../src/ledger/store.ts';
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

it('leaves out an entry that is damaged where the others are wanted, and says which it is and why', async () => {
  const [at = -1] = decisions.map(Number);
  const damaged: RecordStore = {
    ...store,
    scan: async function* (range) {
      for await (const { key, value } of store.scan(range)) {
        const place = parseRecordKey(key);
        const isIt = place?.kind === 'block' && place.seq === at;
        const broken = Buffer.from(value);
        if (isIt) broken.write('!', broken.indexOf('"'));
        yield { key, value: broken };
      }
    },
  };
  const range = { fromSeq: 0, reverse: false };
  const told: [number, string][] = [];
  const seqs: number[] = [];
  for await (const entries of readBlocks(damaged, range, ({ seq, message }) => told.push([seq, message])))
    seqs.push(...entries.map(({ seq }) => seq));
  expect(told).toEqual([[at, `Entry ${at} cannot be read: A leaf is not JSON.`]]);
  expect(seqs).toEqual(all.map(({ seq }) => seq).filter((seq) => seq !== at));
  const strict = async () => {
    for await (const entries of readBlocks(damaged, range)) seqs.push(...entries.map(({ seq }) => seq));
  };
  await expect(strict()).rejects.toMatchObject({ code: 'ledger_damaged', seq: at });
});
