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
