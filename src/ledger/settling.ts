/**
 * How decisions ended: outcomes gather for a moment and are sealed many in one entry. Owns those that are not known
 * to be on disk, so that recovery can give a decision the outcome it had.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Outcome } from './entry.ts';
import type { Draft, Sealed } from './sealer.ts';

export interface Settling {
  /** See Ledger.settle. */
  settle(decision: number, outcome: Outcome): void;
  /** Seals what is due, as far as the ledger takes it. */
  flush(): void;
  /** What a decision ended with and is not known to be sealed. */
  outcomeOf(decision: number): Outcome | undefined;
  /** Seals nothing more by itself. */
  stop(): void;
}

export interface SettlingOptions {
  readonly isWritable: () => boolean;
  readonly isOpen: (decision: number) => boolean;
  readonly seal: (draft: Draft) => Sealed;
}

const settleWithinMs = 50;
const settlePerEntryMax = 512;

export function createSettling({ isWritable, isOpen, seal }: SettlingOptions): Settling {
  /** First those to seal, then those on their way. */
  const unsettled = new Map<number, Outcome>();
  const settling = new Map<number, Outcome>();
  let settleTimer: NodeJS.Timeout | null = null;

  function flushSettled(): void {
    if (settleTimer !== null) clearTimeout(settleTimer);
    settleTimer = null;
    while (unsettled.size > 0 && isWritable()) {
      const outcomes = [...unsettled].slice(0, settlePerEntryMax);
      for (const [decision] of outcomes) unsettled.delete(decision);
      // Recovery may have closed a decision while its call was still running: it has its outcome then.
      const due = outcomes.filter(([decision]) => isOpen(decision));
      if (due.length > 0 && !sealOutcomes(due)) return;
    }
  }

  /** False when the ledger took nothing; the outcomes are then kept, for the next flush or for recovery. */
  function sealOutcomes(outcomes: readonly [number, Outcome][]): boolean {
    const keep = (): void => {
      for (const [decision, outcome] of outcomes) {
        settling.delete(decision);
        unsettled.set(decision, outcome);
      }
    };
    try {
      const { durable } = seal({ type: 'delivery', data: { outcomes } });
      for (const [decision, outcome] of outcomes) settling.set(decision, outcome);
      durable.then(() => {
        for (const [decision] of outcomes) settling.delete(decision);
      }, keep);
      return true;
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
      keep();
      settleTimer ??= setTimeout(flushSettled, settleWithinMs);
      return false;
    }
  }

  return {
    settle: (decision, outcome) => {
      // The first one stands.
      if (unsettled.has(decision)) return;
      unsettled.set(decision, outcome);
      if (unsettled.size >= settlePerEntryMax) flushSettled();
      else settleTimer ??= setTimeout(flushSettled, settleWithinMs);
    },
    flush: flushSettled,
    outcomeOf: (decision) => settling.get(decision) ?? unsettled.get(decision),
    stop: () => {
      if (settleTimer !== null) clearTimeout(settleTimer);
    },
  };
}
