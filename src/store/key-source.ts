/** The ledger's keys from where the configuration says: keys.dir, files elsewhere such as a mounted secret, commands. */

import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RandomBytes } from '../core/clock.ts';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import type { SigningKey } from '../ledger/checkpoint.ts';
import { kekOf } from '../ledger/vault.ts';
import { type KeyCommand, openCommandSigner, unwrapByCommand, wrapByCommand } from './key-command.ts';
import {
  createKey,
  type LedgerKeys,
  loadKeks,
  loadSigningKeys,
  readFingerprintKey,
  readSigningKey,
  retiredKeksIn,
} from './keys.ts';

export type KeyPlace = { readonly file: string } | KeyCommand;

export interface KeySettings {
  readonly dir: string;
  readonly signing?: KeyPlace | undefined;
  readonly nextSigning?: KeyPlace | undefined;
  readonly kek?: KeyPlace | undefined;
}

export interface OpenedKeys extends LedgerKeys {
  readonly nextSigningKey?: KeyObject | SigningKey;
  /** Where the keys lie that can be made anew here; null for those that cannot. */
  readonly signingDir: string | null;
  readonly kekDir: string | null;
}

const wrappedKekFile = 'kek.wrapped';

/**
 * Opens all keys. `create` makes those of keys.dir that are missing, which is only right before genesis; a file named
 * elsewhere is never made. Rejects with `config_invalid`.
 */
export async function openKeys(
  settings: KeySettings,
  create: boolean,
  random: RandomBytes,
): Promise<OpenedKeys> {
  const { dir, signing, nextSigning, kek } = settings;
  const next = nextSigning === undefined ? undefined : await openSigner(nextSigning, 'keys.nextSigning');
  const signingKeys =
    signing === undefined
      ? { ...loadSigningKeys(dir, create), signingDir: dir }
      : { signingKey: await openSigner(signing, 'keys.signing'), otherSigningKeys: [], signingDir: null };
  const keks = await openKeks(dir, kek, create, random);
  return { ...signingKeys, ...keks, ...(next === undefined ? {} : { nextSigningKey: next }) };
}

async function openSigner(place: KeyPlace, what: string): Promise<KeyObject | SigningKey> {
  return 'file' in place ? readSigningKey(place.file) : openCommandSigner(place, what);
}

async function openKeks(dir: string, place: KeyPlace | undefined, create: boolean, random: RandomBytes) {
  if (place === undefined) return { ...loadKeks(dir, create, random), kekDir: dir };
  if ('file' in place) return { ...loadKeks(dirname(place.file), false, random, place.file), kekDir: null };
  const file = join(dir, wrappedKekFile);
  if (create && !existsSync(file)) {
    const wrapped = await wrapByCommand(place, 'keys.kek', random(32));
    createKey(file, () => `${wrapped}\n`);
  }
  const kek = kekOf(await unwrapByCommand(place, 'keys.kek', readWrapped(file)));
  const retiredKeks = retiredKeksIn(dir).filter(({ id }) => id !== kek.id);
  return { kek, retiredKeks, fingerprintKey: readFingerprintKey(dir, kek, retiredKeks), kekDir: null };
}

function readWrapped(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `The wrapped key ${file} cannot be read: ${refusalOf(error)}.`,
      'The command of keys.kek made it on the first start; an existing ledger needs it.',
      error,
    );
  }
}
