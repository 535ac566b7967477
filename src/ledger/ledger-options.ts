/** What a ledger is opened with, and what it tells whoever opened it. */
import type { KeyObject } from 'node:crypto';
import type { Clock, RandomBytes } from '../core/clock.ts';
import type { JsonObject } from './canonical.ts';
import type { SigningKey } from './checkpoint.ts';
import type { Durability, Entry, Outcome } from './entry.ts';
import type { HighWater, OpenStore, RecordStore, Restored } from './store.ts';
import type { KeyEncryptionKey } from './vault.ts';

export interface LedgerOptions {
  readonly openStore: OpenStore;
  /**
   * A copy of the store as it lies there; null when there is none yet. Checked before the store itself is
   * opened, because opening repairs: what a refused start leaves behind is then exactly what it found.
   */
  readonly openCopy?: () => Promise<RecordStore | null>;
  /** Where the directory was made from a backup and nothing was sealed in it since: that is sealed first. */
  readonly restored?: Restored | null;
  readonly openIndexStore: OpenStore<RecordStore>;
  readonly highWater: HighWater;
  readonly signingKey: KeyObject | SigningKey;
  /** Further keys that the ledger may ask for: the one before a rotation or after it, as a crash left them. */
  readonly otherSigningKeys?: readonly (KeyObject | SigningKey)[];
  /** Rotate to this one once the ledger is open, unless it is under it already. */
  readonly nextSigningKey?: KeyObject | SigningKey;
  readonly kek: KeyEncryptionKey;
  /** Of earlier epochs: their bodies stay readable. */
  readonly retiredKeks?: readonly KeyEncryptionKey[];
  /** 32 bytes, the X25519 key that key-encryption keys are boxed to; absent where nobody holds one. */
  readonly escrow?: Buffer;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** What is re-checked at start, at least. */
  readonly tailBytesMin: number;
  /** Goes into `genesis` and `start`. */
  readonly product: string;
  readonly startData: JsonObject;
  /** The outcome of a decision that recovery found open, or null to keep it open (a hold that still waits). */
  readonly recoveredOutcome: (entries: readonly Entry[], reason: RecoveryReason) => Outcome | null;
  readonly onEvent: (event: LedgerEvent) => void;
}

/** After `restore` nobody knows what became of what is open: its callers were answered by a ledger that is gone. */
export type RecoveryReason = 'start' | 'store_failure' | 'restore';

export type LedgerEvent =
  | {
      readonly kind: 'opened';
      readonly size: number;
      readonly entriesChecked: number;
      /** False where a ledger was continued beside which no high-water mark stood. */
      readonly isRemembered: boolean;
      readonly closed: number;
    }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'reopen_failed'; readonly error: unknown }
  | { readonly kind: 'index_failed'; readonly error: unknown }
  /** The configuration names a next signing key that the ledger has left since. */
  | { readonly kind: 'rotation_refused'; readonly error: unknown }
  /** A key-encryption key that was being retired when the process died is still there; the next start tries again. */
  | { readonly kind: 'retirement_failed'; readonly error: unknown }
  /** What was sealed is not destroyed yet; it is tried again before the next erasure and at the next start. */
  | { readonly kind: 'erasure_failed'; readonly error: unknown };
