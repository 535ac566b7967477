/**
 * Which decisions are of a data subject, which are lines of another, and which legal holds stand. Derived from the
 * ledger, rebuildable, never evidence: it is written unsynced, in bulk, beside the lookup and with its own tip, and
 * whoever reads what it points to checks the entry itself.
 */
import { createInTurn } from '../core/in-turn.ts';
import type { JsonObject } from './canonical.ts';
import type { Step } from './head.ts';
import type { RecordStore } from './store.ts';

/** A legal hold that stands; its seq names it. */
export interface LegalHold {
  readonly seq: number;
  readonly scope: JsonObject;
  readonly by: string;
}

export interface Subjects {
  /** Takes entries that became durable, in order. */
  add(steps: readonly Step[]): void;
  /** Request seqs of a subject by its fingerprint, ascending. */
  decisionsOf(fingerprint: string): Promise<readonly number[]>;
  /** Request seqs of the lines that a decision carried, ascending. */
  linesOf(decision: number): Promise<readonly number[]>;
  /** Ascending by seq. */
  legalHolds(): readonly LegalHold[];
  /** Seq of the first entry it has not seen. */
  nextSeq(): number;
  /** Starts over at entry 0. What was stored of subjects stays: a reader checks what it points to. */
  forget(): void;
  flush(): Promise<void>;
}

const tipKey = Buffer.from('subjects tip');
const pendingMax = 8192;
const fingerprintForm = /^[0-9a-f]{16}$/;

interface Tip {
  readonly nextSeq: number;
  readonly legalHolds: readonly LegalHold[];
}

/** Opens it over the index's store, which it shares with others and does not close. */
export async function openSubjects(store: RecordStore, onError: (error: unknown) => void): Promise<Subjects> {
  const tip = parseTip(await store.get(tipKey));
  let { nextSeq } = tip;
  let holds = new Map(tip.legalHolds.map((hold) => [hold.seq, hold]));
  let pending = new Map<string, number[]>();
  let count = 0;
  const unwritten: Map<string, number[]>[] = [];
  const inTurn = createInTurn();

  function note(prefix: string, seq: number): void {
    const list = pending.get(prefix);
    if (list === undefined) pending.set(prefix, [seq]);
    else list.push(seq);
    count += 1;
  }

  function take({ type, seq, data }: Step): void {
    if (type === 'request') {
      const { subject, batch } = data;
      if (typeof subject === 'string' && fingerprintForm.test(subject)) note(subjectPrefix(subject), seq);
      if (typeof batch === 'number') note(batchPrefix(batch), seq);
    } else if (type === 'erasure') {
      const { action, by, hold, scope } = data;
      if (action === 'hold' && isObject(scope)) holds.set(seq, { seq, scope, by: String(by) });
      if (action === 'lift' && typeof hold === 'number') holds.delete(hold);
    }
  }

  async function write(): Promise<void> {
    const written = pending;
    const seen: Tip = { nextSeq, legalHolds: [...holds.values()] };
    pending = new Map();
    count = 0;
    unwritten.push(written);
    const records = [...written].map(([prefix, seqs]) => ({
      key: keyOf(prefix, seen.nextSeq),
      value: Buffer.from(JSON.stringify(seqs)),
    }));
    try {
      await store.commit([...records, { key: tipKey, value: Buffer.from(JSON.stringify(seen)) }], false);
    } catch (error) {
      // The next flush writes it: a tip beyond what was written would hide it for good.
      for (const [prefix, seqs] of written) pending.set(prefix, [...seqs, ...(pending.get(prefix) ?? [])]);
      for (const seqs of written.values()) count += seqs.length;
      throw error;
    } finally {
      unwritten.splice(unwritten.indexOf(written), 1);
    }
  }

  const flush = (): Promise<void> => inTurn(write);

  async function seqsOf(prefix: string): Promise<readonly number[]> {
    const found = new Set<number>();
    for (const map of [...unwritten, pending]) for (const seq of map.get(prefix) ?? []) found.add(seq);
    const range = { from: keyOf(prefix, 0), to: keyOf(prefix, Number.MAX_SAFE_INTEGER) };
    for await (const { value } of store.scan(range)) for (const seq of parseSeqs(value)) found.add(seq);
    return [...found].sort((a, b) => a - b);
  }

  return {
    add: (steps) => {
      for (const step of steps) {
        take(step);
        nextSeq = step.seq + 1;
      }
      if (count >= pendingMax) flush().catch(onError);
    },
    decisionsOf: async (fingerprint) =>
      fingerprintForm.test(fingerprint) ? seqsOf(subjectPrefix(fingerprint)) : [],
    linesOf: (decision) => seqsOf(batchPrefix(decision)),
    legalHolds: () => [...holds.values()],
    nextSeq: () => nextSeq,
    forget: () => {
      nextSeq = 0;
      holds = new Map();
      pending = new Map();
      count = 0;
    },
    flush,
  };
}

function subjectPrefix(fingerprint: string): string {
  return `subject ${fingerprint} `;
}

function batchPrefix(decision: number): string {
  return `batch ${String(decision).padStart(16, '0')} `;
}

/** The prefix, then u64 of the size at the flush. */
function keyOf(prefix: string, size: number): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(size));
  return Buffer.concat([Buffer.from(prefix), place]);
}

function parseSeqs(value: Buffer): number[] {
  const list: unknown = JSON.parse(value.toString('utf8'));
  return Array.isArray(list) ? list.filter((seq) => typeof seq === 'number') : [];
}

function parseTip(value: Buffer | undefined): Tip {
  const fresh: Tip = { nextSeq: 0, legalHolds: [] };
  if (value === undefined) return fresh;
  const tip: unknown = JSON.parse(value.toString('utf8'));
  if (!isObject(tip)) return fresh;
  const { nextSeq, legalHolds } = tip;
  if (typeof nextSeq !== 'number' || !Array.isArray(legalHolds) || !legalHolds.every(isLegalHold))
    return fresh;
  return { nextSeq, legalHolds };
}

function isLegalHold(value: unknown): value is LegalHold {
  if (!isObject(value)) return false;
  return typeof value['seq'] === 'number' && isObject(value['scope']) && typeof value['by'] === 'string';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
