/**
 * Whose stead somebody may rule in, and which releases by one person alone nobody has reviewed, as the ledger's
 * entries say. Derived, rebuildable, never evidence.
 */
import type { Step } from './head.ts';
import { isObject, openSmallState, type SmallState } from './small-state.ts';
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

export interface Oversight extends SmallState {
  /** In the order of the rulings: all that nobody has reviewed, and the newest of those that somebody has. */
  glassBroken(): readonly BrokenGlass[];
  /** In the order of their beginning: all that nothing has ended, and the newest of those that something has. */
  delegations(): readonly Delegation[];
}

const finishedMax = 1_000;

/** Opens it over the index's store, which it shares with others and does not close. */
export async function openOversight(
  store: RecordStore,
  onError: (error: unknown) => void,
): Promise<Oversight> {
  /** By hold. */
  let glass = new Map<number, BrokenGlass>();
  /** By the entry that began it. */
  let delegations = new Map<number, Delegation>();

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

  const state = await openSmallState<BrokenGlass | Delegation>({
    store,
    key: 'oversight tip',
    name: 'oversight',
    isItem: (value) => isBrokenGlass(value) || isDelegation(value),
    load: (items) => {
      glass = new Map(items.filter(isBrokenGlass).map((one) => [one.hold, one]));
      delegations = new Map(items.filter(isDelegation).map((one) => [one.seq, one]));
    },
    take,
    items: () => [...glass.values(), ...delegations.values()],
    onError,
  });
  return {
    ...state,
    glassBroken: () => [...glass.values()],
    delegations: () => [...delegations.values()],
  };
}

/** Maps keep the order of insertion, so the first that is finished is the oldest. */
function dropOldest<Value>(all: Map<number, Value>, isFinished: (value: Value) => boolean): void {
  const finished = [...all].filter(([, value]) => isFinished(value));
  if (finished.length <= finishedMax) return;
  const [oldest] = finished;
  if (oldest !== undefined) all.delete(oldest[0]);
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
