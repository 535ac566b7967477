import { expect, it } from 'vitest';
import { decodeBlock, parseRecordKey } from '../../../src/ledger/block.ts';
import { rootInNote } from '../../../src/ledger/checkpoint.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { provesConsistency, provesInclusion } from '../../../src/ledger/verify/proof.ts';
import { createLedgerUnderTest, type LedgerUnderTest, sealMarked } from '../../fault/ledger-under-test.ts';
import { createMemoryDisk } from '../../fault/memory-disk.ts';
import { leafHashOf, merkleRoot } from '../../support/ledger-builder.ts';
import { waitFor } from '../../support/wait-for.ts';

/** Seals `count` entries, some tens to a commit. */
async function seal(ledger: Ledger, count: number): Promise<void> {
  for (let sealed = 0; sealed < count; sealed += 40) {
    const batch = Math.min(40, count - sealed);
    const draft = { type: 'access' as const, data: { by: 'ada', role: 'auditor', action: 'read' } };
    await Promise.all(Array.from({ length: batch }, () => sealMarked(ledger, draft)));
  }
}

/** A ledger that was written and closed. */
async function closedAfter(count: number): Promise<LedgerUnderTest> {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await seal(ledger, count);
  await ledger.close('test');
  return house;
}

function hashesOn(house: LedgerUnderTest): Buffer[] {
  return house.disk
    .records()
    .flatMap(({ key, value }) =>
      parseRecordKey(key)?.kind === 'block' ? decodeBlock(value).leaves.map(leafHashOf) : [],
    );
}

/** Proves entries at several sizes, and the sizes to each other, against roots computed from all leaves. */
async function expectProofs(ledger: Ledger, hashes: readonly Buffer[]): Promise<void> {
  const { size, note } = ledger.durable();
  expect(hashes).toHaveLength(size);
  const roots = new Map<number, Buffer>();
  const rootAt = (at: number): Buffer => {
    const root = roots.get(at) ?? merkleRoot(hashes.slice(0, at));
    roots.set(at, root);
    return root;
  };
  expect(rootInNote(note)).toEqual(rootAt(size));
  const sizes = [1, 2, 255, 256, 257, 511, 512, 600, size - 1, size].filter((at) => at <= size);
  for (const at of sizes) {
    for (const seq of [0, 1, 255, 256, 300, at - 1].filter((other) => other < at)) {
      const proof = await ledger.tree.inclusion(seq, at);
      expect(proof.root).toEqual(rootAt(at));
      expect(proof.leafHash).toEqual(hashes[seq]);
      expect(provesInclusion(leafHashOf(proof.leaf), seq, at, proof.hashes, rootAt(at))).toBe(true);
    }
    for (const to of sizes.filter((other) => other >= at)) {
      const proof = await ledger.tree.consistency(at, to);
      expect(provesConsistency(at, rootAt(at), to, rootAt(to), proof.hashes)).toBe(true);
    }
  }
}

it('proves entries and sizes of a ledger that is being written', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  for (const count of [1, 260, 500]) {
    await seal(ledger, count);
    await expectProofs(ledger, hashesOn(house));
  }
  expect((await ledger.tree.inclusion(3)).note).toEqual(ledger.durable().note);
  await ledger.close('test');
});

it('gives the checkpoint of an older size where a commit ended there, and none elsewhere', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await seal(ledger, 3);
  const older = ledger.durable();
  await seal(ledger, 30);
  expect((await ledger.tree.inclusion(0, older.size)).note).toEqual(older.note);
  expect((await ledger.tree.inclusion(0, older.size + 1)).note).toBe(null);
  await ledger.close('test');
});

it('keeps its tiles: after a restart nothing but the newest entries is read again', async () => {
  const house = createLedgerUnderTest();
  const first = await house.open();
  await seal(first, 700);
  await first.tree.inclusion(0);
  await first.close('test');
  const second = await house.open();
  await second.tree.inclusion(0);
  const tiles = house.indexDisk.records().filter(({ key }) => key.toString('latin1', 0, 1) === 't');
  expect(tiles.map(({ value }) => value.length).filter((bytes) => bytes === 8192)).toHaveLength(2);
  await expectProofs(second, hashesOn(house));
  await second.close('test');
});

it.each(['lost', 'behind', 'of another ledger', 'cut short'] as const)(
  'makes its tiles again when they are %s',
  async (fault) => {
    const house = await closedAfter(300);
    const other = await closedAfter(fault === 'of another ledger' ? 900 : 1);
    const older = house.indexDisk.records();
    const second = await house.open();
    await seal(second, 400);
    await second.close('test');
    const disk = createMemoryDisk();
    const store = await disk.open();
    const kept = {
      lost: [],
      behind: older,
      'of another ledger': other.indexDisk.records(),
      'cut short': house.indexDisk.records().map(({ key, value }) => ({ key, value: value.subarray(0, 40) })),
    }[fault];
    // The lookup is not what is tried here.
    await store.commit(
      kept.filter(({ key }) => key.toString('latin1', 0, 1) === 't' && key.toString() !== 'tip'),
      true,
    );
    await store.close();
    Object.assign(house.indexDisk, { open: disk.open });
    const third = await house.open();
    await expectProofs(third, hashesOn(house));
    await third.close('test');
  },
);

it('finds tiles of another ledger out by itself, before anybody asks for a proof', async () => {
  const [house, other] = [await closedAfter(700), await closedAfter(700)];
  const tilesOn = ({ indexDisk }: LedgerUnderTest): Buffer[] =>
    indexDisk
      .records()
      .filter(({ key, value }) => key.toString('latin1', 0, 1) === 't' && value.length === 8192)
      .map(({ value }) => value);
  const [foreign] = tilesOn(other);
  const store = await house.indexDisk.open();
  await store.commit(
    other.indexDisk.records().filter(({ key }) => key.toString('latin1', 0, 1) === 't'),
    true,
  );
  await store.close();
  expect(tilesOn(house)[0]).toEqual(foreign);
  const second = await house.open();
  await seal(second, 300);
  await waitFor(() => expect(tilesOn(house)[0]).toEqual(Buffer.concat(hashesOn(house).slice(0, 256))));
  await second.close('test');
});

it('gives out nothing from a tile that was altered where it lay, and makes it again', async () => {
  const house = createLedgerUnderTest();
  const first = await house.open();
  await seal(first, 700);
  await first.tree.inclusion(0);
  await first.close('test');
  const store = await house.indexDisk.open();
  const tile = house.indexDisk.records().find(({ value }) => value.length === 8192);
  if (tile === undefined) throw new Error('there is a full tile');
  const altered = Buffer.from(tile.value);
  altered.writeUInt8(altered.readUInt8(5000) ^ 4, 5000);
  await store.commit([{ key: tile.key, value: altered }], true);
  await store.close();
  const second = await house.open();
  await expect(second.tree.inclusion(0)).rejects.toMatchObject({ code: 'ledger_damaged' });
  await expectProofs(second, hashesOn(house));
  await second.close('test');
});

it('is told of an entry that was altered in the ledger, and gives no proof of it', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await seal(ledger, 20);
  await ledger.tree.inclusion(0);
  const block = house.disk.records().find(({ key, value }) => {
    return parseRecordKey(key)?.kind === 'block' && value.includes('"by":"ada"');
  });
  if (block === undefined) throw new Error('there is a block with the name');
  const seq = parseRecordKey(block.key)?.seq ?? 0;
  const altered = Buffer.from(block.value.toString('latin1').replaceAll('"ada"', '"eve"'), 'latin1');
  house.disk.overwrite(block.key, altered);
  await expect(ledger.tree.inclusion(seq)).rejects.toMatchObject({ code: 'ledger_damaged' });
  await expect(ledger.tree.tile({ level: 'entries', index: 0, width: 20 })).rejects.toMatchObject({
    code: 'ledger_damaged',
  });
  await ledger.close('test');
});

it('goes on after a failed write of its tiles', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  house.indexDisk.fateOf = () => 'before';
  await seal(ledger, 300);
  await expect(ledger.tree.inclusion(0)).rejects.toThrow('ENOSPC');
  const told = house.events.filter(({ kind }) => kind === 'index_failed').length;
  expect(told).toBeGreaterThan(0);
  await seal(ledger, 40);
  expect(house.events.filter(({ kind }) => kind === 'index_failed')).toHaveLength(told);
  house.indexDisk.fateOf = () => 'written';
  await expectProofs(ledger, hashesOn(house));
  expect(house.events.some(({ kind }) => kind === 'failed')).toBe(false);
  await ledger.close('test');
});

it('serves the tiles and entry bundles of what is durable, in every width, and no others', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  await seal(ledger, 600);
  const hashes = hashesOn(house);
  const { size } = ledger.durable();
  expect(await ledger.tree.tile({ level: 0, index: 0, width: 256 })).toEqual(
    Buffer.concat(hashes.slice(0, 256)),
  );
  expect(await ledger.tree.tile({ level: 0, index: 0, width: 7 })).toEqual(Buffer.concat(hashes.slice(0, 7)));
  expect(await ledger.tree.tile({ level: 0, index: 2, width: size - 512 })).toEqual(
    Buffer.concat(hashes.slice(512)),
  );
  expect(await ledger.tree.tile({ level: 1, index: 0, width: 2 })).toEqual(
    Buffer.concat([merkleRoot(hashes.slice(0, 256)), merkleRoot(hashes.slice(256, 512))]),
  );
  const bundle = await ledger.tree.tile({ level: 'entries', index: 1, width: 3 });
  const lengths: number[] = [];
  for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at)) {
    lengths.push(bundle.readUInt16BE(at));
    const leaf = bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at));
    expect(leafHashOf(leaf)).toEqual(hashes[256 + lengths.length - 1]);
  }
  expect(lengths).toHaveLength(3);
  for (const name of [
    { level: 0, index: 2, width: size - 511 },
    { level: 0, index: 2, width: 256 },
    { level: 1, index: 0, width: 3 },
    { level: 2, index: 0, width: 1 },
    { level: 'entries', index: 2, width: 256 },
    { level: 'entries', index: 3, width: 1 },
  ] as const)
    await expect(ledger.tree.tile(name)).rejects.toMatchObject({ code: 'not_found' });
  await ledger.close('test');
});

it('refuses proofs beyond what is durable', async () => {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const { size } = ledger.durable();
  for (const proof of [
    ledger.tree.inclusion(size),
    ledger.tree.inclusion(0, size + 1),
    ledger.tree.inclusion(1, 1),
    ledger.tree.consistency(0),
    ledger.tree.consistency(2, 1),
    ledger.tree.consistency(1, size + 1),
  ])
    await expect(proof).rejects.toMatchObject({ code: 'invalid_argument' });
  await ledger.close('test');
});
