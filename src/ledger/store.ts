/** The port the ledger owns and `src/store/` implements. Imports nothing of the stores. */

export interface StoredRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface ScanRange {
  /** Inclusive bounds. */
  readonly from?: Buffer;
  readonly to?: Buffer;
  readonly reverse?: boolean;
  readonly limit?: number;
  /** Passes over the bodies records, which are large and need not be read to walk the entries. */
  readonly withoutBodies?: boolean;
  /** The values need not be read, and may be empty. */
  readonly keysOnly?: boolean;
}

export interface RecordStore {
  /**
   * Writes all records atomically. With `sync`, resolves only after fsync. If it rejects, the batch may or
   * may not be on disk: close, reopen and re-check; never retry in place.
   */
  commit(records: readonly StoredRecord[], sync: boolean): Promise<void>;
  get(key: Buffer): Promise<Buffer | undefined>;
  scan(range: ScanRange): AsyncIterable<StoredRecord>;
  /** Lets the directory go. Where it rejects, what was durable is so still: call it again, then open. */
  close(): Promise<void>;
}

/** What a restored ledger says of itself. */
export interface Restored {
  /** Entries in the backup. */
  readonly size: number;
  /** SHA-256 of the backup's manifest, hex. */
  readonly backup: string;
  /** When the backup was taken, UTC. */
  readonly taken: string;
  /** How many entries the high-water mark knew beyond it. */
  readonly lost: number;
}

/** What became of bodies records that were to be replaced. */
export interface Rewritten {
  /** How many were overwritten. */
  readonly bytes: number;
  /**
   * Records that could not be read where they are said to lie, which are as they were, and those whose old bytes the disk
   * did not let be overwritten, which later calls try again; also such as earlier calls left.
   */
  readonly left: readonly LeftRecord[];
}

export interface LeftRecord {
  readonly key: Buffer;
  readonly cause: unknown;
}

export interface LedgerStore extends RecordStore {
  /**
   * Replaces bodies records; `rewrite` gives the new value, null to remove the record, or the value it was given
   * to leave it. When it resolves, the new ones are on disk and the bytes of the old ones are gone from the
   * files, but for what is `left`. If it rejects, some may still be as they were: call it again. Commits go on meanwhile.
   */
  rewriteBodies(
    keys: readonly Buffer[],
    rewrite: (key: Buffer, value: Buffer) => Buffer | null,
  ): Promise<Rewritten>;
  /**
   * Gives back disk space that `rewriteBodies` emptied, where that is worth the copying. Commits go on meanwhile.
   * @returns how many bytes the files shrank by
   */
  reclaim(): Promise<number>;
  /** The seq from which erasures may be sealed and not yet carried out; null when there is none. */
  readUnfinishedFrom(): Promise<number | null>;
  /** Resolves when it is on disk. */
  writeUnfinishedFrom(seq: number | null): Promise<void>;
  /** Where it was made from a backup and nothing was sealed in it since; null otherwise. It is part of what was made. */
  readRestored(): Promise<Restored | null>;
  /** Resolves when it is on disk. */
  writeRestored(restored: Restored | null): Promise<void>;
}

/** Opens the store, fresh each time; rejects with `data_dir_locked` when another process has it. */
export type OpenStore<Store extends RecordStore = LedgerStore> = () => Promise<Store>;

/** The last size and root that were sealed, remembered outside the ledger's directory. */
export interface HighWater {
  /** Null when none was ever written; throws `ledger_damaged` when what is there does not parse. */
  read(): { readonly size: number; readonly root: string } | null;
  /** Handed to the operating system before it returns; survives the death of the process. */
  write(size: number, root: Buffer): void;
}
