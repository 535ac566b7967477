/** Makes memory say what is sealed: at the start, after a failed write, and for a hold that is long over. */
import { HoldpointError } from '../core/errors.ts';
import type { Entry, Outcome } from '../ledger/entry.ts';
import { outcomesOf } from '../ledger/head.ts';
import type { Desk } from './desk.ts';
import type { Ending } from './ending.ts';
import { wake } from './live.ts';
import { type Hold, holdFromEntries } from './record.ts';

/** Reads every open decision again. After a failed write memory and disk may differ, and the disk is right. */
export async function restoreHolds(desk: Desk, { armTimer }: Ending): Promise<void> {
  const before = desk.reading;
  const reading = Promise.withResolvers<void>();
  // In one step with the ledger's taking entries again: until it is read, what memory says of it is not ruled on.
  desk.reading = reading.promise;
  try {
    await before;
    await readAll(desk, armTimer);
  } finally {
    if (desk.reading === reading.promise) desk.reading = null;
    reading.resolve();
    // Whose time came meanwhile was passed over.
    for (const item of desk.live.all()) if (item.hold.outcome === null) armTimer(item);
  }
}

async function readAll(desk: Desk, armTimer: Ending['armTimer']): Promise<void> {
  const { ledger, live } = desk;
  for (const decision of ledger.openDecisions()) await restoreDecision(desk, armTimer, decision);
  // Recovery may have closed some: a denial whose commit was reported failed stands when it reached the disk.
  for (const { hold } of live.all()) {
    const mayHaveEnded = hold.outcome === null && !ledger.isOpen(hold.decision);
    if (mayHaveEnded || mayHaveReview(hold)) await restoreDecision(desk, armTimer, hold.decision);
  }
}

/** A review comes when its decision is long closed. */
function mayHaveReview({ state, review }: Hold): boolean {
  return review === null && state.rulings.some(({ breakGlass }) => breakGlass === true);
}

async function restoreDecision(
  { ledger, live, shared, emit }: Desk,
  armTimer: Ending['armTimer'],
  decision: number,
): Promise<void> {
  const entries: readonly Entry[] = await ledger.decision(decision);
  const sealed = holdFromEntries(entries, ledger.holdId);
  if (sealed === null) return;
  const item = live.get(sealed.seq);
  if (item === undefined) {
    if (!ledger.isOpen(decision)) return;
    const state = { ...sealed.state, terms: shared.terms(sealed.state.terms) };
    armTimer(live.add({ ...shared.facts(sealed), state }));
    return;
  }
  if (item.sealing !== null) return;
  const { hold } = item;
  const before = hold.state;
  Object.assign(hold, {
    state: sealed.state,
    ruling: sealed.ruling,
    releaseDigest: sealed.releaseDigest,
    collectByMs: sealed.collectByMs,
    comments: sealed.comments,
    assignments: sealed.assignments,
    review: sealed.review,
    deliveryAttempts: Math.max(hold.deliveryAttempts, sealed.deliveryAttempts),
  });
  const { status, rulings } = hold.state;
  if (status !== before.status) wake(item, status);
  // Its sealing was said to have failed, so that nobody was told of it.
  for (const { by, breakGlass } of rulings.slice(before.rulings.length)) {
    emit(status === 'pending' ? 'approved' : 'ruled', hold, by);
    if (breakGlass === true) emit('glass-broken', hold, by);
  }
  const outcome = outcomeIn(entries, decision);
  if (hold.outcome === null && outcome !== null) {
    hold.outcome = outcome;
    emit('settled', hold);
  }
  armTimer(item);
}

/** A hold as the ledger has it. Throws `not_found` where the entry is none. */
export async function readHold({ ledger }: Desk, holdSeq: number): Promise<Hold> {
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
}

function outcomeIn(entries: readonly Entry[], decision: number): Outcome | null {
  const closings = entries.flatMap((entry) => outcomesOf(entry.data));
  return closings.find(([closed]) => closed === decision)?.[1] ?? null;
}
