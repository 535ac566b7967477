/**
 * Whose stead somebody may rule in, and which releases by one person alone nobody has reviewed, as the ledger's
 * entries say. Derived, rebuildable, never evidence. Written unsynced beside the lookup, with its own tip.
 */
import type { Step } from './head.ts';
import type { RecordStore } from './store.ts';

/** A release by one person alone. */
export interface BrokenGlass {
  readonly hold: number;
  readonly decision: number;
  /** Seq of the ruling. */
  readonly ruling: number;
  readonly by: string;
  /** Seq of the review; null while there is none. */
  readonly reviewed: number | null;
}

export interface Delegation {
  /** Of the entry that began it, which names it. */
  readonly seq: number;
  /** Who is away, and the role that is lent. */
  readonly from: string;
  readonly role: string;
  readonly to: string;
  readonly untilMs: number;
  /** Seq of the entry that ended it; null while there is none. */
  readonly ended: number | null;
}

export interface Oversight {
  /** Takes entries that became durable, in order. */
  add(steps: readonly Step[]): void;
  /** In the order of the rulings: all that nobody has reviewed, and the newest of those that somebody has. */
  glassBroken(): readonly BrokenGlass[];
  /** In the order of their beginning: all that nothing has ended, and the newest of those that something has. */
  delegations(): readonly Delegation[];
  /** Seq of the first entry it has not seen. */
  nextSeq(): number;
  /** Starts over at entry 0. */
  forget(): void;
  flush(): Promise<void>;
}

const tipKey = Buffer.from('oversight tip');
/** After a crash at most this many entries are read again. */
const unflushedMax = 65_536;
const finishedMax = 1_000;

/** Opens it over the index's store, which it shares with others and does not close. */
export async function openOversight(
  store: RecordStore,
  onError: (error: unknown) => void,
): Promise<Oversight> {
  const tip = parseTip(await store.get(tipKey));
  let { nextSeq } = tip;
  let glass = new Map(tip.glass.map((one) => [one.hold, one]));
  let delegations = new Map(tip.delegations.map((one) => [one.seq, one]));
  let flushedSeq = nextSeq;
  let flushing = Promise.resolve();

  function take({ type, seq, data }: Step): void {
    const { action, by, decision, hold } = data;
    if (typeof by !== 'string') return;
    if (type === 'ruling' && data['breakGlass'] === true) {
      if (typeof decision === 'number' && typeof hold === 'number')
        glass.set(hold, { hold, decision, ruling: seq, by, reviewed: null });
    } else if (type === 'access' && action === 'review' && typeof hold === 'number') {
      const broken = glass.get(hold);
      if (broken !== undefined) glass.set(hold, { ...broken, reviewed: seq });
      dropOldest(glass, ({ reviewed }) => reviewed !== null);
    } else if (type === 'access' && action === 'delegate') {
      const { delegate: to, role, until: untilMs } = data;
      if (typeof to === 'string' && typeof role === 'string' && typeof untilMs === 'number')
        delegations.set(seq, { seq, from: by, role, to, untilMs, ended: null });
    } else if (type === 'access' && action === 'delegation_end' && typeof data['delegation'] === 'number') {
      const begun = delegations.get(data['delegation']);
      if (begun !== undefined) delegations.set(begun.seq, { ...begun, ended: seq });
      dropOldest(delegations, ({ ended }) => ended !== null);
    }
  }

  async function write(): Promise<void> {
    const seen = { nextSeq, glass: [...glass.values()], delegations: [...delegations.values()] };
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
    glassBroken: () => [...glass.values()],
    delegations: () => [...delegations.values()],
    nextSeq: () => nextSeq,
    forget: () => {
      nextSeq = 0;
      flushedSeq = 0;
      glass = new Map();
      delegations = new Map();
    },
    flush,
  };
}

/** Maps keep the order of insertion, so the first that is finished is the oldest. */
function dropOldest<Value>(all: Map<number, Value>, isFinished: (value: Value) => boolean): void {
  const finished = [...all].filter(([, value]) => isFinished(value));
  if (finished.length <= finishedMax) return;
  const [oldest] = finished;
  if (oldest !== undefined) all.delete(oldest[0]);
}

interface Tip {
  readonly nextSeq: number;
  readonly glass: readonly BrokenGlass[];
  readonly delegations: readonly Delegation[];
}

function parseTip(value: Buffer | undefined): Tip {
  const fresh: Tip = { nextSeq: 0, glass: [], delegations: [] };
  if (value === undefined) return fresh;
  const tip: unknown = JSON.parse(value.toString('utf8'));
  if (!isObject(tip)) return fresh;
  const { nextSeq, glass, delegations } = tip;
  if (typeof nextSeq !== 'number' || !Array.isArray(glass) || !glass.every(isBrokenGlass)) return fresh;
  if (!Array.isArray(delegations) || !delegations.every(isDelegation)) return fresh;
  return { nextSeq, glass, delegations };
}

function isBrokenGlass(value: unknown): value is BrokenGlass {
  if (!isObject(value)) return false;
  const { hold, decision, ruling, by, reviewed } = value;
  const seqs = [hold, decision, ruling];
  return seqs.every((seq) => typeof seq === 'number') && typeof by === 'string' && isNumberOrNull(reviewed);
}

function isDelegation(value: unknown): value is Delegation {
  if (!isObject(value)) return false;
  const { seq, from, role, to, untilMs, ended } = value;
  return (
    [from, role, to].every((text) => typeof text === 'string') &&
    [seq, untilMs].every((number) => typeof number === 'number') &&
    isNumberOrNull(ended)
  );
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || typeof value === 'number';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
