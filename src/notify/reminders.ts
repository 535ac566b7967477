/** When those who can rule are told again that a hold expires soon. Owns the timers. */
import type { Clock, Schedule } from '../core/clock.ts';
import type { Hold } from '../hold/record.ts';

export interface Reminders {
  /** Sets the timers of a hold that is pending. */
  watch(hold: Hold): void;
  /** It is over. */
  forget(hold: Hold): void;
  stop(): void;
}

export interface RemindersOptions {
  /** Milliseconds before a hold's expiry. */
  readonly beforeMs: readonly number[];
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly onDue: (hold: Hold, beforeMs: number) => void;
}

export function createReminders({ beforeMs, clock, schedule, onDue }: RemindersOptions): Reminders {
  const timers = new Map<number, readonly (() => void)[]>();
  const cancelAll = (cancels: readonly (() => void)[]): void => {
    for (const cancel of cancels) cancel();
  };

  /** Those to come, and the last of those that came while nothing ran: there is less time than whoever rules thinks. */
  function dueOf({ openedAtMs, state }: Hold, nowMs: number): readonly number[] {
    const { expiresAtMs } = state.terms;
    if (expiresAtMs <= nowMs) return [];
    const all = beforeMs.filter((before) => expiresAtMs - before > openedAtMs);
    const missed = all.filter((before) => expiresAtMs - before <= nowMs);
    return all.filter((before) => !missed.includes(before) || before === Math.min(...missed));
  }

  return {
    watch: (hold) => {
      const nowMs = clock.nowMs();
      const { expiresAtMs } = hold.state.terms;
      const cancels = dueOf(hold, nowMs).map((before) =>
        schedule(Math.max(0, expiresAtMs - before - nowMs), () => {
          if (hold.state.status === 'pending') onDue(hold, before);
        }),
      );
      if (cancels.length > 0) timers.set(hold.seq, cancels);
    },
    forget: ({ seq }) => {
      cancelAll(timers.get(seq) ?? []);
      timers.delete(seq);
    },
    stop: () => {
      for (const cancels of timers.values()) cancelAll(cancels);
    },
  };
}
