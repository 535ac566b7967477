/** Attempts by address and minute, so that guessing is slow whatever is guessed. Bounded in memory. */
import { isIPv6 } from 'node:net';
import type { Clock } from '../../core/clock.ts';

const addressesMax = 10_000;

export interface Attempts {
  /** Whether the address has used up its minute. */
  isOver(address: string): boolean;
  /** Counts one more; whether it was one too many. */
  count(address: string): boolean;
}

export function createAttempts(clock: Clock, perMinuteMax: number): Attempts {
  const counts = new Map<string, { minute: number; count: number }>();

  function countOf(key: string, minute: number): number {
    const known = counts.get(key);
    return known?.minute === minute ? known.count : 0;
  }

  return {
    isOver: (address) => countOf(networkOf(address), minuteOf(clock)) >= perMinuteMax,
    count: (address) => {
      const key = networkOf(address);
      const minute = minuteOf(clock);
      const count = countOf(key, minute) + 1;
      if (counts.size >= addressesMax && !counts.has(key)) counts.clear();
      counts.set(key, { minute, count });
      return count > perMinuteMax;
    },
  };
}

function minuteOf(clock: Clock): number {
  return Math.floor(clock.nowMs() / 60_000);
}

/** Who has one address of IPv6 has its whole /64. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = address.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4).join(':');
}
