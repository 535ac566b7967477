/**
 * Which key signs rulings for whom, as the ledger's `key` entries say. Derived, rebuildable, never evidence: whoever
 * verifies a ledger reads the entries.
 */
import type { Step } from './head.ts';
import { isObject, openSmallState, type SmallState } from './small-state.ts';
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

export interface ReviewerKeys extends SmallState {
  /** In the order of their enrolment, withdrawn ones included: such a key never comes back. */
  all(): readonly ReviewerKey[];
}

/** Opens it over the index's store, which it shares with others and does not close. */
export async function openReviewerKeys(
  store: RecordStore,
  onError: (error: unknown) => void,
): Promise<ReviewerKeys> {
  let keys = new Map<string, ReviewerKey>();

  function take({ type, seq, data }: Step): void {
    const { action, key, owner } = data;
    if (type !== 'key' || typeof key !== 'string') return;
    if (action === 'enrol' && typeof owner === 'string' && !keys.has(key))
      keys.set(key, { seq, owner, key, withdrawn: null });
    const known = keys.get(key);
    if (action === 'withdraw' && known?.withdrawn === null) keys.set(key, { ...known, withdrawn: seq });
  }

  const all = (): readonly ReviewerKey[] => [...keys.values()];
  const state = await openSmallState({
    store,
    key: 'reviewer keys tip',
    name: 'keys',
    isItem: isReviewerKey,
    load: (items) => {
      keys = new Map(items.map((item) => [item.key, item]));
    },
    take,
    items: all,
    onError,
  });
  return { ...state, all };
}

function isReviewerKey(value: unknown): value is ReviewerKey {
  if (!isObject(value)) return false;
  const { seq, owner, key, withdrawn } = value;
  const isWithdrawn = withdrawn === null || typeof withdrawn === 'number';
  return typeof seq === 'number' && typeof owner === 'string' && typeof key === 'string' && isWithdrawn;
}
