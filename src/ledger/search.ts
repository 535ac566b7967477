/**
 * Which decisions have what: postings by model, workload, rule, outcome and the like. Derived from the ledger,
 * rebuildable, never evidence: it has a place beside the lookup, is written unsynced and in bulk, and whoever
 * searches reads the decision itself before showing it.
 *
 *     key = "s" || first 8 bytes of SHA-256(term) || u64 bucket || u64 size at the write      value = u16 offsets
 */
import { sha256 } from '../core/bytes.ts';
import { createInTurn } from '../core/in-turn.ts';
import type { Json } from './canonical.ts';
import { outcomesOf, type Step } from './head.ts';
import type { RecordStore, StoredRecord } from './store.ts';

/** What decisions are found by. A value is compared whole. */
export const searchNames = [
  'file',
  'model',
  'operation',
  'outcome',
  'provider',
  'report',
  'rule',
  'ruledBy',
  'session',
  'subject',
  'verdict',
  'workload',
] as const;
export type SearchName = (typeof searchNames)[number];
/** Each of these must hold. */
export type SearchTerms = Readonly<Partial<Record<SearchName, string | undefined>>>;

export interface SearchIndex {
  /** Takes entries that became durable, in order; what does not follow on is left for `catchUp`. */
  add(steps: readonly Step[]): void;
  /** Seq of the first entry that is not in it. */
  nextSeq(): number;
  /**
   * Request seqs below `before` that may have all the terms, the newest first; a superset, because a decision's
   * verdict and model can change with its answer.
   */
  find(terms: SearchTerms, before: number): AsyncGenerator<number>;
  /** Starts over at entry 0. What was stored stays: a reader checks what it points to. */
  forget(): void;
  flush(): Promise<void>;
}

const bucketDecisions = 65_536;
const pendingPostingsMax = 16_384;
/** Named anew whenever entries are found by more: the index is then made again from the ledger. */
const tipKey = Buffer.from('search:2');
const textNames: readonly SearchName[] = ['model', 'operation', 'provider', 'session', 'subject', 'workload'];

/** By name, then by value: the offsets in their bucket, some twice. */
type Postings = Map<SearchName, Map<string, number[]>>;

/** What a reported decision is found by: its reporter and the id that they gave it; '' where it has none. */
export function reportTerm(reported: Json): string {
  if (typeof reported !== 'object' || !('by' in reported) || !('id' in reported)) return '';
  const { by, id } = reported;
  return typeof by === 'string' && typeof id === 'string' ? `${by}:${id}` : '';
}

/** Opens the index in a store that it shares; the store's owner closes it after a last `flush`. */
export async function openSearchIndex(
  store: RecordStore,
  onError: (error: unknown) => void,
): Promise<SearchIndex> {
  const tip = await store.get(tipKey);
  let nextSeq = tip === undefined ? 0 : Number(tip.toString());
  /** By bucket; first those that are on their way to the store. */
  let pending = new Map<number, Postings>();
  const unwritten: Map<number, Postings>[] = [];
  let postings = 0;
  const inTurn = createInTurn();

  function post(name: SearchName, value: unknown, decision: number): void {
    if (typeof value !== 'string' || value === '') return;
    const offset = decision % bucketDecisions;
    const offsets = offsetsIn(pending, Math.floor(decision / bucketDecisions), name, value);
    // An answer mostly says again what the request did.
    if (offsets.at(-1) === offset) return;
    offsets.push(offset);
    postings += 1;
  }

  function take({ seq, type, data }: Step): void {
    for (const [decision, outcome] of outcomesOf(data)) post('outcome', outcome, decision);
    const decision = type === 'request' ? seq : data['decision'];
    if (type === 'ruling' && typeof decision === 'number') post('ruledBy', data['by'], decision);
    if (typeof decision !== 'number' || (type !== 'request' && type !== 'response')) return;
    for (const name of textNames) post(name, data[name], decision);
    post('verdict', data['verdict'], decision);
    const { file, reported, rules } = data;
    if (typeof file === 'object' && 'id' in file) post('file', file['id'], decision);
    if (typeof reported === 'object') post('report', reportTerm(reported), decision);
    if (Array.isArray(rules)) for (const rule of rules) post('rule', rule, decision);
  }

  async function write(): Promise<void> {
    if (postings === 0) return;
    const written = pending;
    const size = nextSeq;
    pending = new Map();
    postings = 0;
    unwritten.push(written);
    const tipRecord = { key: tipKey, value: Buffer.from(String(size)) };
    try {
      await store.commit([...recordsOf(written, size), tipRecord], false);
    } catch (error) {
      // The next flush writes it: a tip beyond what was written would hide it for good.
      for (const { bucket, name, value, offsets } of eachOf(written)) {
        offsetsIn(pending, bucket, name, value).push(...offsets);
        postings += offsets.length;
      }
      throw error;
    } finally {
      unwritten.splice(unwritten.indexOf(written), 1);
    }
  }

  /** As records hold them, in no order, some twice. */
  async function offsetsOf(name: SearchName, sought: string, bucket: number): Promise<Buffer> {
    const kept = [...unwritten, pending].flatMap(
      (buckets) => buckets.get(bucket)?.get(name)?.get(sought) ?? [],
    );
    const found = [encodeOffsets(kept)];
    const from = recordKey(name, sought, bucket, 0);
    const to = recordKey(name, sought, bucket, Number.MAX_SAFE_INTEGER);
    for await (const { value } of store.scan({ from, to }))
      found.push(value.subarray(0, value.length - (value.length % 2)));
    return Buffer.concat(found);
  }

  /** The latest bucket up to this one in which the value has postings; -1 where there is none. */
  async function bucketUpTo(name: SearchName, sought: string, bucket: number): Promise<number> {
    let latest = -1;
    for (const kept of [...unwritten, pending])
      for (const [other, names] of kept)
        if (other > latest && other <= bucket && names.get(name)?.has(sought)) latest = other;
    const from = recordKey(name, sought, 0, 0);
    const to = recordKey(name, sought, bucket, Number.MAX_SAFE_INTEGER);
    for await (const { key } of store.scan({ from, to, reverse: true, limit: 1 }))
      latest = Math.max(latest, bucketOfKey(key));
    return latest;
  }

  /** The latest bucket up to this one in which every value has postings: what is rare decides how many are read. */
  async function commonBucketUpTo(wanted: readonly Wanted[], bucket: number): Promise<number> {
    let common = bucket;
    for (let agreed = 0; agreed < wanted.length && common >= 0; ) {
      for (const { name, value } of wanted) {
        const latest = await bucketUpTo(name, value, common);
        agreed = latest === common ? agreed + 1 : 1;
        common = latest;
        if (agreed >= wanted.length || common < 0) break;
      }
    }
    return common;
  }

  const flush = (): Promise<void> => inTurn(write);

  return {
    add: (steps) => {
      for (const step of steps) {
        if (step.seq !== nextSeq) continue;
        take(step);
        nextSeq += 1;
      }
      if (postings >= pendingPostingsMax) flush().catch(onError);
    },
    nextSeq: () => nextSeq,
    find: async function* (terms, before) {
      const wanted = searchNames.flatMap((name) => {
        const value = terms[name];
        return value === undefined ? [] : [{ name, value }];
      });
      const last = Math.floor((Math.min(before, nextSeq) - 1) / bucketDecisions);
      for (let bucket = last; ; bucket -= 1) {
        bucket = await commonBucketUpTo(wanted, bucket);
        if (bucket < 0) return;
        const lists: Buffer[] = [];
        for (const { name, value } of wanted) lists.push(await offsetsOf(name, value, bucket));
        for (const offset of commonOffsets(lists).toSorted((a, b) => b - a)) {
          const seq = bucket * bucketDecisions + offset;
          if (seq < before) yield seq;
        }
      }
    },
    forget: () => {
      nextSeq = 0;
      pending = new Map();
      postings = 0;
    },
    flush,
  };
}

interface Wanted {
  readonly name: SearchName;
  readonly value: string;
}

/** The list of a bucket's name and value, made where there is none. */
function offsetsIn(
  buckets: Map<number, Postings>,
  bucket: number,
  name: SearchName,
  value: string,
): number[] {
  const names = buckets.get(bucket) ?? new Map<SearchName, Map<string, number[]>>();
  const values = names.get(name) ?? new Map<string, number[]>();
  const offsets = values.get(value) ?? [];
  if (offsets.length === 0) {
    values.set(value, offsets);
    names.set(name, values);
    buckets.set(bucket, names);
  }
  return offsets;
}

function* eachOf(buckets: ReadonlyMap<number, Postings>) {
  for (const [bucket, names] of buckets)
    for (const [name, values] of names)
      for (const [value, offsets] of values) yield { bucket, name, value, offsets };
}

function recordsOf(buckets: ReadonlyMap<number, Postings>, size: number): StoredRecord[] {
  return [...eachOf(buckets)].map(({ bucket, name, value, offsets }) => ({
    key: recordKey(name, value, bucket, size),
    value: encodeOffsets(offsets),
  }));
}

function encodeOffsets(offsets: readonly number[]): Buffer {
  const value = Buffer.alloc(2 * offsets.length);
  let at = 0;
  for (const offset of offsets) at = value.writeUInt16BE(offset, at);
  return value;
}

/** The offsets that stand in every list: the rarest decides how many are remembered, of the others each is looked at once. */
function commonOffsets(lists: readonly Buffer[]): number[] {
  let common: ReadonlySet<number> | null = null;
  for (const list of lists.toSorted((a, b) => a.length - b.length)) {
    const found = new Set<number>();
    for (let at = 0; at + 2 <= list.length; at += 2) {
      const offset = list.readUInt16BE(at);
      if (common === null || common.has(offset)) found.add(offset);
    }
    common = found;
  }
  return [...(common ?? [])];
}

function bucketOfKey(key: Buffer): number {
  return Number(key.readBigUInt64BE(9));
}

function recordKey(name: SearchName, value: string, bucket: number, size: number): Buffer {
  const key = Buffer.alloc(25);
  key.write('s');
  sha256(Buffer.from(`${name}\0${value}`)).copy(key, 1, 0, 8);
  key.writeBigUInt64BE(BigInt(bucket), 9);
  key.writeBigUInt64BE(BigInt(size), 17);
  return key;
}
