/**
 * The few operations that verifying spends its time on, as a capability that whoever starts a verification may replace:
 * SHA-256 (FIPS 180-4), CRC-32 (IEEE 802.3) and the opening of AES-256-GCM (NIST SP 800-38D). What is here is portable:
 * @noble/hashes and Web Crypto; no `node:` imports. What a replacement may do is compute the same thing faster.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { crc32 } from './checksum.ts';
import { toHex } from './encoding.ts';

/** The 32-byte digest of some bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

export interface Primitives {
  readonly sha256: Sha256;
  /** The same digest in lower-case hex, as leaves write it. */
  readonly sha256Hex: (bytes: Uint8Array) => string;
  /** SHA-256 over the pieces one after another, without joining them. */
  readonly sha256Of: (pieces: readonly Uint8Array[]) => Uint8Array;
  /** Unsigned. */
  readonly crc32: (bytes: Uint8Array) => number;
  /** The plaintext; undefined when the tag, which is the last 16 bytes, does not fit. */
  readonly openAesGcm: (sealed: SealedBytes) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

export interface SealedBytes {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes. */
  readonly nonce: Uint8Array;
  readonly additional: Uint8Array;
  /** The 16-byte tag appended. */
  readonly ciphertext: Uint8Array;
}

export const portable: Primitives = {
  sha256: (bytes) => sha256(bytes),
  sha256Hex: (bytes) => toHex(sha256(bytes)),
  sha256Of(pieces) {
    const hash = sha256.create();
    for (const piece of pieces) hash.update(piece);
    return hash.digest();
  },
  crc32,
  openAesGcm: openWithWebCrypto,
};

async function openWithWebCrypto(sealed: SealedBytes): Promise<Uint8Array | undefined> {
  const { subtle } = globalThis.crypto;
  // Copies: Web Crypto's types refuse views that could be over shared memory.
  const key = await subtle.importKey('raw', sealed.key.slice(), 'AES-GCM', false, ['decrypt']);
  const parameters = {
    name: 'AES-GCM',
    iv: sealed.nonce.slice(),
    additionalData: sealed.additional.slice(),
  };
  try {
    return new Uint8Array(await subtle.decrypt(parameters, key, sealed.ciphertext.slice()));
  } catch (error) {
    // OperationError is how Web Crypto says that the tag does not fit.
    if (error instanceof DOMException && error.name === 'OperationError') return undefined;
    throw error;
  }
}

/** Pieces up to this many bytes together are joined first: one call of a hash costs more than the copy. */
const joinedBytesMax = 8192;
const joined = new Uint8Array(joinedBytesMax);

/** SHA-256 over the pieces one after another, by the cheaper of the two ways. */
export function hashPieces(primitives: Primitives, pieces: readonly Uint8Array[]): Uint8Array {
  const whole = joinedPieces(pieces);
  return whole === undefined ? primitives.sha256Of(pieces) : primitives.sha256(whole);
}

/** The same in lower-case hex: cheaper where it is only compared with what a leaf says. */
export function hashPiecesHex(primitives: Primitives, pieces: readonly Uint8Array[]): string {
  const whole = joinedPieces(pieces);
  return whole === undefined ? toHex(primitives.sha256Of(pieces)) : primitives.sha256Hex(whole);
}

/** The pieces one after another, until the next call; undefined where they are too long for it. */
function joinedPieces(pieces: readonly Uint8Array[]): Uint8Array | undefined {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  if (length > joinedBytesMax) return undefined;
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined.subarray(0, length);
}
