/** Ed25519 (RFC 8032) public keys as 32 bytes in base64, as people pass them on. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const publicKeyBytes = 32;
const signatureBytes = 64;

/**
 * Encodings of the points of small order: under them anybody signs anything. The sign bit is left out; the two of
 * them that are not canonical are in as well (RFC 7748 section 7, draft-irtf-cfrg-vrf).
 */
const weakKeys: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/** The bytes of strict base64; null unless it is the one encoding of that many. */
function exactBytes(text: string, count: number): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === count && bytes.toString('base64') === text ? bytes : null;
}

/** Null for what is no Ed25519 key, or one under which anybody could sign. */
export function ed25519PublicKey(text: string): KeyObject | null {
  const bytes = exactBytes(text, publicKeyBytes);
  if (bytes === null) return null;
  const unsigned = Buffer.from(bytes);
  unsigned[publicKeyBytes - 1] = (unsigned[publicKeyBytes - 1] ?? 0) & 0x7f;
  if (weakKeys.has(unsigned.toString('hex'))) return null;
  return createPublicKey({ key: Buffer.concat([spkiPrefix, bytes]), format: 'der', type: 'spki' });
}

/** The 32 bytes of a key in base64. */
export function ed25519Text(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length).toString('base64');
}

/** True where `signature`, base64 of 64 bytes, is one over `message` by the key. */
export function isSignedBy(message: Buffer, signature: string, key: string): boolean {
  const publicKey = ed25519PublicKey(key);
  const bytes = exactBytes(signature, signatureBytes);
  return publicKey !== null && bytes !== null && verify(null, message, publicKey, bytes);
}
