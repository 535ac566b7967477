/** Lists of numbers that grow, at a few bytes a number: what is kept for every entry of a ledger of any size. */

export interface NumberList {
  readonly length: number;
  /** 0 where nothing was set. */
  get(index: number): number;
  set(index: number, value: number): void;
  push(value: number): void;
  /** Index of the last item that is at most `value`, in an ascending list; -1 when there is none. */
  lastAtMost(value: number): number;
}

type Numbers = Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** `make` says how many bytes a number takes, as in `(length) => new Uint32Array(length)`. */
export function createNumberList<T extends Numbers>(make: (length: number) => T): NumberList {
  let items: Numbers = make(1024);
  let length = 0;
  const list: NumberList = {
    get length() {
      return length;
    },
    get: (index) => (index < length ? (items[index] ?? 0) : 0),
    set: (index, value) => {
      if (index >= length) throw new RangeError(`The list has ${length} items.`);
      items[index] = value;
    },
    push: (value) => {
      if (length === items.length) {
        const larger = make(items.length * 2);
        larger.set(items);
        items = larger;
      }
      items[length] = value;
      length += 1;
    },
    lastAtMost: (value) => {
      let low = 0;
      let high = length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (list.get(middle) <= value) low = middle + 1;
        else high = middle;
      }
      return low - 1;
    },
  };
  return list;
}
