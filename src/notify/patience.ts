/**
 * For how long messages are tried, by the clock that does not jump: a wall clock that is set right must not make all
 * that waits late at once.
 */
import type { Clock } from '../core/clock.ts';
import type { Message } from './outbox.ts';

export interface Patience {
  /** The message waits since it was queued, by the wall clock as it is now. */
  begin(message: Message): void;
  isLate(message: Message): boolean;
}

/** @param waiting what a restart left */
export function createPatience(
  { nowMs, monoUs }: Clock,
  giveUpAfterMs: number,
  waiting: readonly Message[],
): Patience {
  const sinceUs = new WeakMap<Message, number>();
  const begin = (message: Message): void => {
    sinceUs.set(message, monoUs() - Math.max(0, nowMs() - message.queuedAtMs) * 1000);
  };
  waiting.forEach(begin);
  return {
    begin,
    isLate: (message) => {
      const nowUs = monoUs();
      return nowUs - (sinceUs.get(message) ?? nowUs) >= giveUpAfterMs * 1000;
    },
  };
}
