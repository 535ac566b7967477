/**
 * Which entries belong to a decision. Derived from the ledger, rebuildable, never evidence: it has its own
 * store, is written unsynced and in bulk, and a reader of what it points to still checks the entry itself.
 */
import { createInTurn } from '../core/in-turn.ts';
import { erasureIsAbout } from './erasure.ts';
import { outcomesOf, type Step } from './head.ts';
import type { RecordStore } from './store.ts';

export interface Lookup {
  /** Takes entries that became durable, in order. */
  add(steps: readonly Step[]): void;
  /** Seqs of the entries of a decision after its request, and of erasures of an entry's parts, ascending. */
  entriesOf(decision: number): Promise<readonly number[]>;
  /** Seq of the first entry this lookup has not seen. */
  nextSeq(): number;
  /** Starts over at entry 0. What was stored stays: a reader checks what it points to. */
  forget(): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

const decisionsPerBucket = 1024;
const pendingPairsMax = 8192;
const tipKey = Buffer.from('tip');

/** Opens a lookup over the index's store, which it closes. */
export async function openLookup(store: RecordStore, onError: (error: unknown) => void): Promise<Lookup> {
  const tip = await store.get(tipKey);
  let nextSeq = tip === undefined ? 0 : Number(tip.toString());
  /** By bucket: decision, seq, decision, seq, ... Flat, because it stays for thousands of entries. */
  let pending = new Map<number, number[]>();
  let pairs = 0;
  const inTurn = createInTurn();

  function note(decision: number, seq: number): void {
    const bucket = Math.floor(decision / decisionsPerBucket);
    const list = pending.get(bucket);
    if (list === undefined) pending.set(bucket, [decision, seq]);
    else list.push(decision, seq);
    pairs += 1;
  }

  async function write(): Promise<void> {
    if (pairs === 0) return;
    const written = pending;
    const size = nextSeq;
    const records = [...written].map(([bucket, list]) => ({
      key: bucketKey(bucket, size),
      value: Buffer.from(JSON.stringify(pairsOf(list))),
    }));
    pending = new Map();
    pairs = 0;
    unwritten.push(written);
    try {
      await store.commit([...records, { key: tipKey, value: Buffer.from(String(size)) }], false);
    } catch (error) {
      // The next flush writes it: a tip beyond what was written would hide it for good.
      for (const [bucket, list] of written) pending.set(bucket, [...list, ...(pending.get(bucket) ?? [])]);
      for (const list of written.values()) pairs += list.length / 2;
      throw error;
    } finally {
      unwritten.splice(unwritten.indexOf(written), 1);
    }
  }
  const unwritten: Map<number, number[]>[] = [];

  const flush = (): Promise<void> => inTurn(write);

  return {
    add: (steps) => {
      for (const step of steps) {
        const decision = step.data['decision'];
        if (typeof decision === 'number') note(decision, step.seq);
        for (const [closed] of outcomesOf(step.data)) note(closed, step.seq);
        for (const about of erasureIsAbout(step)) note(about, step.seq);
        nextSeq = step.seq + 1;
      }
      if (pairs >= pendingPairsMax) flush().catch(onError);
    },
    entriesOf: async (decision) => {
      const bucket = Math.floor(decision / decisionsPerBucket);
      const found = new Set<number>();
      const take = (list: readonly (readonly [number, number])[]) => {
        for (const [owner, seq] of list) if (owner === decision) found.add(seq);
      };
      for (const map of [...unwritten, pending]) take(pairsOf(map.get(bucket) ?? []));
      for await (const { value } of store.scan({
        from: bucketKey(bucket, 0),
        to: bucketKey(bucket, Number.MAX_SAFE_INTEGER),
      })) {
        take(parsePairs(value));
      }
      return [...found].sort((a, b) => a - b);
    },
    nextSeq: () => nextSeq,
    forget: () => {
      nextSeq = 0;
      pending = new Map();
      pairs = 0;
    },
    flush,
    close: async () => {
      try {
        await flush();
      } finally {
        await store.close();
      }
    },
  };
}

/** u64 bucket || u64 size at the flush. */
function bucketKey(bucket: number, size: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeBigUInt64BE(BigInt(bucket));
  key.writeBigUInt64BE(BigInt(size), 8);
  return key;
}

function pairsOf(flat: readonly number[]): [number, number][] {
  const pairs: [number, number][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) pairs.push([flat[i] ?? 0, flat[i + 1] ?? 0]);
  return pairs;
}

function parsePairs(value: Buffer): [number, number][] {
  const list: unknown = JSON.parse(value.toString('utf8'));
  return Array.isArray(list) ? list.filter(isPair) : [];
}

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'number';
}
