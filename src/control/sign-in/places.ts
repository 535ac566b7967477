/** Places for what takes others' time, so many at once, of which nobody who comes from one network takes all. */
import { networkOf } from './attempts.ts';

export interface Places {
  /** Takes one and gives it back by calling what it returns, once; null where there is none for this address. */
  take(address: string): (() => void) | null;
}

/**
 * Each network has at most half of what the others leave: whoever takes what they can leaves some to everybody else, and an
 * office or an ingress that is alone has half of all.
 */
export function createPlaces(atOnceMax: number): Places {
  const taken = new Map<string, number>();
  let free = atOnceMax;

  return {
    take: (address) => {
      const network = networkOf(address);
      const own = taken.get(network) ?? 0;
      if (own >= free) return null;
      free -= 1;
      taken.set(network, own + 1);
      return () => {
        free += 1;
        const left = (taken.get(network) ?? 0) - 1;
        if (left > 0) taken.set(network, left);
        else taken.delete(network);
      };
    },
  };
}
