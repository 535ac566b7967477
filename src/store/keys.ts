/**
 * The ledger's secrets as files, kept outside its directory, created on the first start. Mode 0600; a file is there
 * whole or not at all. A directory that cannot be written, such as a mounted secret, is read and left alone.
 *
 *     signing.pem         the Ed25519 key that signs        signing.next.pem  the one a rotation is bringing in
 *     kek.key             the key-encryption key in use     kek-<id>.key      one of an earlier epoch
 *     fingerprint.key     makes the fingerprints of callers; absent while the first epoch lasts
 *     retiring            the id of the epoch's key that is being destroyed, while it is
 */
import { createHmac, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RandomBytes } from '../core/clock.ts';
import { HoldpointError, messageOf, refusalOf } from '../core/errors.ts';
import type { SigningKey } from '../ledger/checkpoint.ts';
import { type KeyEncryptionKey, kekOf } from '../ledger/vault.ts';
import { makePrivateDirectory } from './directory.ts';
import { removeDurably, renameDurably, writeWholeFile } from './whole-file.ts';

export interface LedgerKeys {
  readonly signingKey: KeyObject | SigningKey;
  /** What a rotation that was cut short may have left the ledger under. */
  readonly otherSigningKeys: readonly KeyObject[];
  readonly kek: KeyEncryptionKey;
  /** Of earlier epochs, whose bodies they still open. */
  readonly retiredKeks: readonly KeyEncryptionKey[];
  /** Stays the same over all epochs, so that a caller's fingerprint does. */
  readonly fingerprintKey: Buffer;
}

export const signingKeyFile = 'signing.pem';
const nextSigningKeyFile = 'signing.next.pem';
export const kekFile = 'kek.key';
const fingerprintFile = 'fingerprint.key';
const retiringFile = 'retiring';
const retiredKekFile = /^kek-([0-9a-f]{8})\.key$/;

/**
 * Reads the keys in `dir`. `create` makes what is missing, which is only right before genesis: throws
 * `config_invalid` when a key of an existing ledger is missing, unreadable or no key.
 */
export function loadKeys(dir: string, create: boolean, random: RandomBytes): SigningKeys & Keks {
  return { ...loadSigningKeys(dir, create), ...loadKeks(dir, create, random) };
}

/**
 * The key under which this sidecar is a witness for others; it signs nothing else. `create` makes one where there
 * is none, which is only right while the witness remembers nothing. Throws `config_invalid`.
 */
export function loadWitnessKey(file: string, create: boolean): KeyObject {
  if (create && !existsSync(file)) {
    try {
      makePrivateDirectory(dirname(file));
      writeWholeFile(file, newSigningKey());
    } catch (error) {
      const message = `The witness's key ${file} cannot be made: ${refusalOf(error)}.`;
      throw new HoldpointError('config_invalid', message, 'Make the directory writable.', error);
    }
  }
  return readSigningKey(
    file,
    'A witness goes on under the key it began with; without it, take a new name and forget the peers.',
  );
}

type SigningKeys = Pick<LedgerKeys, 'otherSigningKeys'> & { readonly signingKey: KeyObject };
type Keks = Pick<LedgerKeys, 'kek' | 'retiredKeks' | 'fingerprintKey'>;

export function loadSigningKeys(dir: string, create: boolean): SigningKeys {
  const signing = join(dir, signingKeyFile);
  const next = join(dir, nextSigningKeyFile);
  if (create) createKey(signing, newSigningKey);
  return {
    signingKey: readSigningKey(signing),
    otherSigningKeys: existsSync(next) ? [readSigningKey(next)] : [],
  };
}

/** @param file where the one in use lies, when it is not kek.key in `dir` */
export function loadKeks(dir: string, create: boolean, random: RandomBytes, file = join(dir, kekFile)): Keks {
  if (create) createKey(file, () => newSecret(random));
  const kek = kekOf(readSecret(file));
  const retiredKeks = retiredKeksIn(dir).filter(({ id }) => id !== kek.id);
  return { kek, retiredKeks, fingerprintKey: readFingerprintKey(dir, kek, retiredKeks) };
}

export function retiredKeksIn(dir: string): readonly KeyEncryptionKey[] {
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir).filter((name) => retiredKekFile.test(name));
  return names.sort().map((name) => {
    const kek = kekOf(readSecret(join(dir, name)));
    if (name === retiredName(kek.id)) return kek;
    throw new HoldpointError(
      'config_invalid',
      `${join(dir, name)} holds the key-encryption key ${kek.id}, not the one it is named for.`,
      'Restore the file that belongs there.',
    );
  });
}

const retiredName = (id: string): string => `kek-${id}.key`;

/** Derived from the key-encryption key of the first epoch; written down before there is a second. */
export function readFingerprintKey(
  dir: string,
  kek: KeyEncryptionKey,
  retired: readonly KeyEncryptionKey[],
): Buffer {
  const file = join(dir, fingerprintFile);
  if (existsSync(file)) return readSecret(file);
  if (retired.length === 0) return fingerprintKeyOf(kek);
  throw new HoldpointError(
    'config_invalid',
    `${file} is missing, though there are key-encryption keys of earlier epochs.`,
    'Restore it, so that callers keep their fingerprints; `holdpoint keys rotate --kek` made it.',
  );
}

/** Separate from the encryption key's own use. */
function fingerprintKeyOf({ key }: KeyEncryptionKey): Buffer {
  return createHmac('sha256', key).update('holdpoint/fingerprint/1').digest();
}

/** Puts a new signing key beside the one in use, on disk before anything is sealed under it. */
export function prepareSigningKey(dir: string): KeyObject {
  const pem = newSigningKey();
  change(dir, () => writeWholeFile(join(dir, nextSigningKeyFile), pem));
  return createPrivateKey(pem);
}

/**
 * The new key takes the old one's place, once the boundary is durable: one atomic rename. The old private key is gone
 * then, so that nobody can steal it to fork what it signed.
 */
export function adoptSigningKey(dir: string): void {
  change(dir, () => renameDurably(join(dir, nextSigningKeyFile), join(dir, signingKeyFile)));
}

/**
 * Begins an epoch on disk: keeps the key-encryption key in use under its id and the fingerprint key by itself, then
 * puts a new one in its place. A crash in between leaves the old one in use.
 */
export function replaceKek(dir: string, random: RandomBytes): KeyEncryptionKey {
  const old = readSecret(join(dir, kekFile));
  const next = newSecret(random);
  change(dir, () => {
    const fingerprint = join(dir, fingerprintFile);
    if (!existsSync(fingerprint))
      writeWholeFile(fingerprint, `${fingerprintKeyOf(kekOf(old)).toString('base64')}\n`);
    writeWholeFile(join(dir, retiredName(kekOf(old).id)), `${old.toString('base64')}\n`);
    writeWholeFile(join(dir, kekFile), next);
  });
  return kekOf(Buffer.from(next, 'base64'));
}

/** Destroys the key-encryption key of an epoch under which nothing is wrapped any more, and the note that it is being retired. */
export function destroyKek(dir: string, id: string): void {
  // Gone for good before the note is: a power failure must not bring it back with nothing to say that it goes.
  change(dir, () => removeDurably(join(dir, retiredName(id))));
  noteRetiring(dir, null);
}

/** Notes which epoch's key is being retired, null for none: what a crash broke off goes on at the next start. */
export function noteRetiring(dir: string, id: string | null): void {
  const file = join(dir, retiringFile);
  change(dir, () => (id === null ? removeDurably(file) : writeWholeFile(file, `${id}\n`)));
}

/** The id of the key that was being retired when the process died; null where none was. */
export function retiringIn(dir: string): string | null {
  const file = join(dir, retiringFile);
  return existsSync(file) ? readKeyFile(file).trim() : null;
}

function change(dir: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `The keys in ${dir} cannot be changed: ${messageOf(error)}.`,
      'Make the directory writable. Where it is a mounted secret, put the new key there and name it in keys.nextSigning.',
      error,
    );
  }
}

/** Writes a key that is missing, and its directory. Throws `config_invalid` when it cannot. */
export function createKey(file: string, make: () => string): void {
  // Each by itself: a first start that died between two is finished by the next.
  if (existsSync(file)) return;
  try {
    makePrivateDirectory(dirname(file));
    writeWholeFile(file, make());
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      // What could not be made of its directory is a sentence already.
      `Cannot create the key ${file}: ${refusalOf(error).replace(/\.$/, '')}.`,
      'Make the directory writable, or put signing.pem and kek.key there: openssl genpkey -algorithm ed25519; openssl rand -base64 32',
      error,
    );
  }
}

function newSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function newSecret(random: RandomBytes): string {
  return `${random(32).toString('base64')}\n`;
}

const restoreSigningKey =
  'Restore the key the ledger was last sealed with. A new ledger may have one from: openssl genpkey -algorithm ed25519';

export function readSigningKey(file: string, next = restoreSigningKey): KeyObject {
  const text = readKeyFile(file);
  let cause: unknown;
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (error) {
    cause = error;
  }
  throw new HoldpointError('config_invalid', `${file} is not an Ed25519 private key in PEM.`, next, cause);
}

function readSecret(file: string): Buffer {
  const key = Buffer.from(readKeyFile(file).trim(), 'base64');
  if (key.length === 32) return key;
  throw new HoldpointError(
    'config_invalid',
    `${file} is not 32 bytes in base64.`,
    'Restore the key that what is recorded was sealed with. A new ledger may have one from: openssl rand -base64 32',
  );
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `The key ${file} cannot be read: ${refusalOf(error)}.`,
      'An existing ledger needs the keys it was sealed with; restore them to keys.dir, or to where keys.signing, keys.nextSigning and keys.kek name them.',
      error,
    );
  }
}
