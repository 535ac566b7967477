import { describe, expect, it } from 'vitest';
import {
  decodeBlock,
  encodeBlock,
  isBodiesKey,
  parseRecordKey,
  recordKey,
} from '../../../src/ledger/block.ts';
import { signerOf } from '../../../src/ledger/checkpoint.ts';
import { resume } from '../../../src/ledger/resume.ts';
import type { RecordStore, StoredRecord } from '../../../src/ledger/store.ts';
import { createLedgerUnderTest, exchange, kek, signingKey } from '../../fault/ledger-under-test.ts';
import type { MemoryMark } from '../../fault/memory-disk.ts';
import { signNote } from '../../support/ledger-builder.ts';

const signerFor = (id: string) => signerOf(`holdpoint/${id}`, signingKey);

const house = createLedgerUnderTest();
const first = await house.open();
for (let call = 0; call < 3; call += 1) await exchange(first, () => undefined);
await first.close('test');
const records = house.disk.records();
const { mark } = house.mark;

function storeOf(all: readonly StoredRecord[]): RecordStore {
  return {
    commit: () => Promise.reject(new Error('the store must not be changed')),
    get: async (key) => all.find((record) => record.key.equals(key))?.value,
    scan: async function* ({ withoutBodies }) {
      for (const record of all.toReversed()) {
        if (withoutBodies !== true || !isBodiesKey(record.key)) yield record;
      }
    },
    close: () => Promise.resolve(),
  };
}

const markAt = (size: number, root: string): MemoryMark => ({
  mark: { size, root },
  read: () => ({ size, root }),
  write: () => undefined,
});

const resumed = (all: readonly StoredRecord[], highWater = house.mark) =>
  resume(storeOf(all), highWater, signerFor, Number.POSITIVE_INFINITY, [kek]);

const kindOf = (record: StoredRecord) => parseRecordKey(record.key)?.kind;
const blocks = records.filter((record) => kindOf(record) === 'block');
const lastBlock = blocks.at(-1);
if (lastBlock === undefined) throw new Error('the ledger has blocks');

describe('start-up', () => {
  it('goes on where the ledger ends', async () => {
    const state = await resumed(records);
    expect(state?.head.nextSeq).toBe(mark?.size);
    expect(state?.ledgerId).toBe(first.id);
    expect(state?.head.open.size).toBe(0);
  });

  it('does not check again what a copy of the store was checked to be, byte for byte', async () => {
    const copied = await resumed(records);
    const bodiesUnread = storeOf(records.filter(({ key }) => !isBodiesKey(key)));
    const again = await resume(bodiesUnread, house.mark, signerFor, Number.POSITIVE_INFINITY, [kek], copied);
    expect(again).toBe(copied);
  });

  it('reads bodies of the newest 128 blocks and of no more, however many are checked', async () => {
    const many = createLedgerUnderTest();
    const ledger = await many.open();
    for (let call = 0; call < 80; call += 1) await exchange(ledger, () => undefined);
    await ledger.close('test');
    const all = many.disk.records();
    const store = storeOf(all);
    const read: Buffer[] = [];
    const get: RecordStore['get'] = (key) => {
      read.push(key);
      return store.get(key);
    };
    await resume({ ...store, get }, many.mark, signerFor, Number.POSITIVE_INFINITY, [kek]);
    const bodies = all.map(({ key }) => key).filter((key) => isBodiesKey(key));
    expect(bodies.length).toBeGreaterThan(150);
    expect(read).toEqual(bodies.slice(-128).reverse());
  });

  it('checks a store that is not what its copy was, and a mark that moved since', async () => {
    const copied = await resumed(records);
    const flipped = Buffer.from(lastBlock.value);
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    const altered = records.map((record) => (record === lastBlock ? { ...record, value: flipped } : record));
    const over = (store: RecordStore, highWater: typeof house.mark | MemoryMark) =>
      resume(store, highWater, signerFor, Number.POSITIVE_INFINITY, [kek], copied);
    await expect(over(storeOf(altered), house.mark)).rejects.toMatchObject({ code: 'ledger_damaged' });
    await expect(over(storeOf(records.slice(2)), house.mark)).rejects.toMatchObject({
      code: 'ledger_damaged',
    });
    const beyond = markAt((mark?.size ?? 0) + 1, 'f'.repeat(64));
    await expect(over(storeOf(records), beyond)).rejects.toMatchObject({ code: 'ledger_rolled_back' });
  });

  it('takes an empty store for a new ledger, unless one was there before', async () => {
    expect(await resumed([], { ...house.mark, read: () => null })).toBeNull();
    await expect(resumed([])).rejects.toMatchObject({ code: 'ledger_rolled_back' });
  });

  it('refuses a ledger that lost its end', async () => {
    const at = records.indexOf(lastBlock);
    await expect(resumed(records.slice(0, at))).rejects.toMatchObject({ code: 'ledger_rolled_back' });
  });

  it.each(blocks.slice(0, -1).map((block, index) => [index, block] as const))(
    'refuses a ledger without its block %i',
    async (_index, block) => {
      const without = records.filter((record) => record !== block);
      await expect(resumed(without)).rejects.toMatchObject({ code: 'ledger_damaged' });
    },
  );

  it('refuses a ledger without the bodies of a block', async () => {
    for (const record of records.filter((candidate) => kindOf(candidate) === 'bodies')) {
      const without = records.filter((other) => other !== record);
      await expect(resumed(without)).rejects.toMatchObject({ code: 'ledger_damaged' });
    }
  });

  it('refuses a key that is none of the format', async () => {
    const foreign = { key: Buffer.from('note to self'), value: Buffer.alloc(1) };
    await expect(resumed([...records, foreign])).rejects.toMatchObject({ code: 'ledger_damaged' });
  });

  it('refuses one bit flipped in bytes all over leaf, body and last checkpoint', async () => {
    let unnoticed = 0;
    for (const record of records) {
      // Signatures of superseded checkpoints and wrapped keys are for `verify`; the rest is for every start.
      const isLast = record === lastBlock;
      const { value } = record;
      const note = kindOf(record) === 'block' ? decodeBlock(value).note.length : 0;
      const from = kindOf(record) === 'bodies' ? 29 + value.readUInt32BE(25) : 0;
      const to = kindOf(record) === 'block' && !isLast ? value.length - note : value.length;
      for (let byte = from; byte < to; byte += byte < to - 200 ? 5 : 1) {
        const flipped = Buffer.from(value);
        // The lowest bit where base64 is padded: it may stand for no bit of the signature.
        flipped[byte] = (flipped[byte] ?? 0) ^ (byte >= value.length - 4 ? 1 : 1 << (byte & 7));
        const damaged = records.map((other) => (other === record ? { ...record, value: flipped } : other));
        const refused = await resumed(damaged).then(
          () => false,
          () => true,
        );
        if (!refused) unnoticed += 1;
      }
    }
    expect(unnoticed).toBe(0);
  });

  it('refuses a high-water mark that remembers another root at a size the ledger has', async () => {
    const other = markAt((mark?.size ?? 1) - 1, 'f'.repeat(64));
    await expect(resumed(records, other)).rejects.toMatchObject({ code: 'ledger_damaged' });
  });

  it('accepts a high-water mark that lags behind', async () => {
    const entries = house.entries();
    expect((await resumed(records, { ...house.mark, read: () => null }))?.head.nextSeq).toBe(entries.length);
  });

  it('refuses a checkpoint that somebody else signed', async () => {
    const { leaves, note } = decodeBlock(lastBlock.value);
    const [origin = '', size = '', root = ''] = note.toString().split('\n');
    const forged = signNote('someone', origin, Number(size), Buffer.from(root, 'base64'));
    const value = encodeBlock(leaves, Buffer.from(forged));
    const altered = records.map((record) => (record === lastBlock ? { ...record, value } : record));
    await expect(resumed(altered)).rejects.toMatchObject({ code: 'ledger_damaged' });
  });

  it('refuses the signing key of another ledger by name, before anything is written', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const strangers = (id: string) => signerOf(`holdpoint/${id}`, stranger);
    await expect(
      resume(storeOf(records), house.mark, strangers, Number.POSITIVE_INFINITY, [kek]),
    ).rejects.toMatchObject({ code: 'config_invalid', message: expect.stringContaining('signing.pem') });
  });

  it('refuses a block in the place of another', async () => {
    const [one, two] = blocks;
    if (one === undefined || two === undefined) throw new Error('the ledger has two blocks');
    const moved = records.map((record) => (record === two ? { key: two.key, value: one.value } : record));
    await expect(resumed(moved)).rejects.toMatchObject({ code: 'ledger_damaged' });
    expect(recordKey(0, 'block').equals(one.key)).toBe(true);
  });
});
