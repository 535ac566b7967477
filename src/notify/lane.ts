/** The messages that wait for one receiver. Owned by the notifier, which sends them one at a time. */
import type { RandomBytes } from '../core/clock.ts';
import type { Message } from './outbox.ts';
import type { Receiver } from './receiver.ts';

export interface Lane {
  readonly receiver: Receiver;
  /** Keys that wait, the next one first; while it is busy, the first is on its way. */
  readonly queue: string[];
  /** In a row, of whatever message. */
  failures: number;
  isBusy: boolean;
  /** Somebody asked for one to be next since the one that is on its way was taken up: no pause comes before it. */
  isHurried: boolean;
  cancelTimer: () => void;
}

const retryFirstMs = 1_000;
const retryMsMax = 600_000;

/** The lanes of these receivers with what waits for each, and what waits for nobody here. */
export function openLanes(
  to: readonly { readonly receiver: Receiver }[],
  waiting: readonly Message[],
): { readonly lanes: ReadonlyMap<string, Lane>; readonly nobodys: readonly Message[] } {
  const lanes = new Map(
    to.map(({ receiver }): [string, Lane] => [
      receiver.name,
      { receiver, queue: [], failures: 0, isBusy: false, isHurried: false, cancelTimer: () => undefined },
    ]),
  );
  for (const { receiver, key } of waiting) lanes.get(receiver)?.queue.push(key);
  return { lanes, nobodys: waiting.filter(({ receiver }) => !lanes.has(receiver)) };
}

/** Doubles to its bound, less up to half of it, so that many sidecars do not come back at once. */
export function backOffMs({ failures }: Lane, random: RandomBytes): number {
  const whole = Math.min(retryMsMax, retryFirstMs * 2 ** (failures - 1));
  return Math.round(whole * (1 - random(4).readUInt32LE(0) / 2 ** 33));
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
