/**
 * Which key signs rulings for whom, as the ledger's `key` entries say. Derived, rebuildable, never evidence: whoever
 * verifies a ledger reads the entries. Written unsynced beside the lookup, with its own tip.
 */
import type { Step } from './head.ts';
import type { RecordStore } from './store.ts';

export interface ReviewerKey {
  /** Seq of the entry that enrolled it. */
  readonly seq: number;
  readonly owner: string;
  /** Base64 of 32 bytes. */
  readonly key: string;
  /** Seq of the entry that withdrew it; null while it counts. */
  readonly withdrawn: number | null;
}

export interface ReviewerKeys {
  /** Takes entries that became durable, in order. */
  add(steps: readonly Step[]): void;
  /** In the order of their enrolment, withdrawn ones included: such a key never comes back. */
  all(): readonly ReviewerKey[];
  /** Seq of the first entry it has not seen. */
  nextSeq(): number;
  /** Starts over at entry 0. */
  forget(): void;
  flush(): Promise<void>;
}

const tipKey = Buffer.from('reviewer keys tip');
/** After a crash at most this many entries are read again. */
const unflushedMax = 65_536;

/** Opens it over the index's store, which it shares with others and does not close. */
export async function openReviewerKeys(
  store: RecordStore,
  onError: (error: unknown) => void,
): Promise<ReviewerKeys> {
  const tip = parseTip(await store.get(tipKey));
  let { nextSeq } = tip;
  let keys = new Map(tip.keys.map((key) => [key.key, key]));
  let flushedSeq = nextSeq;
  let flushing = Promise.resolve();

  function take({ type, seq, data }: Step): void {
    const { action, key, owner } = data;
    if (type !== 'key' || typeof key !== 'string') return;
    if (action === 'enrol' && typeof owner === 'string' && !keys.has(key))
      keys.set(key, { seq, owner, key, withdrawn: null });
    const known = keys.get(key);
    if (action === 'withdraw' && known?.withdrawn === null) keys.set(key, { ...known, withdrawn: seq });
  }

  async function write(): Promise<void> {
    const seen = { nextSeq, keys: [...keys.values()] };
    await store.commit([{ key: tipKey, value: Buffer.from(JSON.stringify(seen)) }], false);
    flushedSeq = seen.nextSeq;
  }

  function flush(): Promise<void> {
    // Whoever asked for the flush before this one hears of its failure.
    flushing = flushing.catch(() => undefined).then(write);
    return flushing;
  }

  return {
    add: (steps) => {
      for (const step of steps) {
        take(step);
        nextSeq = step.seq + 1;
      }
      if (nextSeq - flushedSeq < unflushedMax) return;
      flushedSeq = nextSeq;
      flush().catch(onError);
    },
    all: () => [...keys.values()],
    nextSeq: () => nextSeq,
    forget: () => {
      nextSeq = 0;
      flushedSeq = 0;
      keys = new Map();
    },
    flush,
  };
}

interface Tip {
  readonly nextSeq: number;
  readonly keys: readonly ReviewerKey[];
}

function parseTip(value: Buffer | undefined): Tip {
  const fresh: Tip = { nextSeq: 0, keys: [] };
  if (value === undefined) return fresh;
  const tip: unknown = JSON.parse(value.toString('utf8'));
  if (!isObject(tip)) return fresh;
  const { nextSeq, keys } = tip;
  if (typeof nextSeq !== 'number' || !Array.isArray(keys) || !keys.every(isReviewerKey)) return fresh;
  return { nextSeq, keys };
}

function isReviewerKey(value: unknown): value is ReviewerKey {
  if (!isObject(value)) return false;
  const { seq, owner, key, withdrawn } = value;
  const isWithdrawn = withdrawn === null || typeof withdrawn === 'number';
  return typeof seq === 'number' && typeof owner === 'string' && typeof key === 'string' && isWithdrawn;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
