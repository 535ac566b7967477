/** A random source that a seed determines, for mutations that can be repeated. Not for secrets. */
export interface Random {
  /** A whole number from 0 to `bound` - 1; 0 where `bound` is below 1. */
  below(bound: number): number;
  /** True once in `times`, on average. */
  oneIn(times: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  pickFrom<T>(list: readonly T[]): T | undefined;
}

/** Mulberry32: 32 bits of state, good enough to choose mutations by. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (bound: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * Math.max(1, bound));
  };
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: (list) => list[below(list.length)] ?? list[0],
    pickFrom: (list) => list[below(list.length)],
  };
}
