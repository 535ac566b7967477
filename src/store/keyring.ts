/**
 * Changes of keys while the ledger is open: what is written to disk before and after what is sealed. The order of
 * every step is such that a crash after it leaves a start that goes on. Owned by the composition root.
 */
import type { KeyObject } from 'node:crypto';
import type { RandomBytes } from '../core/clock.ts';
import { HoldpointError } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import { signerOf } from '../ledger/checkpoint.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { KeyOrder } from '../ledger/rotation.ts';
import {
  adoptSigningKey,
  destroyKek,
  loadSigningKeys,
  noteRetiring,
  prepareSigningKey,
  replaceKek,
  retiringIn,
} from './keys.ts';

export interface KeyringOptions {
  readonly ledger: Ledger;
  /** Where signing.pem lies; null when another source has the key. */
  readonly signingDir: string | null;
  /** Where kek.key lies; null when another source has the key. */
  readonly kekDir: string | null;
  readonly random: RandomBytes;
  /** Told that a retirement which a crash broke off could not be finished; the next start tries again. */
  readonly onUnfinished: (error: unknown) => void;
}

export interface Keyring {
  /** A new signing key, made here. Rejects with what is wrong; then the old one or the new one is in force. */
  rotateSigning(order: KeyOrder): Promise<void>;
  /** A new key-encryption key for what is sealed from now on; earlier ones still open their bodies. */
  rotateKek(order: KeyOrder): Promise<void>;
  /** Destroys the key-encryption key of an earlier epoch; rejects while bodies are wrapped under it. */
  retireKek(id: string, order: KeyOrder): Promise<void>;
  /** Trusts a former signing key no further than to `size` entries. */
  revoke(kid: string, size: number, order: KeyOrder): Promise<void>;
  /** The keys in force. */
  current(): { readonly key: string; readonly kek: string; readonly retiredKeks: readonly string[] };
}

/** Of what was broken off and goes on by itself. */
const ownOrder: KeyOrder = { by: 'holdpoint', reason: 'broken off before' };

/** What refuses a retirement before it is sealed; of anything else that is not known. */
const sealedNothing: ReadonlySet<HoldpointError['code']> = new Set(['invalid_argument', 'unauthenticated']);

export function createKeyring(options: KeyringOptions): Keyring {
  const { ledger, random } = options;
  if (options.signingDir !== null) settle(ledger, options.signingDir);
  const inTurn = createInTurn();

  async function rotateSigning(order: KeyOrder): Promise<void> {
    const dir = requireDir(options.signingDir, 'keys.nextSigning');
    // Until it is open again the disk may ask for the key that a rotation before this one put there.
    requireWritable(ledger);
    // A rotation before this one may have become durable without anybody hearing of it.
    settle(ledger, dir);
    const key = prepareSigningKey(dir);
    await ledger.rotateSigningKey(key, order);
    settle(ledger, dir);
  }

  const isOfEarlierEpoch = (id: string): boolean =>
    ledger
      .keks()
      .slice(1)
      .some((kek) => kek.id === id);

  async function retireKek(id: string, order: KeyOrder): Promise<void> {
    const dir = requireDir(options.kekDir, 'its source');
    // One before this may have been sealed and not carried out: its note must not give way to another.
    const unfinished = retiringIn(dir);
    if (unfinished !== null) await goOnRetiring(dir, unfinished, unfinished === id ? order : ownOrder);
    if (unfinished !== id) await retireInOrder(dir, id, order);
  }

  async function retireInOrder(dir: string, id: string, order: KeyOrder): Promise<void> {
    // Before it is sealed that it was destroyed: a crash in between must not leave it there.
    if (isOfEarlierEpoch(id)) noteRetiring(dir, id);
    try {
      await ledger.retireKek(id, order);
    } catch (error) {
      if (error instanceof HoldpointError && sealedNothing.has(error.code)) noteRetiring(dir, null);
      throw error;
    }
    destroyKek(dir, id);
  }

  /** Bodies may be wrapped under it again, such as where a backup was restored since: all of it is done anew. */
  async function goOnRetiring(dir: string, id: string, order: KeyOrder): Promise<void> {
    if (isOfEarlierEpoch(id)) await retireInOrder(dir, id, order);
    else if (ledger.keks()[0]?.id === id) noteRetiring(dir, null);
    // The ledger has let it go, and the disk may have refused to.
    else destroyKek(dir, id);
  }

  const ordered = (order: KeyOrder, work: () => Promise<void>): Promise<void> =>
    inTurn(() => {
      order.requireStanding?.();
      return work();
    });

  const { kekDir } = options;
  const unfinished = kekDir === null ? null : retiringIn(kekDir);
  if (kekDir !== null && unfinished !== null)
    inTurn(() => goOnRetiring(kekDir, unfinished, ownOrder)).catch(options.onUnfinished);

  return {
    rotateSigning: (order) => ordered(order, () => rotateSigning(order)),
    rotateKek: (order) =>
      ordered(order, async () => {
        const dir = requireDir(options.kekDir, 'a new key from its source, and the old one as kek-<id>.key');
        requireWritable(ledger);
        await ledger.beginEpoch(replaceKek(dir, random), order);
      }),
    retireKek: (id, order) => ordered(order, () => retireKek(id, order)),
    revoke: (kid, size, order) => ordered(order, () => ledger.revokeKey(kid, size, order)),
    current: () => ({
      key: ledger.verifierKey,
      kek: ledger.keks()[0]?.id ?? '',
      retiredKeks: ledger
        .keks()
        .slice(1)
        .map(({ id }) => id),
    }),
  };
}

/** Gives the next signing key the place of the old one if the ledger is under it. */
function settle(ledger: Ledger, dir: string): void {
  const { otherSigningKeys } = loadSigningKeys(dir, false);
  if (otherSigningKeys.some((key) => isInForce(ledger, key))) adoptSigningKey(dir);
}

function isInForce(ledger: Ledger, key: KeyObject): boolean {
  return signerOf(ledger.origin, key).verifierKey === ledger.verifierKey;
}

function requireWritable(ledger: Ledger): void {
  if (ledger.isWritable()) return;
  throw new HoldpointError(
    'ledger_unavailable',
    'The ledger cannot be written, so no key is changed.',
    'Holdpoint retries by itself; check disk space and the log, then change the key.',
  );
}

function requireDir(dir: string | null, instead: string): string {
  if (dir !== null) return dir;
  throw new HoldpointError(
    'invalid_argument',
    'This key does not lie in keys.dir, so it is not made anew here.',
    `Use ${instead}, and start the sidecar again.`,
  );
}
