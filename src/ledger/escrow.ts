/**
 * Key-encryption keys boxed to somebody's X25519 key (NaCl box, tweetnacl), so that bodies can be opened when the
 * operator's own key is lost. FORMAT.md, "Escrow". It is the key of an epoch that is boxed, never a data key: entries are
 * for ever, and a data key in one would bring back what an erasure destroyed.
 */
import { randomFillSync } from 'node:crypto';
import nacl from 'tweetnacl';
import type { JsonObject } from './canonical.ts';
import type { KeyEncryptionKey } from './vault.ts';

/** More epochs than anybody has; keeps the entry within a leaf. */
const boxesMax = 128;

/** `to` and `boxes` of a `key` entry. @param to 32 bytes, the escrow holder's public key */
export function boxKeks(keks: readonly KeyEncryptionKey[], to: Buffer): JsonObject {
  const boxes = keks.slice(0, boxesMax).map((kek) => [kek.id, boxOf(kek, to)]);
  return { boxes, to: to.toString('base64') };
}

/** base64(ephemeral public key (32) || nonce (24) || box (48)). */
function boxOf({ key }: KeyEncryptionKey, to: Buffer): string {
  const ephemeral = nacl.box.keyPair();
  const nonce = randomFillSync(new Uint8Array(nacl.box.nonceLength));
  const box = nacl.box(new Uint8Array(key), nonce, new Uint8Array(to), ephemeral.secretKey);
  ephemeral.secretKey.fill(0);
  return Buffer.concat([ephemeral.publicKey, nonce, box]).toString('base64');
}

/** A pair for whoever is to hold the escrow key. */
export function newEscrowPair(): { readonly publicKey: string; readonly secretKey: string } {
  const { publicKey, secretKey } = nacl.box.keyPair();
  return {
    publicKey: Buffer.from(publicKey).toString('base64'),
    secretKey: Buffer.from(secretKey).toString('base64'),
  };
}
