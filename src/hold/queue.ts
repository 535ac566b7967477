/**
 * The queue of holds: the live index over what the ledger has sealed. It owns each hold's state in memory and
 * changes it only by entries that it sealed or read back. Nothing leaves by itself: no ruling, no release.
 */
import type { Clock, Schedule } from '../core/clock.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';
import type { Entry, Outcome } from '../ledger/entry.ts';
import { outcomesOf } from '../ledger/head.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { deliveryDraft, escalationDraft, type MadeRuling, rulingDraft } from './drafts.ts';
import { createLiveHolds, type Live, type WaitResult } from './live.ts';
import { applyEntry, type Hold, type HoldFacts, holdData, holdFromEntries } from './record.ts';
import { isConsumedRequest, isFor, redeliverMs } from './retry.ts';
import { afterExpiry, afterRuling, type HoldState, openState, type RulingRequest } from './state.ts';
import type { HoldTermsFixed } from './terms.ts';

export type HoldEvent = {
  readonly kind: 'opened' | 'ruled' | 'approved' | 'caller' | 'settled' | 'escalated' | 'glass-broken';
  readonly hold: Hold;
};
export interface HoldQueue {
  /** Seals the hold; from then on it survives everything but expiry. The opener's caller counts as attached. */
  open(facts: HoldFacts, terms: HoldTermsFixed): Promise<Hold>;
  /** Waits for the final ruling; `pending` when the budget ends or the signal fires first, and the caller is then gone. */
  wait(hold: Hold, budgetMs: number, signal: AbortSignal): Promise<WaitResult>;
  /** Rules, sealed before anyone is told. Throws what `afterRuling` throws, and `ledger_unavailable`. */
  rule(hold: Hold, ruling: RulingRequest, amendment: Buffer | null): Promise<void>;
  /** The hold a repeated call belongs to: orphaned, or ended so recently that the same answer is due. */
  findForRetry(retryKey: string, isMarkedRetry: boolean): Hold | null;
  /** True when a repeated call may find something, so that the proxy computes keys only then. */
  mayHaveRetries(): boolean;
  /** Makes a re-attached caller the one that waits. False when another got there first. */
  attach(hold: Hold): boolean;
  detach(hold: Hold): void;
  /** Seals that released bytes are about to be handed over; resolves when durable, before the first byte. */
  beginDelivery(hold: Hold): Promise<void>;
  /** Gives the decision its outcome, once, and ends every hold of it. */
  settle(decision: number, outcome: Outcome): void;
  /** True while somebody may still rule on, or collect, something of this decision. */
  isWaiting(decision: number): boolean;
  get(holdSeq: number): Promise<Hold>;
  list(): readonly Hold[];
  /** Rebuilds the queue from the ledger's open decisions; also after the ledger was reopened. */
  restore(): Promise<void>;
  subscribe(listener: (event: HoldEvent) => void): () => void;
  /** Answers every waiting caller `shutdown`; holds stay. */
  stop(): void;
}

/** Repeats of a denied or expired call get the same answer this long. */
const sameAnswerMs = 120_000;
const expiryRetryMs = 1_000;

/** Builds the queue over a ledger. */
export function createHoldQueue(options: {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly onError: (what: string, error: unknown) => void;
}): HoldQueue {
  const { ledger, clock, schedule } = options;
  const live = createLiveHolds();
  const listeners = new Set<(event: HoldEvent) => void>();
  let stopped = false;

  function emit(kind: HoldEvent['kind'], hold: Hold): void {
    for (const listener of listeners) {
      try {
        listener({ kind, hold });
      } catch (error) {
        // What is sealed takes effect, whoever fails to hear of it.
        options.onError(`A listener failed on a hold that was ${kind}`, error);
      }
    }
  }

  function add(hold: Hold): void {
    armTimer(live.add(hold));
  }

  /** One timer per hold, for whatever its state waits for next. */
  function armTimer(item: Live): void {
    item.cancelTimer();
    const { hold } = item;
    const nowMs = clock.nowMs();
    if (hold.state.status === 'pending') {
      const { expiresAtMs, escalation } = hold.state.terms;
      const step = item.escalating ? undefined : escalation?.[hold.state.escalated];
      const isStep = step !== undefined && step.atMs < expiresAtMs;
      item.cancelTimer = schedule(Math.max(0, (isStep ? step.atMs : expiresAtMs) - nowMs), () =>
        isStep ? run('escalate a hold', () => escalate(item)) : run('expire a hold', () => expire(item)),
      );
    } else if (hold.outcome === null) {
      if (isConsumedRequest(hold)) return;
      item.cancelTimer = schedule(Math.max(0, hold.collectByMs - nowMs), () => giveUp(item));
    } else {
      const keepMs = hold.outcome === 'delivered' ? redeliverMs : sameAnswerMs;
      item.cancelTimer = schedule(keepMs, () => live.remove(item));
    }
  }

  function run(what: string, task: () => Promise<void>): void {
    task().catch((error: unknown) => options.onError(`${what}: ${messageOf(error)}`, error));
  }

  async function expire(item: Live): Promise<void> {
    if (item.sealing !== null) return;
    const next = afterExpiry(item.hold.state, clock.nowMs());
    if (next === item.hold.state) {
      armTimer(item);
      return;
    }
    try {
      await sealRuling(
        item,
        next,
        { by: 'holdpoint', role: 'holdpoint', verdict: 'expired', reason: '' },
        null,
      );
    } catch (error) {
      // The hold stays pending and undelivered; expiry is tried again when the ledger may be back.
      item.cancelTimer();
      item.cancelTimer = schedule(expiryRetryMs, () => run('expire a hold', () => expire(item)));
      throw error;
    }
    settle(item.hold.decision, 'expired');
  }

  /** Lets the next step's roles rule, once that is sealed. */
  async function escalate(item: Live): Promise<void> {
    const { hold } = item;
    const step = hold.state.terms.escalation?.[hold.state.escalated];
    if (item.escalating || hold.state.status !== 'pending' || step === undefined) return;
    if (clock.nowMs() < step.atMs) {
      armTimer(item);
      return;
    }
    item.escalating = true;
    try {
      const draft = escalationDraft(hold, hold.state.escalated + 1);
      const sealed = ledger.seal(draft);
      // Its expiry must not wait for this.
      armTimer(item);
      await sealed.durable;
      applyEntry(hold, { ...draft, parts: [], seq: sealed.seq, at: new Date(clock.nowMs()).toISOString() });
    } catch (error) {
      item.cancelTimer();
      item.cancelTimer = schedule(expiryRetryMs, () => {
        item.escalating = false;
        armTimer(item);
      });
      throw error;
    }
    item.escalating = false;
    if (hold.state.status === 'pending') emit('escalated', hold);
    armTimer(item);
  }

  function giveUp(item: Live): void {
    if (item.hold.outcome !== null) return;
    if (item.hold.attached) {
      // The caller is collecting right now; look again when that must be over.
      item.cancelTimer = schedule(redeliverMs, () => giveUp(item));
      return;
    }
    settle(item.hold.decision, item.hold.deliveryAttempts > 0 ? 'interrupted' : 'released_undelivered');
  }

  function settle(decision: number, outcome: Outcome): void {
    const held = live.ofDecision(decision);
    // A second delivery of the same release is sealed as such and changes no outcome.
    if (held.some((item) => item.hold.outcome !== null)) return;
    ledger.settle(decision, outcome);
    for (const item of held) {
      item.hold.outcome = outcome;
      emit('settled', item.hold);
      armTimer(item);
    }
  }

  async function sealRuling(
    item: Live,
    next: HoldState,
    ruling: MadeRuling,
    amendment: Buffer | null,
  ): Promise<void> {
    const { hold } = item;
    const final = next.status !== 'pending';
    const sealing = Promise.withResolvers<void>();
    item.sealing = sealing.promise;
    try {
      const draft = rulingDraft(hold, ruling, final, amendment);
      const sealed = ledger.seal(draft);
      await sealed.durable;
      // The ruling is durable: only now does anyone act on it.
      const at = new Date(clock.nowMs()).toISOString();
      applyEntry(hold, { ...draft, parts: sealed.parts, seq: sealed.seq, at });
    } finally {
      item.sealing = null;
      sealing.resolve();
    }
    if (final) wake(item, hold.state.status);
    emit(final ? 'ruled' : 'approved', hold);
    if (ruling.breakGlass === true) emit('glass-broken', hold);
  }

  /** Makes memory say what is sealed. After a failed write the two may differ, and the disk is right. */
  async function restoreDecision(decision: number): Promise<void> {
    const entries: readonly Entry[] = await ledger.decision(decision);
    const sealed = holdFromEntries(entries, ledger.holdId);
    if (sealed === null) return;
    const item = live.get(sealed.seq);
    if (item === undefined) {
      if (ledger.isOpen(decision)) add(sealed);
      return;
    }
    if (item.sealing !== null) return;
    const { hold } = item;
    const before = hold.state.status;
    Object.assign(hold, {
      state: sealed.state,
      ruling: sealed.ruling,
      releaseDigest: sealed.releaseDigest,
      collectByMs: sealed.collectByMs,
      deliveryAttempts: Math.max(hold.deliveryAttempts, sealed.deliveryAttempts),
    });
    const outcome = outcomeIn(entries, decision);
    if (hold.outcome === null && outcome !== null) {
      hold.outcome = outcome;
      emit('settled', hold);
    }
    if (hold.state.status !== before) wake(item, hold.state.status);
    armTimer(item);
  }

  function wake(item: Live, result: WaitResult): void {
    const waiter = item.waiter;
    item.waiter = null;
    waiter?.(result);
  }

  function itemOf(hold: Hold): Live {
    const item = live.get(hold.seq);
    if (item === undefined) throw new HoldpointError('ruling_expired', `The hold ${hold.id} is over.`);
    return item;
  }

  return {
    open: async (facts, terms) => {
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
      };
      add(hold);
      emit('opened', hold);
      return hold;
    },
    wait: (hold, budgetMs, signal) => {
      const item = itemOf(hold);
      if (stopped) return Promise.resolve('shutdown');
      if (hold.state.status !== 'pending') return Promise.resolve(hold.state.status);
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
    rule: async (hold, ruling, amendment) => {
      const item = live.get(hold.seq);
      // One at a time: this ruling is judged on what the one before it leaves.
      while (item !== undefined && item.sealing !== null) await item.sealing;
      const next = afterRuling(hold.state, ruling, clock.nowMs());
      if (item === undefined)
        throw new HoldpointError('already_ruled', 'The hold is over.', 'Read the hold again.');
      try {
        await sealRuling(item, next, ruling, amendment);
      } finally {
        // Also where it failed: its expiry may have come meanwhile, and waits for nobody else.
        armTimer(item);
      }
      if (next.status === 'denied') settle(hold.decision, 'denied');
    },
    findForRetry: (retryKey, isMarkedRetry) => {
      const nowMs = clock.nowMs();
      return live.ofRetryKey(retryKey).find(({ hold }) => isFor(hold, isMarkedRetry, nowMs))?.hold ?? null;
    },
    mayHaveRetries: () => !live.isEmpty(),
    attach: (hold) => {
      if (hold.attached) return false;
      hold.attached = true;
      emit('caller', hold);
      return true;
    },
    detach: (hold) => {
      if (!hold.attached) return;
      hold.attached = false;
      emit('caller', hold);
    },
    beginDelivery: async (hold) => {
      const attempt = hold.deliveryAttempts + 1;
      const sealed = ledger.seal(deliveryDraft(hold, attempt));
      await sealed.durable;
      // Not counted up: after a failure `restore` may have read this very entry.
      hold.deliveryAttempts = Math.max(hold.deliveryAttempts, attempt);
      hold.lastAttemptAtMs = clock.nowMs();
    },
    settle,
    isWaiting: (decision) =>
      live.ofDecision(decision).some(({ hold }) => hold.outcome === null && !isConsumedRequest(hold)),
    get: async (holdSeq) => {
      const item = live.get(holdSeq);
      if (item !== undefined) return item.hold;
      const entry = await ledger.entry(holdSeq);
      if (entry.type !== 'hold') throw new HoldpointError('not_found', `Entry ${holdSeq} is not a hold.`);
      const entries = await ledger.decision(Number(entry.data['decision']));
      const hold = holdFromEntries(
        entries.filter((other) => other.type !== 'hold' || other.seq === holdSeq),
        ledger.holdId,
      );
      if (hold === null) throw new HoldpointError('not_found', `There is no hold ${holdSeq}.`);
      hold.outcome = outcomeIn(entries, hold.decision);
      return hold;
    },
    list: () => live.all().map((item) => item.hold),
    restore: async () => {
      for (const decision of ledger.openDecisions()) await restoreDecision(decision);
      // Recovery may have closed some: a denial whose commit was reported failed stands when it reached the disk.
      for (const { hold } of live.all()) {
        if (hold.outcome === null && !ledger.isOpen(hold.decision)) await restoreDecision(hold.decision);
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => {
      stopped = true;
      for (const item of live.all()) {
        item.cancelTimer();
        wake(item, 'shutdown');
      }
    },
  };
}

function outcomeIn(entries: readonly Entry[], decision: number): Outcome | null {
  const closings = entries.flatMap((entry) => outcomesOf(entry.data));
  return closings.find(([closed]) => closed === decision)?.[1] ?? null;
}
