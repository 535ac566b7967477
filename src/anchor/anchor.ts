/**
 * What an anchor is: somebody or something outside that takes note of a checkpoint, so that who later rewrites the
 * ledger, with its key and its high-water mark, is contradicted. Pure.
 */
import { HoldpointError } from '../core/errors.ts';
import { rootInNote } from '../ledger/checkpoint.ts';
import type { Ledger } from '../ledger/ledger.ts';

export const anchorKinds = ['file', 'witness', 'timestamp', 'bucket'] as const;
export type AnchorKind = (typeof anchorKinds)[number];

/** A durable state of the ledger, signed. */
export interface Checkpoint {
  readonly origin: string;
  /** Entries; at least 1. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Buffer;
  readonly note: Buffer;
}

/** What an anchor gave for a checkpoint. */
export interface Receipt {
  /** Sealed in the `anchor` entry; ASCII, at most `receiptCharsMax`. */
  readonly text: string;
  /** Kept beside the ledger, for tools that are not ours: file name ending and bytes. */
  readonly files: readonly { readonly ending: string; readonly bytes: Buffer }[];
}

/** Leaves room in a leaf for everything else. */
export const receiptCharsMax = 48 * 1024;

export interface Anchor {
  readonly name: string;
  readonly kind: AnchorKind;
  /**
   * Resolves once the anchor has taken note durably, as far as it can tell. `from` is the last size that it
   * acknowledged, 0 for none. Rejects with `anchor_failed`, or with `anchor_contradicts` where what it remembers
   * is not a beginning of this ledger; gives up when `signal` says so.
   */
  send(checkpoint: Checkpoint, from: number, signal: AbortSignal): Promise<Receipt>;
}

/** The ledger's last durable checkpoint; null before genesis is. */
export function latestCheckpoint(ledger: Pick<Ledger, 'durable' | 'origin'>): Checkpoint | null {
  const { size, note } = ledger.durable();
  return size === 0 ? null : { origin: ledger.origin, size, root: rootInNote(note), note };
}

export function anchorFailed(message: string, cause?: unknown): HoldpointError {
  return new HoldpointError('anchor_failed', message, 'It is tried again by itself.', cause);
}

export function anchorContradicts(message: string): HoldpointError {
  return new HoldpointError(
    'anchor_contradicts',
    message,
    'Someone has put back or replaced the ledger, or its anchor. Run `holdpoint verify` with what the anchor remembers.',
  );
}
