/** A ledger store in memory that fails where a test says so, and forgets what was not synced when it says so. */
import { isBodiesKey } from '../../src/ledger/block.ts';
import type { HighWater, LedgerStore, OpenStore, Restored, StoredRecord } from '../../src/ledger/store.ts';

/** What becomes of one commit: `before` fails with nothing written, `after` fails with all of it written. */
export type CommitFate = 'written' | 'before' | 'after';

export interface MemoryDisk {
  readonly open: OpenStore;
  /** Asked at each commit, with how many came before it. */
  fateOf: (commit: number) => CommitFate;
  failReads: boolean;
  failOpens: boolean;
  failRewrites: boolean;
  /** Commits tried so far, over all openings. */
  commits(): number;
  /** Takes the power away: whoever had it open is dead, and what was committed without `sync` is gone. */
  loseUnsynced(): void;
  /** Kills whoever has it open; what was committed stays. */
  abandon(): void;
  /** Whether some process has it open. */
  isOpen(): boolean;
  /** Changes a record behind the back of whoever has it open. */
  overwrite(key: Buffer, value: Buffer): void;
  /** Loses a record, likewise. */
  remove(key: Buffer): void;
  /** In key order. */
  records(): readonly StoredRecord[];
  source(): AsyncIterable<StoredRecord>;
}

export function createMemoryDisk(): MemoryDisk {
  let kept = new Map<string, Buffer>();
  let synced = new Map<string, Buffer>();
  let unfinishedFrom: number | null = null;
  let restored: Restored | null = null;
  let commits = 0;
  let openings = 0;
  let current = 0;

  const disk: MemoryDisk = {
    open: async () => {
      if (disk.failOpens) throw new Error('EIO: cannot open');
      if (current !== 0) throw new Error('the store is open already');
      openings += 1;
      current = openings;
      return storeOf(openings);
    },
    fateOf: () => 'written',
    failReads: false,
    failOpens: false,
    failRewrites: false,
    commits: () => commits,
    loseUnsynced: () => {
      kept = new Map(synced);
      current = 0;
    },
    abandon: () => {
      current = 0;
    },
    isOpen: () => current !== 0,
    overwrite: (key, value) => {
      kept.set(key.toString('hex'), value);
    },
    remove: (key) => {
      kept.delete(key.toString('hex'));
    },
    records: () => sorted(kept),
    source: async function* () {
      yield* sorted(kept);
    },
  };

  function storeOf(opening: number): LedgerStore {
    const requireOpen = (): void => {
      if (current !== opening) throw new Error('the store was closed');
    };
    const requireReadable = (): void => {
      requireOpen();
      if (disk.failReads) throw new Error('EIO: cannot read');
    };
    return {
      commit: async (records, sync) => {
        requireOpen();
        const fate = disk.fateOf(commits);
        commits += 1;
        await new Promise(setImmediate);
        requireOpen();
        if (fate === 'before') throw new Error('ENOSPC: nothing was written');
        for (const { key, value } of records) kept.set(key.toString('hex'), Buffer.from(value));
        if (sync) synced = new Map(kept);
        if (fate === 'after') throw new Error('EIO: written, but not known to be');
      },
      get: async (key) => {
        requireReadable();
        return kept.get(key.toString('hex'));
      },
      scan: async function* ({ from, to, reverse = false, limit = Number.POSITIVE_INFINITY, withoutBodies }) {
        requireReadable();
        const inOrder = sorted(kept).filter(
          ({ key }) =>
            (from === undefined || Buffer.compare(key, from) >= 0) &&
            (to === undefined || Buffer.compare(key, to) <= 0) &&
            !(withoutBodies === true && isBodiesKey(key)),
        );
        if (reverse) inOrder.reverse();
        yield* inOrder.slice(0, limit);
      },
      rewriteBodies: async (keys, rewrite) => {
        requireOpen();
        if (disk.failRewrites) throw new Error('EIO: cannot rewrite');
        let bytes = 0;
        for (const key of keys) {
          const name = key.toString('hex');
          const value = kept.get(name);
          if (value === undefined) continue;
          const replaced = rewrite(key, value);
          if (replaced === value) continue;
          bytes += value.length;
          for (const map of [kept, synced]) {
            if (replaced === null) map.delete(name);
            else map.set(name, Buffer.from(replaced));
          }
        }
        return { bytes, left: [] };
      },
      reclaim: async () => 0,
      readUnfinishedFrom: async () => {
        requireReadable();
        return unfinishedFrom;
      },
      writeUnfinishedFrom: async (seq) => {
        requireOpen();
        unfinishedFrom = seq;
      },
      readRestored: async () => {
        requireReadable();
        return restored;
      },
      writeRestored: async (note) => {
        requireOpen();
        restored = note;
      },
      close: async () => {
        if (current === opening) current = 0;
      },
    };
  }
  return disk;
}

function sorted(records: ReadonlyMap<string, Buffer>): StoredRecord[] {
  return [...records]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key: Buffer.from(key, 'hex'), value }));
}

export interface MemoryMark extends HighWater {
  /** The text a high-water file would hold is made by the store; here only the pair is kept. */
  mark: { readonly size: number; readonly root: string } | null;
}

export function createMemoryMark(): MemoryMark {
  const memory: MemoryMark = {
    mark: null,
    read: () => memory.mark,
    write: (size, root) => {
      memory.mark = { size, root: root.toString('hex') };
    },
  };
  return memory;
}
