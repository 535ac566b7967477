/** The ledger's secrets as files, kept outside its directory, created on the first start. Mode 0600. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RandomBytes } from '../core/clock.ts';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { type KeyEncryptionKey, kekOf } from '../ledger/vault.ts';

export interface LedgerKeys {
  readonly signingKey: KeyObject;
  readonly kek: KeyEncryptionKey;
}

export const signingKeyFile = 'signing.pem';
export const kekFile = 'kek.key';

/**
 * Reads the keys in `dir`. `create` makes what is missing, which is only right before genesis: throws
 * `config_invalid` when a key of an existing ledger is missing, unreadable or no key.
 */
export function loadKeys(dir: string, create: boolean, random: RandomBytes): LedgerKeys {
  const signing = join(dir, signingKeyFile);
  const kek = join(dir, kekFile);
  if (create) createKeys(dir, signing, kek, random);
  return { signingKey: readSigningKey(signing), kek: kekOf(readKek(kek)) };
}

/**
 * The key under which this sidecar is a witness for others; it signs nothing else. `create` makes one where there
 * is none, which is only right while the witness remembers nothing. Throws `config_invalid`.
 */
export function loadWitnessKey(file: string, create: boolean): KeyObject {
  if (create && !existsSync(file)) {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const { privateKey } = generateKeyPairSync('ed25519');
      writeWhole(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    } catch (error) {
      const message = `The witness's key ${file} cannot be made: ${messageOf(error)}.`;
      throw new HoldpointError('config_invalid', message, 'Make the directory writable.', error);
    }
  }
  return readEd25519(
    file,
    'A witness goes on under the key it began with; without it, take a new name and forget the peers.',
  );
}

function createKeys(dir: string, signing: string, kek: string, random: RandomBytes): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync('ed25519');
    // Each by itself: a first start that died between the two is finished by the next.
    if (!existsSync(signing)) writeWhole(signing, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    if (!existsSync(kek)) writeWhole(kek, `${random(32).toString('base64')}\n`);
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `Cannot create keys in ${dir}: ${messageOf(error)}.`,
      'Make the directory writable, or put signing.pem and kek.key there.',
      error,
    );
  }
}

/** A key is there whole or not at all, and on disk before anything is sealed under it. */
function writeWhole(file: string, text: string | Buffer): void {
  const temporary = `${file}.new`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { mode: 0o600, flag: 'wx', flush: true });
  renameSync(temporary, file);
}

function readSigningKey(file: string): KeyObject {
  return readEd25519(
    file,
    'Restore the key the ledger was begun with. A new ledger may have one from: openssl genpkey -algorithm ed25519',
  );
}

function readEd25519(file: string, next: string): KeyObject {
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

function readKek(file: string): Buffer {
  const key = Buffer.from(readKeyFile(file).trim(), 'base64');
  if (key.length === 32) return key;
  throw new HoldpointError(
    'config_invalid',
    `${file} is not 32 bytes in base64.`,
    'Make one with: openssl rand -base64 32',
  );
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `The key ${file} cannot be read: ${messageOf(error)}.`,
      'An existing ledger needs the keys it was begun with; restore them to keys.dir.',
      error,
    );
  }
}
