/**
 * Takes bodies out of the journal's files: the reduced records are appended and referred to, then the old bytes
 * are overwritten in place, and segments that are mostly empty are given back. What is to be overwritten is
 * written down first, so that a start after a crash finishes it. One at a time; commits go on meanwhile.
 */
import { existsSync } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { createInTurn } from '../core/in-turn.ts';
import type { StoredRecord } from '../ledger/store.ts';
import { type Extent, segmentFile, syncDirectory } from './journal.ts';
import type { Change } from './level.ts';
import { decodeReference, encodeReference, referenceBytes } from './reference.ts';
import { bodiesIn, type Placed, type SegmentUse, wipe } from './segment.ts';

/** What erasing needs of the store it works on. */
export interface ErasingStore {
  readonly dir: string;
  /** Where a bodies record lies now; null when there is none. */
  place(key: Buffer): Promise<Extent | null>;
  read(extent: Extent): Promise<Buffer>;
  /** Appends to the journal, taking turns with commits. Durable when it resolves. */
  append(records: readonly StoredRecord[]): Promise<void>;
  /** Forgets bodies records from the next `settle` on. */
  remove(keys: readonly Buffer[]): void;
  /**
   * Resolves when LevelDB has all that was appended and removed in its tables, and no start reads the journal up to
   * here again: what is overwritten half-way must not be met there.
   */
  settle(): Promise<void>;
  /** LevelDB's own keys, on disk when it resolves. */
  note(changes: readonly Change[]): Promise<void>;
  noted(key: Buffer): Promise<Buffer | undefined>;
  /** The segment that is appended to. */
  currentSegment(): number;
  /** A segment's file is gone. */
  forget(segment: number): void;
}

/** Told after each step whose effect is on disk; a crash can fall between any two. */
export type ErasingStep =
  | 'listed'
  | 'appended'
  | 'settled'
  | 'wiped'
  | 'done'
  | 'moved'
  | 'overwritten'
  | 'removed';

export interface Erasing {
  rewriteBodies(
    keys: readonly Buffer[],
    rewrite: (key: Buffer, value: Buffer) => Buffer | null,
  ): Promise<number>;
  reclaim(): Promise<number>;
  /** Finishes what a crash interrupted. */
  finish(): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** How much one append adds: what a commit waits for at most. */
const appendBytesMax = 256 * 1024;
const keysPerRoundMax = 4096;
const keyBytes = 9;
/** Both sort after every record's key, whose first byte is 0. */
export const wipingKey = Buffer.from('wiping');
const reclaimingKey = Buffer.from('reclaiming');

/** A value to overwrite unless the bodies record lies there still. */
export interface Listed {
  readonly key: Buffer;
  readonly extent: Extent;
}

export function createErasing(store: ErasingStore, onStep: (step: ErasingStep) => void): Erasing {
  /** Segments in which something was wiped, and what they hold since. */
  const uses = new Map<number, SegmentUse>();
  const inTurn = createInTurn();

  async function rewriteRound(
    keys: readonly Buffer[],
    rewrite: (key: Buffer, value: Buffer) => Buffer | null,
  ): Promise<number> {
    const listed: Listed[] = [];
    for (const key of keys) {
      const extent = await store.place(key);
      if (extent !== null) listed.push({ key, extent });
    }
    if (listed.length === 0) return 0;
    // LevelDB must know the old places before it is told of them as old ones.
    await store.settle();
    await store.note([{ key: wipingKey, value: encodeList(listed) }]);
    onStep('listed');
    const append = appender(store);
    const removed: Buffer[] = [];
    for (const { key, extent } of listed) {
      const value = await store.read(extent);
      const replaced = rewrite(key, value);
      if (replaced === null) removed.push(key);
      else if (replaced !== value) await append.add({ key, value: replaced });
    }
    await append.flush();
    onStep('appended');
    store.remove(removed);
    await store.settle();
    onStep('settled');
    // From this line on nothing refers to the old bytes.
    return wipeListed(listed);
  }

  /** What the disk refused to overwrite before, or a round that failed left: the list of the next one would replace it. */
  async function wipeLeft(): Promise<number> {
    const wiping = await store.noted(wipingKey);
    if (wiping === undefined) return 0;
    // LevelDB may not have been told yet of what was appended in place of it.
    await store.settle();
    return wipeListed(decodeList(wiping));
  }

  /** Wipes what is listed and no longer referred to; the list is then done with. */
  async function wipeListed(listed: readonly Listed[]): Promise<number> {
    const bySegment = new Map<number, Placed[]>();
    let bytes = 0;
    for (const { key, extent } of listed) {
      const now = await store.place(key);
      if (now !== null && now.segment === extent.segment && now.offset === extent.offset) continue;
      const values = bySegment.get(extent.segment) ?? [];
      values.push({ key, offset: extent.offset, bytes: extent.bytes });
      bySegment.set(extent.segment, values);
      bytes += extent.bytes;
    }
    for (const [segment, values] of bySegment) {
      const file = segmentFile(store.dir, segment);
      if (existsSync(file)) uses.set(segment, await wipe(file, values));
    }
    onStep('wiped');
    await store.note([{ key: wipingKey, value: null }]);
    onStep('done');
    return bytes;
  }

  /** Moves what is still referred to out of a segment and removes its file, overwritten. */
  async function compact(segment: number): Promise<number> {
    const file = segmentFile(store.dir, segment);
    const number = Buffer.alloc(4);
    number.writeUInt32BE(segment);
    await store.note([{ key: reclaimingKey, value: number }]);
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
    uses.delete(segment);
    return fileBytes - moved;
  }

  return {
    rewriteBodies: (keys, rewrite) =>
      inTurn(async () => {
        let bytes = await wipeLeft();
        for (let i = 0; i < keys.length; i += keysPerRoundMax)
          bytes += await rewriteRound(keys.slice(i, i + keysPerRoundMax), rewrite);
        return bytes;
      }),
    reclaim: () =>
      inTurn(async () => {
        let bytes = 0;
        for (const [segment, use] of [...uses])
          if (segment !== store.currentSegment() && isWorthIt(use)) bytes += await compact(segment);
        return bytes;
      }),
    idle: () => inTurn(async () => undefined),
    finish: () =>
      inTurn(async () => {
        await wipeLeft();
        const reclaiming = await store.noted(reclaimingKey);
        if (reclaiming !== undefined) await compact(reclaiming.readUInt32BE(0));
      }),
  };
}

/**
 * Less than half of the file is bodies that must move, and an eighth or more was wiped. The rest is blocks, which
 * LevelDB has taken in: without the second condition the first erasure would move all of an ordinary journal.
 */
function isWorthIt({ bodiesBytes, fileBytes, wipedBytes }: SegmentUse): boolean {
  return bodiesBytes * 2 < fileBytes && wipedBytes * 8 >= fileBytes;
}

/** Collects records into appends of bounded size. */
function appender(store: ErasingStore) {
  let records: StoredRecord[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (records.length > 0) await store.append(records);
    records = [];
    bytes = 0;
  };
  return {
    add: async (record: StoredRecord): Promise<void> => {
      if (bytes > 0 && bytes + record.value.length > appendBytesMax) await flush();
      records.push(record);
      bytes += record.value.length;
    },
    flush,
  };
}

/** (9-byte key || reference)*. */
export function encodeList(listed: readonly Listed[]): Buffer {
  return Buffer.concat(listed.flatMap(({ key, extent }) => [key, encodeReference(extent)]));
}

function decodeList(value: Buffer): Listed[] {
  const listed: Listed[] = [];
  for (let at = 0; at < value.length; at += keyBytes + referenceBytes) {
    const extent = decodeReference(value.subarray(at + keyBytes, at + keyBytes + referenceBytes));
    if (extent !== null) listed.push({ key: value.subarray(at, at + keyBytes), extent });
  }
  return listed;
}
