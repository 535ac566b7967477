/** Destroying what sealed erasures name, over stores of which something is damaged or cannot be read. */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  decodeBlock,
  decodeBodies,
  encodeBlock,
  parseRecordKey,
  recordKey,
} from '../../../src/ledger/block.ts';
import { destroy, finishErasures, leftStored } from '../../../src/ledger/destroying.ts';
import type { Target } from '../../../src/ledger/erasure.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import type { LedgerStore } from '../../../src/ledger/store.ts';
import { segmentFile } from '../../../src/store/journal.ts';
import { openLedgerStore } from '../../../src/store/ledger-store.ts';
import { createLedgerUnderTest, kek, type LedgerUnderTest } from '../ledger-under-test.ts';
import { decide } from './scene.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-destroying-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The store of a ledger that was written and closed. */
async function written<T>(write: (ledger: Ledger) => Promise<T>) {
  const house = createLedgerUnderTest();
  const ledger = await house.open();
  const made = await write(ledger);
  await ledger.close('test');
  const store = await house.disk.open();
  return { house, store, made, id: ledger.id };
}

const twoDecided = () => written(async (ledger) => [await decide(ledger), await decide(ledger)] as const);

/** What bodies there are, as [seq, part index]. */
const storedIn = ({ disk }: LedgerUnderTest): Target[] =>
  disk
    .records()
    .filter(({ key }) => parseRecordKey(key)?.kind === 'bodies')
    .flatMap(({ value }) => decodeBodies(value).items.map(({ seq, partIndex }): Target => [seq, partIndex]));

function recordIn({ disk }: LedgerUnderTest, key: Buffer): Buffer {
  const record = disk.records().find((one) => one.key.equals(key));
  if (record === undefined) throw new Error('no such record');
  return record.value;
}

const noBlock = Buffer.from('HPB1 no block');

/** Damages the leaf of an entry that begins its block. */
function damageLeaf(house: LedgerUnderTest, seq: number): void {
  const key = recordKey(seq, 'block');
  const { leaves, note } = decodeBlock(recordIn(house, key));
  house.disk.overwrite(key, encodeBlock([Buffer.from('no leaf'), ...leaves.slice(1)], note));
}

describe('a part that is to be destroyed', () => {
  it('is passed over where it is gone already, and the others in its record are left as they are', async () => {
    const { house, store, made, id } = await twoDecided();
    const targets: Target[] = [[made[0], 0]];
    await destroy(store, [kek], id, targets);
    const before = house.disk.records();
    expect(await destroy(store, [kek], id, targets)).toMatchObject({ bytes: 0, left: [] });
    expect(house.disk.records()).toEqual(before);
  });

  it.each([
    ['in its block', () => undefined],
    [
      'in its block, which cannot be read',
      (house: LedgerUnderTest, seq: number) => house.disk.overwrite(recordKey(seq, 'block'), noBlock),
    ],
  ])('is found behind a snapshot %s', async (_where, damage) => {
    const { house, store, made, id } = await written(async (ledger) => {
      const more = 1024 - ledger.durable().size;
      for (let i = 0; i < more; i += 1) ledger.seal({ type: 'stop', data: { reason: 'another' } });
      return decide(ledger);
    });
    expect(recordIn(house, recordKey(made - 1, 'snapshot'))).toBeDefined();
    damage(house, made - 1);
    const targets: Target[] = [
      [made, 0],
      [made + 1, 0],
    ];
    expect(await destroy(store, [kek], id, targets)).toMatchObject({ left: [] });
    expect(storedIn(house)).toEqual([]);
  });

  it('is destroyed where its block cannot be read', async () => {
    const { house, store, made, id } = await twoDecided();
    const [one, other] = made;
    house.disk.overwrite(recordKey(one, 'block'), noBlock);
    expect(await destroy(store, [kek], id, [[one, 0]])).toMatchObject({ left: [] });
    expect(storedIn(house)).toEqual([
      [one + 1, 0],
      [other, 0],
      [other + 1, 0],
    ]);
  });

  it.each([
    ['is gone', (house: LedgerUnderTest, key: Buffer) => house.disk.remove(key)],
    ['cannot be read', (house: LedgerUnderTest, key: Buffer) => house.disk.overwrite(key, noBlock)],
  ])('is found in its own record where the block before its own %s', async (_what, damage) => {
    const { house, store, made, id } = await twoDecided();
    const [one, other] = made;
    damage(house, recordKey(one, 'block'));
    const targets: Target[] = [
      [one, 0],
      [other, 0],
    ];
    expect(await destroy(store, [kek], id, targets)).toMatchObject({ left: [] });
    expect(storedIn(house)).toEqual([
      [one + 1, 0],
      [other + 1, 0],
    ]);
  });

  it.each([
    [
      'block',
      (house: LedgerUnderTest, seq: number) => house.disk.overwrite(recordKey(seq, 'block'), noBlock),
    ],
    ['entry', damageLeaf],
  ])('is told as left where its record does not have it and its %s cannot be read', async (_what, damage) => {
    const { house, store, made, id } = await twoDecided();
    damage(house, made[0]);
    const targets: Target[] = [[made[0], 1]];
    expect(await destroy(store, [kek], id, targets)).toMatchObject({ bytes: 0, left: targets });
  });

  it('is told as left where its block cannot be read and there are no bodies', async () => {
    const { house, store, made, id } = await twoDecided();
    house.disk.overwrite(recordKey(made[0], 'block'), noBlock);
    house.disk.remove(recordKey(made[0], 'bodies'));
    expect(await destroy(store, [kek], id, [[made[0], 0]])).toMatchObject({ left: [[made[0], 0]] });
  });

  it('is not taken for gone where the disk does not let its entry be read', async () => {
    const { store, made, id } = await twoDecided();
    const failing: LedgerStore = {
      ...store,
      scan: (range) => {
        // Looking for bodies is spared.
        if (range.withoutBodies === true) throw new Error('EIO: cannot read');
        return store.scan(range);
      },
    };
    await expect(destroy(failing, [kek], id, [[made[0], 0]])).rejects.toThrow('EIO');
  });

  it('is not told as left for a defect of ours, which is thrown', async () => {
    const { store, made, id } = await twoDecided();
    const defect = {
      key: kek.key,
      get id(): string {
        throw new TypeError('a defect');
      },
    };
    await expect(destroy(store, [defect], id, [[made[0], 0]])).rejects.toThrow('a defect');
  });

  it('has nothing to do with what earlier erasures left', async () => {
    const { store, made, id } = await twoDecided();
    const [one, other] = made;
    const owing: LedgerStore = {
      ...store,
      rewriteBodies: async (keys, rewrite) => {
        const { bytes } = await store.rewriteBodies(keys, rewrite);
        return { bytes, left: [{ key: recordKey(other, 'bodies'), cause: new Error('EIO: of another') }] };
      },
    };
    const done = await destroy(owing, [kek], id, [[one, 0]]);
    expect([done.left, done.cause]).toEqual([[], undefined]);
  });
});

/** A ledger of two erasures that are sealed and not carried out, in files. */
async function sealTwo(ledger: Ledger) {
  const decisions = [await decide(ledger), await decide(ledger)] as const;
  const [one, other] = decisions;
  const first = ledger.seal({ type: 'erasure', data: { action: 'erase', targets: [[one, 0]] } });
  const second = ledger.seal({ type: 'erasure', data: { action: 'erase', targets: [[other, 0]] } });
  await second.durable;
  return { one, other, first: first.seq, second: second.seq };
}

/** The same, with the mark before both; carries them out. */
async function twoSealed() {
  const { house, store, made, id } = await written(sealTwo);
  await store.writeUnfinishedFrom(made.first - 1);
  const size = house.entries().length;
  return { house, store, ...made, finish: (tried?: number) => finishErasures(store, [kek], id, size, tried) };
}

describe('erasures that are sealed', () => {
  it('stay marked from the first that left something, and why it did is told', async () => {
    const { house, store, one, other, first, finish } = await twoSealed();
    house.disk.overwrite(recordKey(one, 'bodies'), Buffer.from('HPV1'));
    house.disk.overwrite(recordKey(other, 'bodies'), Buffer.from('nothing'));
    expect(await finish()).toMatchObject({
      from: first,
      left: [
        [one, 0],
        [other, 0],
      ],
      cause: { message: 'A bodies record ends early.' },
    });
    expect(await store.readUnfinishedFrom()).toBe(first);
  });

  it('are not tried again where they were, and stay marked', async () => {
    const { house, store, one, other, first, second, finish } = await twoSealed();
    expect(await finish(second)).toMatchObject({ from: first - 1, left: [] });
    expect(storedIn(house)).toEqual([
      [one, 0],
      [one + 1, 0],
      [other + 1, 0],
    ]);
    expect(await store.readUnfinishedFrom()).toBe(first - 1);
  });

  it('are come to the end of where the disk lets no bodies be read, and why it did not is told', async () => {
    const dir = join(root, 'ledger');
    const house = createLedgerUnderTest();
    const ledger = await house.open({ openStore: () => openLedgerStore(dir) });
    const { one, other, first } = await sealTwo(ledger);
    const { size } = ledger.durable();
    await ledger.close('test');
    const store = await openLedgerStore(dir);
    await store.writeUnfinishedFrom(one);
    renameSync(segmentFile(dir, 1), join(dir, 'away'));
    mkdirSync(segmentFile(dir, 1));
    expect(await finishErasures(store, [kek], ledger.id, size)).toMatchObject({
      from: first,
      left: [
        [one, 0],
        [other, 0],
      ],
      cause: { code: 'EISDIR' },
    });
    await store.close();
  });
});

describe('what is said of parts that are left', () => {
  const leftOf = (count: number): Target[] => Array.from({ length: count }, (_, i) => [count - 1 - i, 0]);

  it('names their entries in order', () => {
    expect(leftStored([[11, 0], ...leftOf(3), [11, 1]]).message).toContain('of entries 0, 1, 2, 11 is not');
  });

  it('names ten entries, and how many more there are', () => {
    expect(leftStored(leftOf(10)).message).toContain('8, 9 is not');
    expect(leftStored(leftOf(11)).message).toContain('8, 9 and 1 more is not');
  });
});
