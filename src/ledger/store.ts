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
}

export interface LedgerStore {
  /**
   * Writes all records atomically. With `sync`, resolves only after fsync. If it rejects, the batch may or
   * may not be on disk: close, reopen and re-check; never retry in place.
   */
  commit(records: readonly StoredRecord[], sync: boolean): Promise<void>;
  get(key: Buffer): Promise<Buffer | undefined>;
  scan(range: ScanRange): AsyncIterable<StoredRecord>;
  /**
   * Replaces bodies records; `rewrite` gives the new value, null to remove the record, or the value it was given to
   * leave it. When it resolves, nothing of the old ones is on disk. Absent where the store cannot; then bodies keep
   * the key they were wrapped under.
   */
  rewriteBodies?(
    keys: readonly Buffer[],
    rewrite: (key: Buffer, value: Buffer) => Buffer | null,
  ): Promise<number>;
  close(): Promise<void>;
}

/** Opens the store, fresh each time; rejects with `data_dir_locked` when another process has it. */
export type OpenStore = () => Promise<LedgerStore>;

/** The last size and root that were sealed, remembered outside the ledger's directory. */
export interface HighWater {
  /** Null when none was ever written; throws `ledger_damaged` when what is there does not parse. */
  read(): { readonly size: number; readonly root: string } | null;
  /** Handed to the operating system before it returns; survives the death of the process. */
  write(size: number, root: Buffer): void;
}
