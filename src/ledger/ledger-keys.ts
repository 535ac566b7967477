/**
 * The keys of a ledger that is open: which signer seals, which key-encryption keys there are, and how both change.
 * Owns which are in use; the entries that say so are durable before it changes its mind.
 */
import type { KeyObject } from 'node:crypto';
import { HoldpointError } from '../core/errors.ts';
import { type Signer, type SigningKey, signerOf } from './checkpoint.ts';
import type { Head } from './head.ts';
import { readKeyChain } from './key-chain.ts';
import type { LedgerOptions } from './ledger-options.ts';
import { type KeyOrder, proveRotation, rotationData } from './rotation.ts';
import type { Sealer } from './sealer.ts';
import type { RecordStore } from './store.ts';
import type { KeyEncryptionKey } from './vault.ts';

export interface LedgerKeys {
  /** The one that seals now. */
  signer(): Signer;
  /** The one the ledger asks for by its key hash; the configured one when none is. */
  signerFor(ledgerId: string, kid?: string): Signer;
  /** Seals under this one from now on. */
  use(signer: Signer): void;
  /** The key-encryption keys there are, the one in use first. */
  keks(): readonly KeyEncryptionKey[];
  kekInUse(): KeyEncryptionKey;
  /** Puts a key-encryption key in use; the earlier ones stay. */
  useKek(kek: KeyEncryptionKey): void;
  dropKek(id: string): void;
  /** Seals the rotation to `key`, one at a time; see Ledger.rotateSigningKey. */
  rotateTo(sealed: SealedPlace, key: KeyObject | SigningKey, order: KeyOrder): Promise<void>;
  /**
   * Seals the rotation that the configuration asks for, unless it was sealed before; resolves with why it is not where
   * the ledger has left that key since.
   */
  rotateAtStart(sealed: SealedPlace): Promise<HoldpointError | null>;
}

/** Where a rotation is sealed. */
export interface SealedPlace {
  readonly ledgerId: string;
  readonly sealer: Sealer;
  readonly head: Head;
  readonly store: RecordStore;
}

const rotationAttemptsMax = 64;

/** A key does not come back: no verifier takes a ledger that does, and it may have been given up because it was stolen. */
async function refuseFormer({ store }: SealedPlace, next: Signer): Promise<HoldpointError | null> {
  const chain = await readKeyChain(store);
  if (!chain.some(({ key }) => key === next.verifierKey)) return null;
  return new HoldpointError(
    'invalid_argument',
    `The ledger was under the key ${next.kid} before, and a key does not come back.`,
    'Rotate to one that it never had, and remove this one from keys.nextSigning where that names it.',
  );
}

export function createLedgerKeys(
  options: Pick<LedgerOptions, 'signingKey' | 'otherSigningKeys' | 'nextSigningKey' | 'kek' | 'retiredKeks'>,
): LedgerKeys {
  let signer: Signer = signerOf('holdpoint/', options.signingKey);
  const signingKeys = [options.signingKey, ...(options.otherSigningKeys ?? [])];
  let keks: readonly KeyEncryptionKey[] = [options.kek, ...(options.retiredKeks ?? [])];
  if (options.nextSigningKey !== undefined) signingKeys.push(options.nextSigningKey);

  /**
   * The statement names the seq it is for. Entries may be sealed while it is being signed, so that it is made anew
   * then; where nothing else is sealed, as at start, the first one fits.
   */
  async function changeKey(
    { ledgerId, sealer, head }: SealedPlace,
    next: Signer,
    order: KeyOrder,
  ): Promise<void> {
    if (next.kid === signer.kid)
      throw new HoldpointError('invalid_argument', `The ledger is under the key ${next.kid} already.`);
    for (let attempt = 0; attempt < rotationAttemptsMax; attempt++) {
      const seq = head.nextSeq;
      const proof = await proveRotation(signer, next, ledgerId, seq);
      if (head.nextSeq !== seq) continue;
      const { durable } = sealer.changeKey(next, rotationData(next, proof, order));
      await durable;
      signer = next;
      return;
    }
    throw new HoldpointError(
      'overloaded',
      'The signing key answers too slowly to rotate while calls are sealed.',
      'Configure keys.nextSigning and start again: the rotation is sealed before calls are taken.',
    );
  }

  return {
    signer: () => signer,
    signerFor: (id, kid = '') => {
      const origin = `holdpoint/${id}`;
      const signers = signingKeys.map((key) => signerOf(origin, key));
      return signers.find((candidate) => candidate.kid === kid) ?? signerOf(origin, options.signingKey);
    },
    use: (next) => {
      signer = next;
    },
    keks: () => keks,
    kekInUse: () => keks[0] ?? options.kek,
    useKek: (next) => {
      keks = [next, ...keks.filter(({ id }) => id !== next.id)];
    },
    dropKek: (id) => {
      keks = keks.filter((kek) => kek.id !== id);
    },
    rotateTo: async (sealed, key, order) => {
      const next = signerOf(signer.origin, key);
      const refusal = next.kid === signer.kid ? null : await refuseFormer(sealed, next);
      if (refusal !== null) throw refusal;
      // Known before it is used: should the commit fail, what is reopened may ask for either.
      if (next.kid !== signer.kid) signingKeys.push(key);
      await changeKey(sealed, next, order);
    },
    rotateAtStart: async (sealed) => {
      if (options.nextSigningKey === undefined) return null;
      const next = signerOf(signer.origin, options.nextSigningKey);
      if (next.kid === signer.kid) return null;
      // Genesis may be on its way to the disk; nothing else is sealed meanwhile.
      await sealed.sealer.drain();
      const refusal = await refuseFormer(sealed, next);
      if (refusal === null) await changeKey(sealed, next, { by: 'holdpoint', reason: 'keys.nextSigning' });
      return refusal;
    },
  };
}
