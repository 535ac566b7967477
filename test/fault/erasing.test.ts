/** Erasing bodies from the files of the store: nothing of them is left, whatever is killed when. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { recordKey } from '../../src/ledger/block.ts';
import { readFrames } from '../../src/ledger/frame.ts';
import type { LedgerStore, Rewritten, StoredRecord } from '../../src/ledger/store.ts';
import type { ErasingStep } from '../../src/store/erasing-store.ts';
import { segmentFile } from '../../src/store/journal.ts';
import { openLedgerCopy } from '../../src/store/ledger-copy.ts';
import { openLedgerStore } from '../../src/store/ledger-store.ts';
import { openLevelStore } from '../../src/store/level.ts';
import { type RoomOptions, usualRoom } from '../../src/store/room.ts';
import { copyAsKilled } from '../support/killed-copy.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-erasing-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const freshDir = (): string => join(root, `${++made}`);

/** A body with a text that occurs nowhere else, as often as it takes to make it long. */
const bodyOf = (seq: number, version: number, bytes = 200): Buffer =>
  Buffer.from(`HPV1 body ${seq} version ${version} is nowhere else; `.repeat(Math.ceil(bytes / 40)));
const blockOf = (seq: number): Buffer => Buffer.from(`block ${seq} `.repeat(4));
const keyOf = (seq: number): Buffer => recordKey(seq, 'bodies');

const commitAt = (seq: number, bytes?: number): StoredRecord[] => [
  { key: recordKey(seq, 'block'), value: blockOf(seq) },
  { key: keyOf(seq), value: bodyOf(seq, 0, bytes) },
];

/** Whether some file has a part of the body that is long enough to be no accident. */
function isAnywhere(dir: string, body: Buffer): boolean {
  const part = body.subarray(5, body.indexOf(';'));
  return readdirSync(dir).some((name) => bytesOf(join(dir, name)).includes(part));
}

/** Nothing of a table that LevelDB took away since it was listed. */
function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

async function contentOf(store: LedgerStore | Awaited<ReturnType<typeof openLedgerCopy>>): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, value } of store.scan({})) found.push(`${key.toString('hex')} ${value.toString()}`);
  return found;
}

/** What the records are to be: version of the body by seq, null where it is erased. */
type Model = Map<number, number | null>;

const expectedOf = (model: Model, bytes?: number): string[] =>
  [...model].flatMap(([seq, version]) => [
    `${recordKey(seq, 'block').toString('hex')} ${blockOf(seq).toString()}`,
    ...(version === null ? [] : [`${keyOf(seq).toString('hex')} ${bodyOf(seq, version, bytes).toString()}`]),
  ]);

async function everyFrameIsWhole(dir: string): Promise<boolean> {
  for (const name of readdirSync(dir).filter((file) => file.endsWith('.hpj'))) {
    const chunks = (async function* () {
      yield readFileSync(join(dir, name));
    })();
    for await (const frame of readFrames(chunks)) if (frame.kind === 'defect') return false;
  }
  return true;
}

describe('rewriting bodies', () => {
  it('takes the old bytes from every file and keeps what replaces them, before and after a start', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    for (const seq of [0, 1, 2]) await store.commit(commitAt(seq), true);
    const done = await store.rewriteBodies([keyOf(0), keyOf(1)], (key) =>
      key.equals(keyOf(0)) ? null : bodyOf(1, 1),
    );
    expect(done).toEqual({ bytes: bodyOf(0, 0).length + bodyOf(1, 0).length, left: [] });
    expect([isAnywhere(dir, bodyOf(0, 0)), isAnywhere(dir, bodyOf(1, 0))]).toEqual([false, false]);
    expect(isAnywhere(dir, bodyOf(2, 0))).toBe(true);
    const expected = expectedOf(
      new Map([
        [0, null],
        [1, 1],
        [2, 0],
      ]),
    );
    expect(await store.get(keyOf(0))).toBeUndefined();
    expect(await contentOf(store)).toEqual(expected);
    await store.close();
    const again = await openLedgerStore(dir);
    expect(await contentOf(again)).toEqual(expected);
    await again.close();
    expect(await everyFrameIsWhole(dir)).toBe(true);
  });

  it('leaves alone what the caller leaves, and what there is not', async () => {
    const store = await openLedgerStore(freshDir());
    await store.commit(commitAt(0), true);
    const done = await store.rewriteBodies([keyOf(0), keyOf(7)], (_key, value) => value);
    expect(done).toEqual({ bytes: 0, left: [] });
    expect(await contentOf(store)).toEqual(expectedOf(new Map([[0, 0]])));
    await store.close();
  });

  it('is seen by a copy that was made before as something that moved, never as damage', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    for (const seq of [0, 1]) await store.commit(commitAt(seq), true);
    await contentOf(store);
    const copy = await openLedgerCopy(dir);
    await store.rewriteBodies([keyOf(0)], () => bodyOf(0, 1));
    await contentOf(copy);
    expect(await copy.isWhole()).toBe(false);
    await copy.close();
    const next = await openLedgerCopy(dir);
    expect(await contentOf(next)).toEqual(
      expectedOf(
        new Map([
          [0, 1],
          [1, 0],
        ]),
      ),
    );
    expect(await next.isWhole()).toBe(true);
    await next.close();
    await store.close();
  });

  /** Changes a reference as LevelDB has it, while nobody has the store open. */
  async function changeReference(
    dir: string,
    seq: number,
    change: (reference: Buffer) => void,
  ): Promise<void> {
    const level = await openLevelStore(dir);
    const reference = Buffer.from((await level.get(keyOf(seq))) ?? '');
    change(reference);
    await level.commit([{ key: keyOf(seq), value: reference }], true);
    await level.close();
  }

  const eraseAll = (store: LedgerStore, seqs: readonly number[]) =>
    store.rewriteBodies(seqs.map(keyOf), () => null);
  const leftIn = ({ left }: Rewritten): number[] => left.map(({ key }) => Number(key.readBigUInt64BE()));

  it.each([
    ['another byte', (reference: Buffer) => reference.writeUInt32BE(reference.readUInt32BE(12) + 1, 12)],
    ['another length', (reference: Buffer) => reference.writeUInt32BE(reference.readUInt32BE(16) - 1, 16)],
    ['another segment', (reference: Buffer) => reference.writeUInt32BE(9, 4)],
    ['no place at all', (reference: Buffer) => reference.write('HPR2')],
  ])('never touches bytes that a damaged reference points to, and goes on: %s', async (_name, change) => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    for (const seq of [0, 1, 2]) await store.commit(commitAt(seq), true);
    await store.close();
    await changeReference(dir, 1, change);
    const again = await openLedgerStore(dir);
    expect(leftIn(await eraseAll(again, [0, 1, 2]))).toEqual([1]);
    expect([0, 1, 2].filter((seq) => isAnywhere(dir, bodyOf(seq, 0)))).toEqual([1]);
    await again.close();
    const third = await openLedgerStore(dir);
    expect(leftIn(await eraseAll(third, [1]))).toEqual([1]);
    await third.close();
  });

  it('says which records it cannot read where a segment is gone, and goes on with those of others', async () => {
    const dir = freshDir();
    const store = await twoSegments(dir);
    await store.close();
    rmSync(segmentFile(dir, 1));
    const again = await openLedgerStore(dir);
    expect(leftIn(await eraseAll(again, [3, 17]))).toEqual([3]);
    expect(isAnywhere(dir, bodyOf(17, 0))).toBe(false);
    await again.close();
  });

  it('leaves a record alone before whose value the journal has another key, and goes on', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    for (const seq of [0, 1, 2]) await store.commit(commitAt(seq), true);
    const bytes = readFileSync(segmentFile(dir, 1));
    const at = bytes.indexOf(bodyOf(1, 0)) - 6;
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    writeFileSync(segmentFile(dir, 1), bytes);
    expect(leftIn(await eraseAll(store, [0, 1, 2]))).toEqual([1]);
    expect(leftIn(await eraseAll(store, []))).toEqual([]);
    await store.close();
    await (await openLedgerStore(dir)).close();
    expect([0, 1, 2].filter((seq) => isAnywhere(dir, bodyOf(seq, 0)))).toEqual([1]);
  });
});

/** Nothing can be opened at the path until the function it returns is called. */
function blocked(path: string): () => void {
  renameSync(path, `${path}.away`);
  mkdirSync(path);
  return () => {
    rmdirSync(path);
    renameSync(`${path}.away`, path);
  };
}

describe('what a refusal of the disk kept from being overwritten', () => {
  const erase = (store: LedgerStore) =>
    store.rewriteBodies([keyOf(0)], (_key, value) => (value.equals(bodyOf(0, 0)) ? bodyOf(0, 1) : value));

  it('is overwritten when it is asked for again', async () => {
    const dir = freshDir();
    const refusals: (() => void)[] = [];
    const store = await openLedgerStore(dir, (step) => {
      if (step === 'settled' && refusals.length === 0) refusals.push(blocked(segmentFile(dir, 1)));
    });
    for (const seq of [0, 1]) await store.commit(commitAt(seq), true);
    expect(await erase(store)).toMatchObject({
      bytes: 0,
      left: [{ key: keyOf(0), cause: { code: 'EISDIR' } }],
    });
    for (const unblock of refusals) unblock();
    await erase(store);
    expect([isAnywhere(dir, bodyOf(0, 0)), isAnywhere(dir, bodyOf(0, 1))]).toEqual([false, true]);
    await store.close();
  });

  it('is overwritten before anything else is, also where its record is gone', async () => {
    const dir = freshDir();
    const refusals: (() => void)[] = [];
    const store = await openLedgerStore(dir, (step) => {
      if (step === 'settled' && refusals.length === 0) refusals.push(blocked(segmentFile(dir, 1)));
    });
    for (const seq of [0, 1]) await store.commit(commitAt(seq), true);
    expect((await store.rewriteBodies([keyOf(0)], () => null)).left).toMatchObject([{ key: keyOf(0) }]);
    for (const unblock of refusals) unblock();
    await store.rewriteBodies([keyOf(0)], () => null);
    expect(isAnywhere(dir, bodyOf(0, 0))).toBe(false);
    await store.close();
  });

  it('keeps nothing in other segments from being overwritten, nor the next start, which tries again', async () => {
    const dir = freshDir();
    const refusals: (() => void)[] = [];
    const store = await twoSegments(dir, (step) => {
      if (step === 'settled' && refusals.length === 0) refusals.push(blocked(segmentFile(dir, 1)));
    });
    const erase = (seqs: readonly number[]) => store.rewriteBodies(seqs.map(keyOf), () => null);
    const keysLeft = async (done: ReturnType<typeof erase>) => (await done).left.map(({ key }) => key);
    expect(await keysLeft(erase([3]))).toEqual([keyOf(3)]);
    expect(await keysLeft(erase([17]))).toEqual([keyOf(3)]);
    await store.close();
    await (await openLedgerStore(dir)).close();
    for (const unblock of refusals) unblock();
    const traces = (): number[] => [3, 17].filter((seq) => isAnywhere(dir, bodyOf(seq, 0)));
    expect(traces()).toEqual([3]);
    await (await openLedgerStore(dir)).close();
    expect(traces()).toEqual([]);
  });

  it('is overwritten where a body beside it could not be read', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    const bytes = 300 * 1024;
    for (const seq of [0, 1, 2]) await store.commit(commitAt(seq, bytes), true);
    const take =
      (isReadable: boolean) =>
      (key: Buffer, value: Buffer): Buffer => {
        const seq = Number(key.readBigUInt64BE());
        if (seq === 2 && !isReadable) throw new Error('not readable now');
        return value.equals(bodyOf(seq, 0, bytes)) ? bodyOf(seq, 1, bytes) : value;
      };
    const keys = [0, 1, 2].map(keyOf);
    await expect(store.rewriteBodies(keys, take(false))).rejects.toThrow('not readable now');
    await store.rewriteBodies(keys, take(true));
    expect([0, 1, 2].filter((seq) => isAnywhere(dir, bodyOf(seq, 0)))).toEqual([]);
    expect([0, 1, 2].filter((seq) => isAnywhere(dir, bodyOf(seq, 1)))).toEqual([0, 1, 2]);
    await store.close();
  });
});

const segmentBytes = 64 * 1024 * 1024;
/** Larger bodies, so that two segments are full of few of them. */
const largeBytes = 4 * 1024 * 1024;

async function twoSegments(
  dir: string,
  onStep?: (step: ErasingStep) => void,
  room?: RoomOptions,
): Promise<LedgerStore> {
  const store = await openLedgerStore(dir, onStep, room);
  for (let seq = 0; seq < 18; seq += 1) await store.commit(commitAt(seq, largeBytes), true);
  return store;
}

const journalBytes = (dir: string): number =>
  readdirSync(dir)
    .filter((name) => name.endsWith('.hpj'))
    .reduce((sum, name) => sum + readFileSync(join(dir, name)).length, 0);

describe('reclaiming', () => {
  it('removes a segment that is mostly empty, and what it still held lies elsewhere', async () => {
    const dir = freshDir();
    const store = await twoSegments(dir);
    const before = journalBytes(dir);
    expect(before).toBeGreaterThan(segmentBytes);
    const erased = Array.from({ length: 12 }, (_, seq) => seq);
    await store.rewriteBodies(erased.map(keyOf), () => null);
    expect(journalBytes(dir)).toBe(before);
    const reclaimed = await store.reclaim();
    expect(reclaimed).toBeGreaterThan(segmentBytes / 2);
    expect(before - journalBytes(dir)).toBeGreaterThan(segmentBytes / 2);
    const model: Model = new Map(Array.from({ length: 18 }, (_, seq) => [seq, seq < 12 ? null : 0]));
    expect(await contentOf(store)).toEqual(expectedOf(model, largeBytes));
    await store.close();
    const again = await openLedgerStore(dir);
    expect(await contentOf(again)).toEqual(expectedOf(model, largeBytes));
    await again.close();
  });

  it('leaves a segment that is mostly full', async () => {
    const dir = freshDir();
    const store = await twoSegments(dir);
    await store.rewriteBodies([0, 1, 2].map(keyOf), () => null);
    expect(await store.reclaim()).toBe(0);
    await store.close();
  });

  it('leaves a segment of blocks alone, of which little was erased', async () => {
    const dir = freshDir();
    const store = await openLedgerStore(dir);
    for (let seq = 0; seq < 18; seq += 1) {
      const [, bodies] = commitAt(seq);
      const block = { key: recordKey(seq, 'block'), value: Buffer.alloc(largeBytes, seq) };
      await store.commit(bodies === undefined ? [block] : [block, bodies], true);
    }
    await store.rewriteBodies([keyOf(0)], () => null);
    expect(await store.reclaim()).toBe(0);
    await store.close();
  });

  /** Two segments of which the first is mostly erased, and then damaged as `damage` does; what is in it is given. */
  async function damagedSegment(damage: (bytes: Buffer) => void) {
    const dir = freshDir();
    const store = await twoSegments(dir);
    const erased = Array.from({ length: 12 }, (_, seq) => keyOf(seq));
    await store.rewriteBodies(erased, () => null);
    const bytes = readFileSync(segmentFile(dir, 1));
    damage(bytes);
    writeFileSync(segmentFile(dir, 1), bytes);
    return { dir, store };
  }

  it('leaves a segment alone in which a frame is damaged, for what it has is nowhere else', async () => {
    // The length of the first frame: from there on no other is found.
    const { store } = await damagedSegment((bytes) => bytes.writeUInt32BE(17, 16));
    expect(await store.reclaim()).toBe(0);
    const model: Model = new Map(Array.from({ length: 18 }, (_, seq) => [seq, seq < 12 ? null : 0]));
    expect(await contentOf(store)).toEqual(expectedOf(model, largeBytes));
    await store.close();
  });

  it.each([
    ['which LevelDB lost', null],
    ['which LevelDB has otherwise', Buffer.from('another block')],
  ])('leaves a segment alone that has a block %s', async (_, value) => {
    const { dir, store } = await damagedSegment(() => undefined);
    await store.close();
    const level = await openLevelStore(dir);
    await level.write([{ key: recordKey(4, 'block'), value }], true);
    await level.close();
    const again = await openLedgerStore(dir);
    await again.rewriteBodies([keyOf(12)], () => null);
    expect(await again.reclaim()).toBe(0);
    await again.close();
    expect(readFileSync(segmentFile(dir, 1)).includes(blockOf(4))).toBe(true);
  });

  it('takes no block away that a power failure can still take from LevelDB', async () => {
    const dir = freshDir();
    const left = freshDir();
    const store = await openLedgerStore(dir, (step) => {
      if (step === 'removed') copyAsKilled(dir, left);
    });
    for (let seq = 0; seq < 12; seq += 1) await store.commit(commitAt(seq, largeBytes), true);
    const erased = Array.from({ length: 12 }, (_, seq) => keyOf(seq));
    await store.rewriteBodies(erased, () => null);
    // These are in the segment too, and nothing has put them into tables yet.
    for (let seq = 12; seq < 18; seq += 1) await store.commit(commitAt(seq, largeBytes), true);
    expect(await store.reclaim()).toBeGreaterThan(segmentBytes / 2);
    await store.close();
    // Of a log nothing needs to be on disk.
    for (const name of readdirSync(left)) if (name.endsWith('.log')) truncateSync(join(left, name));
    const again = await openLedgerStore(left);
    const model: Model = new Map(Array.from({ length: 18 }, (_, seq) => [seq, seq < 12 ? null : 0]));
    expect(await contentOf(again)).toEqual(expectedOf(model, largeBytes));
    await again.close();
  });

  it('gives back what it says, overwritten, and holds none of it open', async () => {
    const dir = freshDir();
    // Room would count as what is left.
    const store = await twoSegments(dir, undefined, { ...usualRoom, frameBytesMax: 0 });
    const before = journalBytes(dir);
    await store.get(keyOf(13));
    await store.rewriteBodies(
      Array.from({ length: 12 }, (_, seq) => keyOf(seq)),
      () => null,
    );
    const removed = openSync(segmentFile(dir, 1), 'r');
    const reclaimed = await store.reclaim();
    expect(Math.abs(before - journalBytes(dir) - reclaimed)).toBeLessThan(1024);
    const left = readFileSync(removed);
    expect(left.length).toBeGreaterThan(segmentBytes);
    expect(left.includes('is nowhere else')).toBe(false);
    closeSync(removed);
    const open = readdirSync('/proc/self/fd').flatMap((fd) => linkAt(`/proc/self/fd/${fd}`));
    expect(open.filter((path) => path.startsWith(dir) && path.endsWith('(deleted)'))).toEqual([]);
    await store.close();
    const level = await openLevelStore(dir);
    for (const note of ['wiping', 'reclaiming'])
      expect(await level.get(Buffer.from(note)), note).toBeUndefined();
    await level.close();
  });
});

it('a start that fails over what a crash interrupted lets every file go, and the next one finishes it', async () => {
  const dir = freshDir();
  await (await twoSegments(dir)).close();
  const level = await openLevelStore(dir);
  await level.write([{ key: Buffer.from('reclaiming'), value: Buffer.from([0, 0, 0, 1]) }], true);
  await level.close();
  const failing = (step: ErasingStep): void => {
    if (step === 'moved') throw new Error('EIO');
  };
  await expect(openLedgerStore(dir, failing, smallRoom)).rejects.toThrow('EIO');
  const open = readdirSync('/proc/self/fd').flatMap((fd) => linkAt(`/proc/self/fd/${fd}`));
  expect(open.filter((path) => path.startsWith(dir))).toEqual([]);
  const store = await openLedgerStore(dir);
  expect(existsSync(segmentFile(dir, 1))).toBe(false);
  expect(await store.get(keyOf(3))).toEqual(bodyOf(3, 0, largeBytes));
  await store.close();
});

/** Nothing of one that was closed meanwhile. */
function linkAt(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

describe('a kill after each step', () => {
  it('of rewriting leaves either the old or the new record, and doing it again leaves nothing of the old', async () => {
    const dir = freshDir();
    const killed: { step: ErasingStep; dir: string }[] = [];
    const store = await openLedgerStore(dir, (step) => {
      const left = freshDir();
      copyAsKilled(dir, left);
      killed.push({ step, dir: left });
    });
    for (const seq of [0, 1, 2]) await store.commit(commitAt(seq), true);
    const erase = (of: LedgerStore) =>
      of.rewriteBodies([keyOf(0), keyOf(1)], (key, value) =>
        key.equals(keyOf(0)) ? null : value.equals(bodyOf(1, 1)) ? value : bodyOf(1, 1),
      );
    await erase(store);
    await store.close();
    expect(killed.map(({ step }) => step)).toEqual(['listed', 'appended', 'settled', 'wiped', 'done']);
    const old = expectedOf(
      new Map([
        [0, 0],
        [1, 0],
        [2, 0],
      ]),
    );
    const appended = expectedOf(
      new Map([
        [0, 0],
        [1, 1],
        [2, 0],
      ]),
    );
    const done = expectedOf(
      new Map([
        [0, null],
        [1, 1],
        [2, 0],
      ]),
    );
    for (const { step, dir: left } of killed) {
      const again = await openLedgerStore(left);
      expect([old, appended, done]).toContainEqual(await contentOf(again));
      if (step === 'settled') expect(isAnywhere(left, bodyOf(0, 0))).toBe(false);
      await erase(again);
      expect(await contentOf(again)).toEqual(done);
      await again.close();
      expect([step, isAnywhere(left, bodyOf(0, 0)), isAnywhere(left, bodyOf(1, 0))]).toEqual([
        step,
        false,
        false,
      ]);
      expect(await everyFrameIsWhole(left)).toBe(true);
    }
  });

  it('of reclaiming loses nothing and leaves no second copy that a later erasure would miss', async () => {
    const dir = freshDir();
    const killed: { step: ErasingStep; dir: string }[] = [];
    let watching = false;
    const store = await twoSegments(dir, (step) => {
      if (!watching) return;
      const left = freshDir();
      copyAsKilled(dir, left);
      killed.push({ step, dir: left });
    });
    const erased = Array.from({ length: 12 }, (_, seq) => seq);
    await store.rewriteBodies(erased.map(keyOf), () => null);
    watching = true;
    await store.reclaim();
    await store.close();
    expect(killed.map(({ step }) => step)).toEqual(['moved', 'overwritten', 'removed']);
    const model: Model = new Map(Array.from({ length: 18 }, (_, seq) => [seq, seq < 12 ? null : 0]));
    for (const { dir: left } of killed) {
      const again = await openLedgerStore(left);
      expect(await contentOf(again)).toEqual(expectedOf(model, largeBytes));
      await again.rewriteBodies([keyOf(13)], () => null);
      await again.close();
      expect(isAnywhere(left, bodyOf(13, 0))).toBe(false);
      rmSync(left, { recursive: true });
    }
  });
});

type Act =
  | { readonly kind: 'commit'; readonly many: number }
  | { readonly kind: 'erase'; readonly seqs: readonly number[]; readonly all: boolean }
  | { readonly kind: 'kill' }
  | { readonly kind: 'reopen' };

const acts = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('commit' as const), many: fc.integer({ min: 1, max: 4 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('erase' as const),
        seqs: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
        all: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  ),
  { minLength: 4, maxLength: 20 },
);

describe('whatever is committed, erased and killed in whatever order', () => {
  it('what is there is what was left, and of what was erased no file has a trace', async () => {
    await fc.assert(fc.asyncProperty(acts, fc.constantFrom(usualRoom, smallRoom), play), { numRuns: 40 });
  }, 120_000);
});

/** So that most frames take the place of zeros, and some are longer than what there is of them. */
const smallRoom: RoomOptions = { bytes: 2_000, afterBytes: 0, frameBytesMax: largeBytes };

async function play(list: readonly Act[], room: RoomOptions): Promise<void> {
  let dir = freshDir();
  let store = await openLedgerStore(dir, undefined, room);
  const model: Model = new Map();
  const gone: Buffer[] = [];
  for (const act of list) {
    if (act.kind === 'commit') {
      for (let i = 0; i < act.many; i += 1) {
        await store.commit(commitAt(model.size), true);
        model.set(model.size, 0);
      }
    } else if (act.kind === 'erase') {
      const seqs = [...new Set(act.seqs)].filter((seq) => (model.get(seq) ?? null) !== null);
      // A commit meanwhile is neither lost nor stopped.
      const next = model.size;
      const committing = store.commit(commitAt(next), true);
      await store.rewriteBodies(seqs.map(keyOf), (key) => {
        const seq = Number(key.readBigUInt64BE());
        return act.all ? null : bodyOf(seq, (model.get(seq) ?? 0) + 1);
      });
      await committing;
      for (const seq of seqs) {
        const version = model.get(seq) ?? 0;
        gone.push(bodyOf(seq, version));
        model.set(seq, act.all ? null : version + 1);
      }
      model.set(next, 0);
    } else {
      const left = freshDir();
      if (act.kind === 'kill') copyAsKilled(dir, left);
      await store.close();
      if (act.kind === 'kill') dir = left;
      store = await openLedgerStore(dir, undefined, room);
    }
    expect(gone.filter((body) => isAnywhere(dir, body))).toEqual([]);
  }
  expect(await contentOf(store)).toEqual(expectedOf(model));
  await store.close();
}
