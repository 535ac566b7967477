/**
 * Parts of entries, remembered in few bytes: a set of (seq, part index), how many parts each entry has, and of which
 * decision they are.
 * Portable; imports nothing.
 */

export interface PartSet {
  readonly size: number;
  /** False when it was in the set already. */
  add(seq: number, part: number): boolean;
  has(seq: number, part: number): boolean;
  /** Ascending by seq, then part. */
  all(): Generator<readonly [seq: number, part: number]>;
}

const entriesPerPage = 512;
/** Parts beyond these of one entry are rare and are kept one by one. */
const partsInPage = 4;
const wordsPerPage = (entriesPerPage * partsInPage) / 32;

/** Half a byte per entry where parts lie close together, about 300 bytes for each that stands alone. */
export function createPartSet(): PartSet {
  const pages = new Map<number, Uint32Array>();
  const others = new Set<number>();
  let size = 0;

  const bitOf = (seq: number, part: number) => (seq % entriesPerPage) * partsInPage + part;
  const pageOf = (seq: number) => Math.floor(seq / entriesPerPage);
  const has = (seq: number, part: number): boolean => {
    if (part >= partsInPage) return others.has(seq * 256 + part);
    const bit = bitOf(seq, part);
    return (((pages.get(pageOf(seq))?.[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
  };
  return {
    get size() {
      return size;
    },
    has,
    add: (seq, part) => {
      if (has(seq, part)) return false;
      size += 1;
      if (part >= partsInPage) {
        others.add(seq * 256 + part);
        return true;
      }
      const number = pageOf(seq);
      const page = pages.get(number) ?? new Uint32Array(wordsPerPage);
      pages.set(number, page);
      const bit = bitOf(seq, part);
      page[bit >>> 5] = ((page[bit >>> 5] ?? 0) | (1 << (bit & 31))) >>> 0;
      return true;
    },
    all: function* () {
      const rest = [...others].sort((a, b) => a - b);
      let next = 0;
      for (const number of [...pages.keys()].sort((a, b) => a - b)) {
        for (let bit = 0; bit < entriesPerPage * partsInPage; bit += 1) {
          const seq = number * entriesPerPage + Math.floor(bit / partsInPage);
          const part = bit % partsInPage;
          for (let key = rest[next]; key !== undefined && key < seq * 256 + part; key = rest[next]) {
            yield [Math.floor(key / 256), key % 256];
            next += 1;
          }
          if (has(seq, part)) yield [seq, part];
        }
      }
      for (const key of rest.slice(next)) yield [Math.floor(key / 256), key % 256];
    },
  };
}

export interface PartCounts {
  /** Reserves memory for the entries around `seq`: for entries that are known to stand where they say. */
  set(seq: number, count: number): void;
  /** 0 for an entry that was never set. */
  of(seq: number): number;
}

const countsPerPage = 65_536;

/** A quarter of a byte per entry; counts of 3 and more, which are rare, take an entry of a map. */
export function createPartCounts(): PartCounts {
  const pages = new Map<number, Uint8Array>();
  const many = new Map<number, number>();
  return {
    set: (seq, count) => {
      if (count === 0) return;
      const number = Math.floor(seq / countsPerPage);
      const page = pages.get(number) ?? new Uint8Array(countsPerPage / 4);
      pages.set(number, page);
      const place = seq % countsPerPage;
      page[place >>> 2] = (page[place >>> 2] ?? 0) | (Math.min(count, 3) << ((place & 3) * 2));
      if (count >= 3) many.set(seq, count);
    },
    of: (seq) => {
      const place = seq % countsPerPage;
      const byte = pages.get(Math.floor(seq / countsPerPage))?.[place >>> 2] ?? 0;
      const count = (byte >>> ((place & 3) * 2)) & 3;
      return count === 3 ? (many.get(seq) ?? 3) : count;
    },
  };
}

export interface PartOwners {
  /** Reserves memory for the entries around `seq`, as counts of parts do. */
  set(seq: number, decision: number): void;
  /** The decision whose entry this is; the entry itself where none was set. */
  of(seq: number): number;
}

/** How far back a decision may begin to be kept in two bytes. */
const backMax = 65_535;

/** Two bytes per entry; a decision that began further back takes an entry of a map. */
export function createPartOwners(): PartOwners {
  const pages = new Map<number, Uint16Array>();
  const far = new Map<number, number>();
  return {
    set: (seq, decision) => {
      const back = seq - decision;
      const number = Math.floor(seq / countsPerPage);
      const page = pages.get(number) ?? new Uint16Array(countsPerPage);
      pages.set(number, page);
      page[seq % countsPerPage] = Math.min(back, backMax);
      if (back >= backMax) far.set(seq, decision);
    },
    of: (seq) => {
      const back = pages.get(Math.floor(seq / countsPerPage))?.[seq % countsPerPage] ?? 0;
      return far.get(seq) ?? seq - back;
    },
  };
}
