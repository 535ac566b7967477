/** What an erasure met and could not read or destroy, and what it says of it in the end. */
import { HoldpointError } from '../core/errors.ts';
import { leftStored, unreadSaid } from '../ledger/destroying.ts';
import type { Target } from '../ledger/erasure.ts';
import { UnreadableEntry } from '../ledger/reader.ts';

export interface Unread {
  add(error: UnreadableEntry): void;
  /** What it resolves to; null where it meets what cannot be read, which is then added. */
  aside<T>(reading: Promise<T>): Promise<T | null>;
  /** Ascending. */
  all(): readonly UnreadableEntry[];
}

/** What comes after so many is not remembered. */
const unreadMax = 1024;

/** @param onEach told of each entry that is to be looked at again */
export function createUnread(onEach: (seq: number) => void): Unread {
  const found = new Map<string, UnreadableEntry>();

  function add(error: UnreadableEntry): void {
    const { seq, last } = error;
    const name = `${seq} ${last}`;
    if (found.has(name)) return;
    if (found.size < unreadMax) found.set(name, error);
    for (let at = seq; at <= Math.min(last, seq + unreadMax); at += 1) onEach(at);
  }

  return {
    add,
    aside: async (reading) => {
      try {
        return await reading;
      } catch (error) {
        if (!(error instanceof UnreadableEntry)) throw error;
        add(error);
        return null;
      }
    },
    all: () => [...found.values()].sort((a, b) => a.seq - b.seq),
  };
}

const notErased =
  'no decision that is there, or that something there is about, was judged, and nothing of one was erased.';

/** Throws `ledger_damaged` where something of what was erased is stored still, or something could not be judged. */
export function requireAll(
  left: readonly Target[],
  cause: unknown,
  unread: readonly UnreadableEntry[],
): void {
  const stored = left.length === 0 ? [] : [leftStored(left, cause)];
  const said = [...stored, ...(unread.length === 0 ? [] : [unreadSaid(unread, notErased)])];
  const [first] = said;
  if (first === undefined) return;
  const words = (of: 'message' | 'next'): string => said.map((one) => one[of]).join(' ');
  throw new HoldpointError('ledger_damaged', words('message'), words('next'), first);
}
