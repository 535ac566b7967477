/** What could not be read of the ledger while something was made from many of its entries. */
import { UnreadableEntry } from '../ledger/reader.ts';
import { type UnreadableShown, unreadableMax } from './api/unreadable.ts';
import type { ControlParts } from './parts.ts';

export interface Damage {
  /** Passed over, an entry tells of itself alone; read for a decision, whose it is. */
  tell(why: UnreadableEntry, decision?: number): void;
  /** Null, and told, where an entry of the decision that `read` needs cannot be read. */
  read<T>(decision: number, read: () => Promise<T>): Promise<T | null>;
  /** Whether no more is told from here on. */
  isFull(): boolean;
  /** How many entries it is, those beyond what is told among them. */
  entries(): number;
  told(): UnreadableShown[];
}

export function createDamage(ledger: Pick<ControlParts['ledger'], 'decisionId'>): Damage {
  const told = new Map<number, UnreadableShown>();
  /** The first and the last of each; one is met as often as it is needed, and counts once. */
  const untold = new Map<number, number>();

  function tell({ seq, last, message }: UnreadableEntry, decision?: number): void {
    const known = told.get(seq);
    if (known === undefined && told.size >= unreadableMax) {
      untold.set(seq, Math.max(last, untold.get(seq) ?? last));
      return;
    }
    const whose = decision === undefined ? (known?.decision ?? null) : ledger.decisionId(decision);
    told.set(seq, { seq, last: Math.max(last, known?.last ?? last), decision: whose, why: message });
  }

  return {
    tell,
    read: async (decision, read) => {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof UnreadableEntry)) throw error;
        tell(error, decision);
        return null;
      }
    },
    isFull: () => told.size >= unreadableMax,
    entries: () => {
      const spans = [...[...told.values()].map(({ seq, last }) => [seq, last] as const), ...untold];
      return spans.reduce((sum, [seq, last]) => sum + last - seq + 1, 0);
    },
    told: () => [...told.values()],
  };
}
