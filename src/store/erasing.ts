/**
 * Takes bodies out of the journal's files: the reduced records are appended and referred to, then the old bytes
 * are overwritten in place, and segments that are mostly empty are given back (reclaiming.ts). What is to be overwritten is
 * written down first, so that a start after a crash finishes it. One at a time; commits go on meanwhile. What damage or
 * the disk keeps from it is told, and keeps nothing else from it.
 */
import { existsSync } from 'node:fs';
import { HoldpointError } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import type { LeftRecord, Rewritten } from '../ledger/store.ts';
import { appender } from './appender.ts';
import type { ErasingStep, ErasingStore } from './erasing-store.ts';
import { type Extent, segmentFile } from './journal.ts';
import { createReclaiming, isWorthIt } from './reclaiming.ts';
import { decodeReference, encodeReference, referenceBytes } from './reference.ts';
import { isHeaderOf, notThere, recordHeaderBytes, type SegmentUse, wipe } from './segment.ts';

export interface Erasing {
  rewriteBodies(
    keys: readonly Buffer[],
    rewrite: (key: Buffer, value: Buffer) => Buffer | null,
  ): Promise<Rewritten>;
  reclaim(): Promise<number>;
  /** Finishes what a crash interrupted. */
  finish(): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

const keysPerRoundMax = 4096;
const keyBytes = 9;
/** Sorts after every record's key, whose first byte is 0. */
export const wipingKey = Buffer.from('wiping');

/** A value to overwrite unless the bodies record lies there still. */
export interface Listed {
  readonly key: Buffer;
  readonly extent: Extent;
}

/** One that could not be. */
type Owed = Listed & LeftRecord;

interface Round {
  readonly bytes: number;
  readonly left: readonly LeftRecord[];
  readonly owed: readonly Owed[];
}

export function createErasing(store: ErasingStore, onStep: (step: ErasingStep) => void): Erasing {
  /** Segments in which something was wiped, and what they hold since. */
  const uses = new Map<number, SegmentUse>();
  const inTurn = createInTurn();
  const reclaiming = createReclaiming(store, onStep);

  /** @param owed what is still to be overwritten from before */
  async function rewriteRound(
    keys: readonly Buffer[],
    rewrite: (key: Buffer, value: Buffer) => Buffer | null,
    owed: readonly Owed[],
  ): Promise<Round> {
    const listed: Listed[] = [];
    const left: LeftRecord[] = [];
    for (const key of keys) {
      const extent = await store.place(key);
      if (extent !== null) listed.push({ key, extent });
      else if ((await store.record(key)) !== undefined) left.push({ key, cause: noReference() });
    }
    if (listed.length === 0) return { bytes: 0, left, owed };
    // LevelDB must know the old places before it is told of them as old ones.
    await store.settle();
    await store.note([{ key: wipingKey, value: encodeList([...owed, ...listed]) }]);
    onStep('listed');
    const append = appender(store);
    const removed: Buffer[] = [];
    for (const one of listed) {
      const { key } = one;
      const value = await readListed(one);
      if (!Buffer.isBuffer(value)) {
        left.push(value);
        continue;
      }
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
    const wiped = await wipeListed([...owed, ...listed]);
    return { ...wiped, left };
  }

  /** One that cannot be read where it is said to lie could not be overwritten there either: it stays as it is. */
  async function readListed({ key, extent }: Listed): Promise<Buffer | LeftRecord> {
    const { segment, offset, bytes } = extent;
    try {
      const at = offset - recordHeaderBytes;
      const header = await store.read({ segment, offset: at, bytes: recordHeaderBytes });
      const value = await store.read(extent);
      if (isHeaderOf(header, { key, bytes }) && value.length === bytes) return value;
      return { key, cause: notThere(segmentFile(store.dir, segment), offset) };
    } catch (cause) {
      return { key, cause };
    }
  }

  /** What the disk refused to overwrite before, or a round that failed left: the list of the next one would replace it. */
  async function wipeLeft(): Promise<Pick<Round, 'bytes' | 'owed'>> {
    const wiping = await store.noted(wipingKey);
    if (wiping === undefined) return { bytes: 0, owed: [] };
    // LevelDB may not have been told yet of what was appended in place of it.
    await store.settle();
    return wipeListed(decodeList(wiping));
  }

  /** Wipes what is listed and no longer referred to; what cannot be stays listed. */
  async function wipeListed(listed: readonly Listed[]): Promise<Pick<Round, 'bytes' | 'owed'>> {
    const bySegment = new Map<number, Listed[]>();
    for (const one of listed) {
      const { key, extent } = one;
      const now = await store.place(key);
      if (now !== null && now.segment === extent.segment && now.offset === extent.offset) continue;
      const others = bySegment.get(extent.segment) ?? [];
      others.push(one);
      bySegment.set(extent.segment, others);
    }
    let bytes = 0;
    const owed: Owed[] = [];
    for (const [segment, values] of bySegment) {
      const refused = await wipeSegment(segment, values);
      owed.push(...refused);
      bytes += bytesOf(values) - bytesOf(refused);
    }
    onStep('wiped');
    await store.note([{ key: wipingKey, value: owed.length === 0 ? null : encodeList(owed) }]);
    onStep('done');
    return { bytes, owed };
  }

  /** What could not be overwritten of it. One segment that the disk refuses keeps none of the others from it. */
  async function wipeSegment(segment: number, values: readonly Listed[]): Promise<readonly Owed[]> {
    const file = segmentFile(store.dir, segment);
    if (!existsSync(file)) return [];
    try {
      const { use, refused } = await wipe(
        file,
        values.map(({ key, extent }) => ({ key, offset: extent.offset, bytes: extent.bytes })),
      );
      uses.set(segment, use);
      return refused.map(({ value: { key, offset, bytes }, cause }) => ({
        key,
        extent: { segment, offset, bytes },
        cause,
      }));
    } catch (cause) {
      return values.map((one) => ({ ...one, cause }));
    }
  }

  return {
    rewriteBodies: (keys, rewrite) =>
      inTurn(async () => {
        let { bytes, owed } = await wipeLeft();
        const left: LeftRecord[] = [];
        for (let i = 0; i < keys.length; i += keysPerRoundMax) {
          const round = await rewriteRound(keys.slice(i, i + keysPerRoundMax), rewrite, owed);
          bytes += round.bytes;
          left.push(...round.left);
          owed = round.owed;
        }
        return { bytes, left: [...left, ...owed] };
      }),
    reclaim: () =>
      inTurn(async () => {
        let bytes = 0;
        for (const [segment, use] of [...uses]) {
          if (segment === store.currentSegment() || !isWorthIt(use)) continue;
          bytes += await reclaiming.reclaim(segment);
          // One that stays is looked at again once more of it was overwritten.
          uses.delete(segment);
        }
        return bytes;
      }),
    idle: () => inTurn(async () => undefined),
    finish: () =>
      inTurn(async () => {
        await wipeLeft();
        await reclaiming.finish();
      }),
  };
}

function noReference(): HoldpointError {
  return new HoldpointError(
    'ledger_damaged',
    'What LevelDB has of a bodies record does not say where it lies.',
    'Nothing was erased there. Run `holdpoint verify` on the data directory.',
  );
}

function bytesOf(listed: readonly Listed[]): number {
  return listed.reduce((sum, { extent }) => sum + extent.bytes, 0);
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
