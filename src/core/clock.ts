/** Time and randomness, handed in everywhere so that tests own them. */
import { randomBytes } from 'node:crypto';

export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. */
  nowMs(): number;
  /** Microseconds since an arbitrary start; never jumps back. */
  monoUs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monoUs: () => Math.round(performance.now() * 1000),
};

/** Fresh cryptographic randomness. */
export type RandomBytes = (byteLength: number) => Buffer;

export const systemRandom: RandomBytes = (byteLength) => randomBytes(byteLength);

/** Runs `fn` once after `ms`; the returned function cancels. */
export type Schedule = (ms: number, fn: () => void) => () => void;

const timeoutMsMax = 2_147_483_647;

/** Timers of the process; they do not keep it alive. Longer waits than Node's timers hold are chained. */
export const systemSchedule: Schedule = (ms, fn) => {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, timeoutMsMax);
    timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : fn()), stepMs).unref();
  };
  arm(ms);
  return () => clearTimeout(timer);
};
