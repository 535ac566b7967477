/**
 * How holds go on and end without a person: steps of their ladder, expiry, giving up what nobody collects, and the
 * decision's outcome. One timer for each hold, for whatever its state waits for next.
 */
import { messageOf } from '../core/errors.ts';
import type { Outcome } from '../ledger/entry.ts';
import type { Desk } from './desk.ts';
import { escalationDraft } from './drafts.ts';
import type { Live } from './live.ts';
import { applyEntry } from './record.ts';
import { isConsumedRequest, redeliverMs } from './retry.ts';
import { inTurn, isTaken, sealRuling } from './rulings.ts';
import { afterExpiry } from './state.ts';

export interface Ending {
  armTimer(item: Live): void;
  /** Gives the decision its outcome, once, and ends every hold of it. */
  settle(decision: number, outcome: Outcome): void;
}

/** Repeats of a denied or expired call get the same answer this long. */
const sameAnswerMs = 120_000;
const expiryRetryMs = 1_000;

export function createEnding(desk: Desk): Ending {
  const { ledger, clock, deadlines: schedule, live, emit } = desk;

  function armTimer(item: Live): void {
    item.cancelTimer();
    const { hold } = item;
    const nowMs = clock.nowMs();
    if (hold.outcome !== null) {
      const keepMs = hold.outcome === 'delivered' ? redeliverMs : sameAnswerMs;
      item.cancelTimer = schedule(keepMs, () => live.remove(item));
    } else if (hold.state.status === 'pending') {
      const { expiresAtMs, escalation } = hold.state.terms;
      const step = item.escalating ? undefined : escalation?.[hold.state.escalated];
      // What is over goes up no further: a step that the ledger refuses again and again must not keep it waiting.
      const isStep = step !== undefined && step.atMs < expiresAtMs && nowMs < expiresAtMs;
      item.cancelTimer = schedule(Math.max(0, (isStep ? step.atMs : expiresAtMs) - nowMs), () =>
        isStep ? run('escalate a hold', () => escalate(item)) : run('expire a hold', () => expire(item)),
      );
    } else if (!isConsumedRequest(hold)) {
      item.cancelTimer = schedule(Math.max(0, hold.collectByMs - nowMs), () => giveUp(item));
    }
  }

  function run(what: string, task: () => Promise<void>): void {
    task().catch((error: unknown) => desk.onError(`${what}: ${messageOf(error)}`, error));
  }

  async function expire(item: Live): Promise<void> {
    // Whoever seals or reads arms the timer again.
    if (isTaken(desk, item)) return;
    const next = afterExpiry(item.hold.state, clock.nowMs());
    if (next === item.hold.state) {
      armTimer(item);
      return;
    }
    const ruling = { by: 'holdpoint', role: 'holdpoint', verdict: 'expired', reason: '' } as const;
    try {
      await inTurn(desk, item, () => sealRuling(desk, item, next, ruling, null), armTimer);
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
    // What is being sealed may end the hold, and nothing escalates after that. Whoever seals or reads arms the timer again.
    if (isTaken(desk, item)) return;
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
      // Here and not when that timer fires: whoever arms another one in its place must find the step to be taken.
      item.escalating = false;
      item.cancelTimer();
      item.cancelTimer = schedule(expiryRetryMs, () => armTimer(item));
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

  return { armTimer, settle };
}
