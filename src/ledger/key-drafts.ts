/** What is sealed when keys change, rotation apart; each draft is made only once what it says is so. FORMAT.md. */
import { HoldpointError } from '../core/errors.ts';
import { countWrapped, rewrapBodies } from './epochs.ts';
import { boxKeks } from './escrow.ts';
import { readKeyChain } from './key-chain.ts';
import type { KeyOrder } from './rotation.ts';
import type { Draft } from './sealer.ts';
import type { LedgerStore } from './store.ts';
import type { KeyEncryptionKey } from './vault.ts';

/** The beginning of an epoch, with the box of its key where there is escrow. */
export function epochDraft(
  kek: KeyEncryptionKey,
  { by, reason }: KeyOrder,
  escrow: Buffer | undefined,
): Draft {
  const boxed = escrow === undefined ? {} : boxKeks([kek], escrow);
  return { type: 'key', data: { action: 'epoch', by, kek: kek.id, reason, ...boxed } };
}

/** The boxes of all keys there are, at a start. */
export function escrowDraft(keks: readonly KeyEncryptionKey[], escrow: Buffer): Draft {
  const boxed = boxKeks(keks, escrow);
  return { type: 'key', data: { action: 'escrow', by: 'holdpoint', reason: 'start', ...boxed } };
}

/**
 * The retirement of a key-encryption key, made when nothing is wrapped under it any more: its bodies are wrapped
 * anew under the first of `keks` where the store can rewrite. Rejects with `invalid_argument` otherwise.
 */
export async function retirementDraft(
  store: LedgerStore,
  ledgerId: string,
  [inUse, ...earlier]: readonly KeyEncryptionKey[],
  id: string,
  { by, reason, requireStanding }: KeyOrder,
): Promise<Draft> {
  const retired = earlier.find((kek) => kek.id === id);
  if (retired === undefined || inUse === undefined) {
    const known = earlier.map((kek) => kek.id).join(', ') || 'none';
    throw new HoldpointError(
      'invalid_argument',
      `The key-encryption key ${id} ${id === inUse?.id ? 'is in use' : 'is none of an earlier epoch'}.`,
      `Earlier ones are: ${known}.`,
    );
  }
  await rewrapBodies(store, ledgerId, retired, inUse);
  const left = await countWrapped(store, id);
  if (left > 0) {
    throw new HoldpointError(
      'invalid_argument',
      `The bodies of ${left} blocks are wrapped under the key-encryption key ${id}.`,
      'Without it they could not be read again; keep it.',
    );
  }
  // Of a large ledger that took hours.
  requireStanding?.();
  return { type: 'key', data: { action: 'retire', by, kek: id, reason } };
}

/** The revocation of a former signing key. Rejects with `invalid_argument` for any other, or more than it signed. */
export async function revocationDraft(
  store: LedgerStore,
  kid: string,
  size: number,
  { by, reason }: KeyOrder,
): Promise<Draft> {
  const chain = await readKeyChain(store);
  const at = chain.findIndex(({ key }) => key.split('+')[1] === kid);
  const [revoked, successor] = [chain[at], chain[at + 1]];
  if (revoked === undefined || successor === undefined) {
    const former = chain.slice(0, -1).map(({ key }) => key.split('+')[1]);
    throw new HoldpointError(
      'invalid_argument',
      `The key ${kid} is ${revoked === undefined ? 'none of this ledger' : 'in use'}.`,
      `Rotate first, then revoke. Former keys are: ${former.join(', ') || 'none'}.`,
    );
  }
  if (size > successor.from) {
    throw new HoldpointError(
      'invalid_argument',
      `The key ${kid} signed ${successor.from} entries at most.`,
      'Name the size of the last checkpoint that somebody kept before the key was stolen.',
    );
  }
  return { type: 'key', data: { action: 'revoke', by, key: revoked.key, reason, size } };
}
