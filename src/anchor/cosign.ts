/**
 * Making and checking cosignatures of the Ed25519 type 0x04, c2sp.org/tlog-cosignature. `node:crypto` does the
 * arithmetic: a witness is asked by anybody, and the portable verifier takes a hundred times as long.
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { sha256 } from '../core/bytes.ts';
import type { NoteSignature, VerifierKey } from '../ledger/verify/note.ts';

export interface Cosigner {
  readonly name: string;
  readonly verifierKey: string;
  /** The signature line over a note's text, its newline included. */
  cosign(text: Uint8Array, seconds: number): string;
}

const cosignatureType = Buffer.from([0x04]);
const emDash = '\u2014';

/** A cosigner for an Ed25519 private key, which must be used under this one name and for nothing else. */
export function cosignerOf(name: string, privateKey: KeyObject): Cosigner {
  const raw = createPublicKey(privateKey).export({ format: 'jwk' }).x;
  if (raw === undefined || privateKey.asymmetricKeyType !== 'ed25519')
    throw new TypeError('The key of a witness is not an Ed25519 key.');
  const typed = Buffer.concat([cosignatureType, Buffer.from(raw, 'base64url')]);
  const keyHash = sha256(Buffer.concat([Buffer.from(`${name}\n`), typed])).subarray(0, 4);
  return {
    name,
    verifierKey: `${name}+${keyHash.toString('hex')}+${typed.toString('base64')}`,
    cosign: (text, seconds) => {
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(seconds));
      const signature = sign(null, messageOf(text, seconds), privateKey);
      return `${emDash} ${name} ${Buffer.concat([keyHash, time, signature]).toString('base64')}\n`;
    },
  };
}

/** u64 time || signature, over the header lines and the note's text. False for anything else. */
export function isCosignature(text: Uint8Array, { signature }: NoteSignature, witness: VerifierKey): boolean {
  if (signature.length !== 72) return false;
  const bytes = Buffer.from(signature);
  const seconds = Number(bytes.readBigUInt64BE(0));
  return (
    Number.isSafeInteger(seconds) &&
    seconds > 0 &&
    verify(null, messageOf(text, seconds), publicKeyOf(witness), bytes.subarray(8))
  );
}

/** True when the signature is one of `text` by the key of a log. */
export function isNoteSignature(text: Uint8Array, { signature }: NoteSignature, key: VerifierKey): boolean {
  return signature.length === 64 && verify(null, text, publicKeyOf(key), signature);
}

function messageOf(text: Uint8Array, seconds: number): Buffer {
  return Buffer.concat([Buffer.from(`cosignature/v1\ntime ${seconds}\n`), text]);
}

function publicKeyOf({ publicKey }: VerifierKey): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
