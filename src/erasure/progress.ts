/** What an erasure did so far, and what the next one of its class must look at again. */
import type { RefusalGround } from '../ledger/erasure.ts';

/** With more of them the next look begins at the first that there was no room for. */
const againMax = 1024;

/** What an erasure did so far; owned by its run. */
export interface ErasureProgress {
  /** Decisions that were judged. */
  decisions: number;
  /** Decisions of which something is, or in a dry run would be, erased. */
  erased: number;
  parts: number;
  readonly refused: Record<RefusalGround, number>;
  /** Seqs of the first entries sealed; bounded. */
  readonly entries: number[];
  bytesWiped: number;
  bytesReclaimed: number;
  /** The entry looked at last. */
  lookedAt: number;
  /** Decisions of a class that the next look must judge again: refused, or not due yet. Bounded. */
  readonly again: number[];
  /** The first one that `again` had no room for; -1 while there is none. */
  firstBeyond: number;
  /** All was looked at: what could not be read, or is left, is in `again` and in what it failed with. */
  isThrough: boolean;
}

export function emptyProgress(): ErasureProgress {
  return {
    decisions: 0,
    erased: 0,
    parts: 0,
    refused: { open: 0, legal_hold: 0, statutory_minimum: 0, exemption: 0 },
    entries: [],
    bytesWiped: 0,
    bytesReclaimed: 0,
    lookedAt: -1,
    again: [],
    firstBeyond: -1,
    isThrough: false,
  };
}

/** Keeps that a decision is to be judged again. */
export function judgeAgain(progress: ErasureProgress, seq: number): void {
  const { again, firstBeyond } = progress;
  if (again.length < againMax) again.push(seq);
  else if (firstBeyond === -1 || seq < firstBeyond) progress.firstBeyond = seq;
}
