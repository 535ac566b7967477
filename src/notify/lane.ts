/** The messages that wait for one receiver. Owned by the notifier, which sends them one at a time. */
import type { Receiver } from './receiver.ts';

export interface Lane {
  readonly receiver: Receiver;
  /** Keys that wait, the next one first; while it is busy, the first is on its way. */
  readonly queue: string[];
  /** In a row, of whatever message. */
  failures: number;
  isBusy: boolean;
  cancelTimer: () => void;
}

export function openLane(receiver: Receiver): Lane {
  return { receiver, queue: [], failures: 0, isBusy: false, cancelTimer: () => undefined };
}

/** Makes a message the next one. */
export function putNext({ queue, isBusy }: Lane, key: string): void {
  const at = queue.indexOf(key);
  const next = isBusy ? 1 : 0;
  if (at > next) queue.splice(at, 1);
  if (at === -1 || at > next) queue.splice(next, 0, key);
}

/** Takes the last message out that may give way; null where there is none. One on its way does not. */
export function giveWay({ queue, isBusy }: Lane, mayGiveWay: (key: string) => boolean): string | null {
  const at = queue.findLastIndex((key, i) => (i > 0 || !isBusy) && mayGiveWay(key));
  return at === -1 ? null : (queue.splice(at, 1)[0] ?? null);
}
