/** What a start puts into LevelDB again of the journal, and how far LevelDB says afterwards that it has it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { recordKey } from '../../../src/ledger/block.ts';
import { encodeFrame } from '../../../src/ledger/frame.ts';
import type { StoredRecord } from '../../../src/ledger/store.ts';
import { absorb, absorbBytesMax } from '../../../src/store/absorbing.ts';
import { openJournal, type Place, segmentFile } from '../../../src/store/journal.ts';
import { type LevelStore, openLevelScratch } from '../../../src/store/level.ts';
import { encodeReach, isBefore, isReachKey, type Reach, readReach } from '../../../src/store/reach.ts';

const root = mkdtempSync(join(tmpdir(), 'holdpoint-absorbing-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

const blockAt = (seq: number, bytes = 10): StoredRecord => ({
  key: recordKey(seq, 'block'),
  value: Buffer.alloc(bytes, seq + 1),
});

interface Written {
  readonly dir: string;
  /** Where each frame begins, and where the last ends. */
  readonly places: readonly Place[];
}

/** A journal of these frames; a segment ends before the frame `rotation`. */
async function journalOf(
  frames: readonly (readonly StoredRecord[])[],
  rotation = Number.NaN,
): Promise<Written> {
  made += 1;
  const dir = join(root, `${made}`);
  mkdirSync(dir);
  const journal = await openJournal(dir, null);
  const places: Place[] = [];
  for (const [index, records] of frames.entries()) {
    if (index === rotation) await journal.rotate();
    places.push(journal.end());
    await journal.append(encodeFrame(records), true);
  }
  places.push(journal.end());
  await journal.close();
  return { dir, places };
}

const placeOf = ({ places }: Written, index: number): Place => {
  const place = places.at(index);
  if (place === undefined) throw new RangeError(`The journal has no frame ${index}.`);
  return place;
};

function flipIn({ dir }: Written, { segment, offset }: Place): void {
  const file = segmentFile(dir, segment);
  const bytes = readFileSync(file);
  bytes[offset + 12] = (bytes[offset + 12] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

async function inScratch<T>(work: (level: LevelStore) => Promise<T>): Promise<T> {
  const level = await openLevelScratch(root);
  try {
    return await work(level);
  } finally {
    await level.close();
  }
}

async function blocksIn(level: LevelStore): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { key } of level.scan({})) if (!isReachKey(key)) seqs.push(Number(key.readBigUInt64BE()));
  return seqs;
}

const bodiesOfFirst: StoredRecord = { key: recordKey(0, 'bodies'), value: Buffer.from('HPV1') };
const large = [0, 1, 2, 3].map((seq) => [blockAt(seq, absorbBytesMax)]);

describe('a journal that is put into LevelDB', () => {
  it('is told of with each part of it, so that a start that dies between goes on', async () => {
    const journal = await journalOf(large);
    const reaches: (Reach | null)[] = [];
    await inScratch(async (level) => {
      const commit: LevelStore['commit'] = async (records, sync) => {
        await level.commit(records, sync);
        reaches.push(await readReach(level));
      };
      await absorb({ ...level, commit }, journal.dir, null);
    });
    expect(reaches).toEqual(
      [0, 1, 2, 3].map((seq) => ({ seq, taken: placeOf(journal, seq + 1), inTables: null })),
    );
  });

  it('is told of under the highest seq where only older records are written again', async () => {
    const journal = await journalOf([[blockAt(0)], [blockAt(1)], [bodiesOfFirst]]);
    const before = { seq: 1, taken: placeOf(journal, 2), inTables: placeOf(journal, 2) };
    await inScratch(async (level) => {
      await level.commit([blockAt(0), blockAt(1), encodeReach(before)], false);
      expect(await absorb(level, journal.dir, before)).toEqual({ end: placeOf(journal, 3), seq: 1 });
      expect(await readReach(level)).toEqual({ ...before, taken: placeOf(journal, 3) });
    });
  });

  it('is read from where LevelDB has it in tables: what it was told of further on may be lost', async () => {
    const journal = await journalOf([0, 1, 2, 3].map((seq) => [blockAt(seq)]));
    const reach = { seq: 3, taken: placeOf(journal, 4), inTables: placeOf(journal, 1) };
    await inScratch(async (level) => {
      // As a power failure leaves it that took one of its logs, and not the next.
      await level.commit([blockAt(0), blockAt(3), encodeReach(reach)], false);
      await absorb(level, journal.dir, reach);
      expect(await blocksIn(level)).toEqual([0, 1, 2, 3]);
    });
  });

  it('is never told of as less than LevelDB had', async () => {
    const journal = await journalOf([...large, [bodiesOfFirst]]);
    const before = { seq: 3, taken: placeOf(journal, 4), inTables: placeOf(journal, 0) };
    await inScratch(async (level) => {
      await level.commit([encodeReach(before)], false);
      const commit: LevelStore['commit'] = async (records, sync) => {
        await level.commit(records, sync);
        const now = await readReach(level);
        expect(now === null || isBefore(now.taken, before.taken)).toBe(false);
      };
      const { end, seq } = await absorb({ ...level, commit }, journal.dir, before);
      expect([end, seq]).toEqual([placeOf(journal, 5), 3]);
      expect(await readReach(level)).toEqual({ ...before, taken: placeOf(journal, 5) });
    });
  });

  it.each([
    ['in its last segment', Number.NaN],
    ['in a segment that others follow', 3],
  ])('goes on behind a frame that is damaged %s where LevelDB has what it held', async (_where, rotation) => {
    const journal = await journalOf(
      [0, 1, 2, 3, 4].map((seq) => [blockAt(seq)]),
      rotation,
    );
    flipIn(journal, placeOf(journal, 1));
    const reach = { seq: 3, taken: placeOf(journal, 4), inTables: placeOf(journal, 0) };
    await inScratch(async (level) => {
      await level.commit([...[0, 1, 2, 3].map((seq) => blockAt(seq)), encodeReach(reach)], false);
      const { end, seq } = await absorb(level, journal.dir, reach);
      expect([end, seq]).toEqual([placeOf(journal, 5), 4]);
      expect(await blocksIn(level)).toEqual([0, 1, 2, 3, 4]);
    });
  });

  it('ends at a damaged frame of its last segment where LevelDB never had it: a write that was cut off', async () => {
    const journal = await journalOf([0, 1, 2].map((seq) => [blockAt(seq)]));
    flipIn(journal, placeOf(journal, 2));
    await inScratch(async (level) => {
      expect((await absorb(level, journal.dir, null)).end).toEqual(placeOf(journal, 2));
      expect(await blocksIn(level)).toEqual([0, 1]);
    });
  });

  it('is refused where a frame is damaged that LevelDB never had, and more follows in another segment', async () => {
    const journal = await journalOf(
      [0, 1, 2].map((seq) => [blockAt(seq)]),
      2,
    );
    flipIn(journal, placeOf(journal, 1));
    await inScratch(async (level) => {
      await expect(absorb(level, journal.dir, null)).rejects.toMatchObject({ code: 'ledger_damaged' });
    });
  });
});
