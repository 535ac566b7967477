/**
 * Many waits on one timer: a binary heap by when each is due, of which only the first has a timer. For thousands that wait
 * for days, where a timer of Node's each would take more memory than what waits.
 */
import type { Clock, Schedule } from './clock.ts';

/** The timer is never set for longer, so that a clock that jumped ahead delays nothing by more. */
const stepMsMax = 30_000;

interface Wait {
  readonly dueMs: number;
  readonly fn: () => void;
  /** In the heap; -1 outside of it. */
  place: number;
  /** It ran, or was cancelled. */
  isOver: boolean;
}

/**
 * A `Schedule` whose waits share the timers of another one. Those that are due run in the order of their times. They go by
 * the clock that may jump, as deadlines do: not for how long somebody is kept waiting.
 */
export function manyTimers(schedule: Schedule, clock: Pick<Clock, 'nowMs'>): Schedule {
  const heap: Wait[] = [];
  let armedFor: Wait | null = null;
  let cancelTimer = (): void => undefined;

  /** Sets the timer for the first, unless it is that already. */
  function arm(waitMsMin = 0): void {
    const [first] = heap;
    if (first === armedFor) return;
    cancelTimer();
    armedFor = first ?? null;
    cancelTimer =
      first === undefined
        ? () => undefined
        : schedule(Math.min(stepMsMax, Math.max(waitMsMin, first.dueMs - clock.nowMs())), runDue);
  }

  /** Runs what was due when it began: what that begins anew has its turn later, what it cancels has none. */
  function runDue(): void {
    armedFor = null;
    const upToMs = clock.nowMs();
    const due: Wait[] = [];
    for (let first = heap[0]; first !== undefined && first.dueMs <= upToMs; first = heap[0]) {
      remove(first);
      due.push(first);
    }
    try {
      for (const wait of due) {
        if (wait.isOver) continue;
        wait.isOver = true;
        wait.fn();
      }
    } finally {
      // One that threw keeps none of the others from running.
      for (const wait of due) if (!wait.isOver) add(wait);
      // One that came early is not set again for the same millisecond.
      arm(due.length === 0 ? 1 : 0);
    }
  }

  function add(wait: Wait): void {
    wait.place = heap.length;
    heap.push(wait);
    rise(wait);
  }

  function remove(wait: Wait): void {
    const { place } = wait;
    const last = heap.pop();
    wait.place = -1;
    if (last === undefined || last === wait) return;
    put(last, place);
    sink(last);
    rise(last);
  }

  function put(wait: Wait, place: number): void {
    heap[place] = wait;
    wait.place = place;
  }

  function rise(wait: Wait): void {
    while (wait.place > 0) {
      const { place } = wait;
      const above = heap[(place - 1) >> 1];
      if (above === undefined || above.dueMs <= wait.dueMs) return;
      put(wait, above.place);
      put(above, place);
    }
  }

  function sink(wait: Wait): void {
    for (;;) {
      const { place } = wait;
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      const below = right !== undefined && left !== undefined && right.dueMs < left.dueMs ? right : left;
      if (below === undefined || below.dueMs >= wait.dueMs) return;
      put(wait, below.place);
      put(below, place);
    }
  }

  return (ms, fn) => {
    const wait: Wait = { dueMs: clock.nowMs() + ms, fn, place: -1, isOver: false };
    add(wait);
    arm();
    return () => {
      wait.isOver = true;
      if (wait.place === -1) return;
      remove(wait);
      arm();
    };
  };
}
