/** What erasing and reclaiming work on, and what they tell of their steps. */
import type { StoredRecord } from '../ledger/store.ts';
import type { Extent } from './journal.ts';
import type { Change } from './level.ts';

/** What erasing needs of the store it works on. */
export interface ErasingStore {
  readonly dir: string;
  /** Where a bodies record lies now; null when there is none, or what there is does not say it. */
  place(key: Buffer): Promise<Extent | null>;
  read(extent: Extent): Promise<Buffer>;
  /** A record that LevelDB has, or is about to have. */
  record(key: Buffer): Promise<Buffer | undefined>;
  /** Appends to the journal, taking turns with commits. Durable when it resolves. */
  append(records: readonly StoredRecord[]): Promise<void>;
  /** Forgets bodies records from the next `settle` on. */
  remove(keys: readonly Buffer[]): void;
  /**
   * Resolves when LevelDB has all that was appended and removed in its tables, and no start reads the journal up to
   * here again: what is overwritten half-way must not be met there.
   */
  settle(): Promise<void>;
  /** LevelDB's own keys, on disk when it resolves. */
  note(changes: readonly Change[]): Promise<void>;
  noted(key: Buffer): Promise<Buffer | undefined>;
  /** The segment that is appended to. */
  currentSegment(): number;
  /** A segment's file is gone. */
  forget(segment: number): void;
}

/** Told after each step whose effect is on disk; a crash can fall between any two. */
export type ErasingStep =
  | 'listed'
  | 'appended'
  | 'settled'
  | 'wiped'
  | 'done'
  | 'moved'
  | 'overwritten'
  | 'removed';
