/** Rulings as they are sealed: one at a time on each hold, durable before anybody acts on one. */
import type { Desk } from './desk.ts';
import { type MadeRuling, rulingDraft } from './drafts.ts';
import { type Live, wake } from './live.ts';
import { applyEntry } from './record.ts';
import type { HoldState } from './state.ts';

/**
 * Runs what seals something about a hold that waits, alone: it is judged on what the one before it left. `armTimer` is
 * called when its turn is over, however it went: the hold's expiry may have come meanwhile, and waits for nobody else.
 */
export async function inTurn<T>(
  desk: Pick<Desk, 'reading'>,
  item: Live,
  task: () => Promise<T>,
  armTimer: (item: Live) => void,
): Promise<T> {
  while (isTaken(desk, item)) await (desk.reading ?? item.sealing);
  const sealing = Promise.withResolvers<void>();
  item.sealing = sealing.promise;
  try {
    return await task();
  } finally {
    item.sealing = null;
    // What has its outcome has the timer that it was given with that.
    if (item.hold.outcome === null) armTimer(item);
    sealing.resolve();
  }
}

/** True while something about it is being sealed, or memory is being made to say what is. */
export function isTaken({ reading }: Pick<Desk, 'reading'>, { sealing }: Live): boolean {
  return reading !== null || sealing !== null;
}

/** Seals a ruling that leads to `next`, makes memory say so, and tells, the waiting caller first. To be called in turn. */
export async function sealRuling(
  { ledger, clock, emit }: Desk,
  item: Live,
  next: HoldState,
  ruling: MadeRuling,
  amendment: Buffer | null,
): Promise<void> {
  const { hold } = item;
  const final = next.status !== 'pending';
  const draft = rulingDraft(hold, ruling, final, amendment);
  const sealed = ledger.seal(draft);
  await sealed.durable;
  // The ruling is durable: only now does anyone act on it.
  const at = new Date(clock.nowMs()).toISOString();
  applyEntry(hold, { ...draft, parts: sealed.parts(), seq: sealed.seq, at });
  if (final) wake(item, hold.state.status);
  emit(final ? 'ruled' : 'approved', hold, ruling.by);
  if (ruling.breakGlass === true) emit('glass-broken', hold, ruling.by);
}
