/** What the parts of the queue share: the holds in memory, the ledger they are sealed in, time, and who is told. */
import type { Clock, Schedule } from '../core/clock.ts';
import { manyTimers } from '../core/many-timers.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createLiveHolds, type LiveHolds } from './live.ts';
import type { Hold } from './record.ts';
import { createShared, type Shared } from './shared.ts';

export interface HoldEvent {
  readonly kind:
    | 'opened'
    | 'ruled'
    | 'approved'
    | 'caller'
    | 'settled'
    | 'escalated'
    | 'glass-broken'
    | 'commented'
    | 'assigned'
    | 'looking'
    | 'reviewed'
    | 'review-overdue';
  readonly hold: Hold;
  /** Who did it; '' where nobody did. */
  readonly by: string;
}

export interface QueueOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly onError: (what: string, error: unknown) => void;
}

export interface Desk extends QueueOptions {
  readonly live: LiveHolds;
  /** Set while memory is made to say what is sealed; until then nothing is sealed on what it says. Owned by restoring.ts. */
  reading: Promise<void> | null;
  /** For whatever a hold waits for, by its deadlines. */
  readonly deadlines: Schedule;
  readonly shared: Shared;
  emit(kind: HoldEvent['kind'], hold: Hold, by?: string): void;
  subscribe(listener: (event: HoldEvent) => void): () => void;
}

export function createDesk(options: QueueOptions): Desk {
  const listeners = new Set<(event: HoldEvent) => void>();
  return {
    ...options,
    deadlines: manyTimers(options.schedule, options.clock),
    live: createLiveHolds(),
    reading: null,
    shared: createShared(),
    emit: (kind, hold, by = '') => {
      for (const listener of listeners) {
        try {
          listener({ kind, hold, by });
        } catch (error) {
          // What is sealed takes effect, whoever fails to hear of it.
          options.onError(`A listener failed on a hold that was ${kind}`, error);
        }
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
