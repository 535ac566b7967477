/** Time that stands still until the test moves it on. */
import { type Clock, type Schedule, systemClock } from '../../src/core/clock.ts';

export interface ManualTime {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Moves the clock on and runs what became due, in order. */
  advance(ms: number): void;
  /** How many timers have not become due. */
  armed(): number;
}

/** Starts at the machine's time, so that timestamps in records look like any other. */
export function createManualTime(): ManualTime {
  const startMs = systemClock.nowMs();
  let passedMs = 0;
  const timers = new Set<{ readonly dueMs: number; readonly fn: () => void }>();
  return {
    clock: { nowMs: () => startMs + passedMs, monoUs: () => passedMs * 1000 },
    schedule: (ms, fn) => {
      const timer = { dueMs: passedMs + ms, fn };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    armed: () => timers.size,
    advance: (ms) => {
      const untilMs = passedMs + ms;
      for (;;) {
        const [next] = [...timers].sort((a, b) => a.dueMs - b.dueMs);
        if (next === undefined || next.dueMs > untilMs) break;
        passedMs = Math.max(passedMs, next.dueMs);
        timers.delete(next);
        next.fn();
      }
      passedMs = untilMs;
    },
  };
}
