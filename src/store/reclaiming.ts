/**
 * Gives back segments of the journal that are mostly empty: what still counts in one is appended again, and the file is
 * overwritten and removed. Never one that has something that nothing else has: a damaged one stays as it is.
 */
import { createReadStream, existsSync } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { isBodiesKey } from '../ledger/block.ts';
import { readFrames } from '../ledger/frame.ts';
import { appender } from './appender.ts';
import type { ErasingStep, ErasingStore } from './erasing-store.ts';
import { segmentFile } from './journal.ts';
import { bodiesIn, type Placed, type SegmentUse, wipe } from './segment.ts';
import { syncDirectory } from './whole-file.ts';

/** Sorts after every record's key, whose first byte is 0. */
const reclaimingKey = Buffer.from('reclaiming');

export interface Reclaiming {
  /** Moves what is still referred to out of a segment and removes its file, overwritten; resolves with the bytes freed. */
  reclaim(segment: number): Promise<number>;
  /** Finishes what a crash interrupted. */
  finish(): Promise<void>;
}

export function createReclaiming(store: ErasingStore, onStep: (step: ErasingStep) => void): Reclaiming {
  async function reclaim(segment: number): Promise<number> {
    // Asked before it is noted: what a crash leaves half overwritten is not whole, and was when this was begun.
    if (!(await isStoredElsewhere(segment))) return 0;
    const number = Buffer.alloc(4);
    number.writeUInt32BE(segment);
    await store.note([{ key: reclaimingKey, value: number }]);
    return compact(segment);
  }

  /** True where each frame is whole and LevelDB has its blocks and snapshots as they are here: they will be there alone. */
  async function isStoredElsewhere(segment: number): Promise<boolean> {
    const file = segmentFile(store.dir, segment);
    if (!existsSync(file)) return false;
    for await (const frame of readFrames(createReadStream(file))) {
      if (frame.kind === 'defect') return false;
      for (const { key, value } of frame.records)
        if (!isBodiesKey(key) && (await store.record(key))?.equals(value) !== true) return false;
    }
    return true;
  }

  async function compact(segment: number): Promise<number> {
    const file = segmentFile(store.dir, segment);
    let moved = 0;
    let fileBytes = 0;
    if (existsSync(file)) {
      fileBytes = (await stat(file)).size;
      const append = appender(store);
      const values: Placed[] = [];
      for await (const placed of bodiesIn(file)) {
        values.push(placed);
        const now = await store.place(placed.key);
        if (now === null || now.segment !== segment || now.offset !== placed.offset) continue;
        await append.add({ key: placed.key, value: await store.read(now) });
        moved += placed.bytes;
      }
      await append.flush();
      // The blocks of this segment are from here on in LevelDB alone.
      await store.settle();
      onStep('moved');
      // What moved can be erased later: then no copy of it may lie in blocks that the file system took back.
      await wipe(file, values);
      onStep('overwritten');
      await unlink(file);
      syncDirectory(store.dir);
      store.forget(segment);
      onStep('removed');
    }
    await store.note([{ key: reclaimingKey, value: null }]);
    return fileBytes - moved;
  }

  return {
    reclaim,
    finish: async () => {
      const reclaiming = await store.noted(reclaimingKey);
      if (reclaiming !== undefined) await compact(reclaiming.readUInt32BE(0));
    },
  };
}

/**
 * Less than half of the file is bodies that must move, and an eighth or more was wiped. The rest is blocks, which
 * LevelDB has taken in: without the second condition the first erasure would move all of an ordinary journal.
 */
export function isWorthIt({ bodiesBytes, fileBytes, wipedBytes }: SegmentUse): boolean {
  return bodiesBytes * 2 < fileBytes && wipedBytes * 8 >= fileBytes;
}
