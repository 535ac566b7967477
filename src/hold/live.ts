/** The holds in memory, found by what they are asked for. Every call settles its decision here, however many wait. */
import type { Hold } from './record.ts';
import type { HoldStatus } from './state.ts';

/** `shutdown`: the sidecar is stopping and keeps the hold for the next start. */
export type WaitResult = HoldStatus | 'shutdown';

export interface Live {
  readonly hold: Hold;
  /** Of a ruling on it that is being sealed: resolves when it is, or has failed. */
  sealing: Promise<void> | null;
  /** A step of its ladder is being sealed. */
  escalating: boolean;
  waiter: ((result: WaitResult) => void) | null;
  cancelTimer: () => void;
}

export interface LiveHolds {
  add(hold: Hold): Live;
  /** Forgets it and stops its timer. */
  remove(item: Live): void;
  get(holdSeq: number): Live | undefined;
  all(): readonly Live[];
  ofDecision(decision: number): readonly Live[];
  ofRetryKey(retryKey: string): readonly Live[];
  isEmpty(): boolean;
}

export function createLiveHolds(): LiveHolds {
  const bySeq = new Map<number, Live>();
  const byDecision = new Map<number, readonly Live[]>();
  const byRetryKey = new Map<string, readonly Live[]>();
  return {
    add: (hold) => {
      const item: Live = {
        hold,
        sealing: null,
        escalating: false,
        waiter: null,
        cancelTimer: () => undefined,
      };
      bySeq.set(hold.seq, item);
      join(byDecision, hold.decision, item);
      join(byRetryKey, hold.retryKey, item);
      return item;
    },
    remove: (item) => {
      item.cancelTimer();
      bySeq.delete(item.hold.seq);
      leave(byDecision, item.hold.decision, item);
      leave(byRetryKey, item.hold.retryKey, item);
    },
    get: (holdSeq) => bySeq.get(holdSeq),
    all: () => [...bySeq.values()],
    ofDecision: (decision) => byDecision.get(decision) ?? none,
    ofRetryKey: (retryKey) => byRetryKey.get(retryKey) ?? none,
    isEmpty: () => bySeq.size === 0,
  };
}

const none: readonly Live[] = [];

/** A list of exactly its length: one that is appended to has room for sixteen more, and each hold is in two. */
function join<Key>(index: Map<Key, readonly Live[]>, key: Key, item: Live): void {
  const known = index.get(key);
  index.set(key, known === undefined ? [item] : known.concat(item));
}

function leave<Key>(index: Map<Key, readonly Live[]>, key: Key, item: Live): void {
  const left = (index.get(key) ?? none).filter((other) => other !== item);
  if (left.length === 0) index.delete(key);
  else index.set(key, left);
}

/** Gives a waiting caller its answer; nobody waits afterwards. */
export function wake(item: Live, result: WaitResult): void {
  const waiter = item.waiter;
  item.waiter = null;
  waiter?.(result);
}
