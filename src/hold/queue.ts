/**
 * The queue of holds: the live index over what the ledger has sealed. It owns each hold's state in memory and
 * changes it only by entries that it sealed or read back. Nothing leaves by itself: no ruling, no release.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Outcome } from '../ledger/entry.ts';
import { createDeliberation, type Deliberation } from './deliberation.ts';
import { createDesk, type HoldEvent, type QueueOptions } from './desk.ts';
import { deliveryDraft } from './drafts.ts';
import { createEnding } from './ending.ts';
import { type Live, type WaitResult, wake } from './live.ts';
import { createLooking, type Looking } from './looking.ts';
import { type Hold, type HoldFacts, holdData } from './record.ts';
import { readHold, restoreHolds } from './restoring.ts';
import { isConsumedRequest, isFor, isRefused } from './retry.ts';
import { createReviews, type Reviews } from './reviews.ts';
import { inTurn, sealRuling } from './rulings.ts';
import { afterRuling, openState, type RulingRequest } from './state.ts';
import type { HoldTermsFixed } from './terms.ts';

export interface HoldQueue extends Deliberation, Omit<Reviews, 'stopReviews'> {
  /** Seals the hold; from then on it survives everything but expiry. The opener's caller counts as attached. */
  open(facts: HoldFacts, terms: HoldTermsFixed): Promise<Hold>;
  /** Waits for the final ruling; `pending` when the budget ends or the signal fires first, and the caller is then gone. */
  wait(hold: Hold, budgetMs: number, signal: AbortSignal): Promise<WaitResult>;
  /**
   * Rules, sealed before anyone is told. Throws what `afterRuling` throws, and `ledger_unavailable`.
   * @param confirm called in one step with the sealing; what it throws refuses the ruling
   */
  rule(hold: Hold, ruling: RulingRequest, amendment: Buffer | null, confirm?: () => void): Promise<void>;
  /** The hold a repeated call belongs to: orphaned, or ended so recently that the same answer is due. */
  findForRetry(retryKey: string, isMarkedRetry: boolean): Hold | null;
  /** True when a repeated call may find something, so that the proxy computes keys only then. */
  mayHaveRetries(): boolean;
  /** Makes a re-attached caller the one that waits. False when another got there first, and there is no refusal for both. */
  attach(hold: Hold): boolean;
  detach(hold: Hold): void;
  /**
   * Seals that released bytes are about to be handed over; resolves when durable, before the first byte.
   * @param isStillDue asked in one step with the sealing; false seals nothing and gives false
   */
  beginDelivery(hold: Hold, isStillDue?: () => boolean): Promise<boolean>;
  /** Gives the decision its outcome, once, and ends every hold of it. */
  settle(decision: number, outcome: Outcome): void;
  /** True while somebody may still rule on, or collect, something of this decision. */
  isWaiting(decision: number): boolean;
  get(holdSeq: number): Promise<Hold>;
  list(): readonly Hold[];
  /** Rebuilds the queue from the ledger's open decisions; also after the ledger was reopened. */
  restore(): Promise<void>;
  subscribe(listener: (event: HoldEvent) => void): () => void;
  readonly looking: Looking;
  /** Answers every waiting caller `shutdown`; holds stay. */
  stop(): void;
}

/** Builds the queue over a ledger. */
export function createHoldQueue(options: QueueOptions): HoldQueue {
  const desk = createDesk(options);
  const { ledger, clock, schedule, live, shared, emit } = desk;
  const ending = createEnding(desk);
  const { armTimer, settle } = ending;
  const reviews = createReviews(desk);
  let stopped = false;

  function itemOf(hold: Hold): Live {
    const item = live.get(hold.seq);
    if (item === undefined) throw new HoldpointError('ruling_expired', `The hold ${hold.id} is over.`);
    return item;
  }

  return {
    ...createDeliberation(desk, armTimer),
    ...reviews,
    open: async (given, givenTerms) => {
      const facts = shared.facts(given);
      const terms = shared.terms(givenTerms);
      const state = openState(terms);
      const data = holdData(facts, state);
      const refs = facts.response === null ? [facts.decision] : [facts.decision, facts.response];
      const sealed = ledger.seal({ type: 'hold', data, refs });
      await sealed.durable;
      const hold: Hold = {
        ...facts,
        seq: sealed.seq,
        id: ledger.holdId(sealed.seq),
        state,
        ruling: null,
        releaseDigest: terms.digest,
        collectByMs: Number.POSITIVE_INFINITY,
        deliveryAttempts: 0,
        lastAttemptAtMs: 0,
        mayHaveArrived: false,
        attached: true,
        possibleDuplicate: live
          .ofRetryKey(facts.retryKey)
          .some((item) => item.hold.state.status === 'pending'),
        outcome: null,
        comments: [],
        assignments: [],
        review: null,
      };
      armTimer(live.add(hold));
      emit('opened', hold);
      return hold;
    },
    wait: async (hold, budgetMs, signal) => {
      const item = itemOf(hold);
      if (stopped) return 'shutdown';
      if (hold.state.status !== 'pending') return hold.state.status;
      const { promise, resolve } = Promise.withResolvers<WaitResult>();
      const leave = (): void => {
        item.waiter = null;
        resolve('pending');
      };
      const cancel = schedule(budgetMs, leave);
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      else item.waiter = resolve;
      return promise.finally(() => {
        cancel();
        signal.removeEventListener('abort', leave);
      });
    },
    rule: async (hold, ruling, amendment, confirm = () => undefined) => {
      const item = live.get(hold.seq);
      if (item === undefined) {
        afterRuling(hold.state, ruling, clock.nowMs());
        throw new HoldpointError('already_ruled', 'The hold is over.', 'Read the hold again.');
      }
      const seal = (): Promise<void> => {
        confirm();
        const next = afterRuling(hold.state, ruling, clock.nowMs());
        return sealRuling(desk, item, next, ruling, amendment);
      };
      await inTurn(desk, item, seal, armTimer);
      if (hold.state.status === 'denied') settle(hold.decision, 'denied');
    },
    findForRetry: (retryKey, isMarkedRetry) => {
      const nowMs = clock.nowMs();
      return live.ofRetryKey(retryKey).find(({ hold }) => isFor(hold, isMarkedRetry, nowMs))?.hold ?? null;
    },
    mayHaveRetries: () => !live.isEmpty(),
    attach: (hold) => {
      if (hold.attached) return isRefused(hold);
      hold.attached = true;
      emit('caller', hold);
      return true;
    },
    detach: (hold) => {
      if (!hold.attached) return;
      hold.attached = false;
      emit('caller', hold);
    },
    beginDelivery: async (hold, isStillDue = () => true) => {
      while (desk.reading !== null) await desk.reading;
      if (!isStillDue()) return false;
      const attempt = hold.deliveryAttempts + 1;
      const sealed = ledger.seal(deliveryDraft(hold, attempt));
      await sealed.durable;
      // Not counted up: after a failure `restore` may have read this very entry.
      hold.deliveryAttempts = Math.max(hold.deliveryAttempts, attempt);
      hold.lastAttemptAtMs = clock.nowMs();
      return true;
    },
    settle,
    isWaiting: (decision) =>
      live.ofDecision(decision).some(({ hold }) => hold.outcome === null && !isConsumedRequest(hold)),
    get: async (holdSeq) => live.get(holdSeq)?.hold ?? readHold(desk, holdSeq),
    list: () => live.all().map((item) => item.hold),
    restore: () => restoreHolds(desk, ending),
    subscribe: desk.subscribe,
    looking: createLooking(clock.nowMs, (hold, who) => emit('looking', hold, who)),
    stop: () => {
      stopped = true;
      reviews.stopReviews();
      for (const item of live.all()) {
        item.cancelTimer();
        wake(item, 'shutdown');
      }
    },
  };
}
