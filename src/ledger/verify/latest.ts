/**
 * A map of the keys that came last. A `Map` alone would do, and take a thousand times as long: what is deleted at its
 * front stays in the way of whoever looks for its first key. Portable; imports nothing.
 */

export interface Latest<V> {
  readonly size: number;
  get(key: number): V | undefined;
  has(key: number): boolean;
  /** Remembers it, and forgets the key that came first where there are too many; a key that is there keeps its place. */
  set(key: number, value: V): void;
  /** The key that came first of those remembered. */
  oldest(): number | undefined;
}

/** Remembers so many keys at most. */
export function createLatest<V>(max: number): Latest<V> {
  const values = new Map<number, V>();
  /** In the order they came; once full, the oldest at `next`. */
  const order: number[] = [];
  let next = 0;
  const oldest = (): number | undefined => order[order.length < max ? 0 : next];
  return {
    get size() {
      return values.size;
    },
    get: (key) => values.get(key),
    has: (key) => values.has(key),
    set: (key, value) => {
      if (!values.has(key)) {
        const first = oldest();
        if (order.length === max && first !== undefined) values.delete(first);
        order[next] = key;
        next = (next + 1) % max;
      }
      values.set(key, value);
    },
    oldest,
  };
}
