/** Changes of the keys that seal a ledger and wrap its bodies, each sealed before it counts. */
import type { KeyObject } from 'node:crypto';
import { createInTurn } from '../core/in-turn.ts';
import type { SigningKey } from './checkpoint.ts';
import { epochDraft, retirementDraft, revocationDraft } from './key-drafts.ts';
import type { LedgerKeys } from './ledger-keys.ts';
import type { LedgerOptions } from './ledger-options.ts';
import type { Reopening } from './reopening.ts';
import type { KeyOrder } from './rotation.ts';
import type { KeyEncryptionKey } from './vault.ts';

export interface KeyChanges {
  /**
   * Seals the change to another signing key; resolves once the boundary is durable. When it rejects with
   * `ledger_unavailable` the boundary may or may not be: both keys must be kept until the ledger is open again.
   */
  rotateSigningKey(key: KeyObject | SigningKey, order: KeyOrder): Promise<void>;
  /** Seals the beginning of an epoch; bodies are wrapped under its key once that is durable. */
  beginEpoch(kek: KeyEncryptionKey, order: KeyOrder): Promise<void>;
  /**
   * Forgets the key of an earlier epoch, its bodies wrapped anew under the one in use, and seals that. Rejects with
   * `invalid_argument` when bodies are wrapped under it and the store cannot rewrite them; then nothing changed.
   */
  retireKek(id: string, order: KeyOrder): Promise<void>;
  /**
   * Seals that a former key is trusted no further than `size` entries. Rejects with `invalid_argument` when no former
   * key has this key hash, or it signed fewer.
   */
  revokeKey(kid: string, size: number, order: KeyOrder): Promise<void>;
}

/** `keys` are told once what was sealed is durable. */
export function keyChangesOf(
  { escrow }: Pick<LedgerOptions, 'escrow'>,
  keys: LedgerKeys,
  log: Pick<Reopening, 'opened' | 'seal' | 'requireWritable'>,
): KeyChanges {
  /** One rotation at a time. */
  const inTurn = createInTurn();
  const { opened, seal } = log;
  return {
    rotateSigningKey: (key, order) =>
      inTurn(async () => {
        log.requireWritable();
        await keys.rotateTo(opened(), key, order);
      }),
    beginEpoch: async (next, order) => {
      await seal(epochDraft(next, order, escrow)).durable;
      keys.useKek(next);
      opened().sealer.useKek(next);
    },
    retireKek: async (id, order) => {
      const { store, ledgerId } = opened();
      await seal(await retirementDraft(store, ledgerId, keys.keks(), id, order)).durable;
      keys.dropKek(id);
    },
    revokeKey: async (kid, size, order) => {
      await seal(await revocationDraft(opened().store, kid, size, order)).durable;
    },
  };
}
