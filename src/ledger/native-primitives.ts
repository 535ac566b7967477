/**
 * Node's own SHA-256, CRC-32 and AES-256-GCM for the portable verifier, which asks for them as a capability and knows
 * nothing of Node. They are OpenSSL's, as those of the sealer are; so that the verdict does not rest on one
 * implementation alone, a share of the hashes is computed a second time by the portable one, which is not.
 */
import { createDecipheriv, createHash, createSecretKey, hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Primitives, portable, type SealedBytes } from './verify/primitives.ts';

/** Of so many hashes one is computed twice. */
const secondLookEvery = 64;
const tagBytes = 16;

/**
 * Throws Error from `sha256` when the two implementations disagree: then the machine is not fit to verify anything.
 * @param second the implementation that looks again
 */
export function createNativePrimitives(second: Primitives = portable): Primitives {
  let untilSecondLook = 1;
  function isDue(): boolean {
    untilSecondLook -= 1;
    if (untilSecondLook > 0) return false;
    untilSecondLook = secondLookEvery;
    return true;
  }
  return {
    sha256(bytes) {
      // A text of 32 characters costs half of what a Buffer of its own does.
      const digest = bytesOfBinary(hash('sha256', bytes, 'binary'));
      if (isDue()) requireSame(Buffer.from(digest).toString('hex'), second.sha256Hex(bytes));
      return digest;
    },
    sha256Hex(bytes) {
      const digest = hash('sha256', bytes, 'hex');
      if (isDue()) requireSame(digest, second.sha256Hex(bytes));
      return digest;
    },
    sha256Of(pieces) {
      const hasher = createHash('sha256');
      for (const piece of pieces) hasher.update(piece);
      return hasher.digest();
    },
    crc32: (bytes) => crc32(bytes),
    openAesGcm,
  };
}

function bytesOfBinary(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function requireSame(native: string, other: string): void {
  if (native === other) return;
  throw new Error('two implementations of SHA-256 disagree on this machine: verify on another one');
}

function openAesGcm({ key, nonce, additional, ciphertext }: SealedBytes): Uint8Array | undefined {
  const textBytes = ciphertext.length - tagBytes;
  if (textBytes < 0) return undefined;
  // A KeyObject: Node takes four times as long in all with a raw key.
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, { authTagLength: tagBytes });
  if (additional.length > 0) decipher.setAAD(additional);
  decipher.setAuthTag(ciphertext.subarray(textBytes));
  const plaintext = decipher.update(ciphertext.subarray(0, textBytes));
  try {
    decipher.final();
    return plaintext;
  } catch (error) {
    // The one reason that final() of GCM has: the tag does not fit. Node gives that error no code.
    if (error instanceof Error && error.message.includes('unable to authenticate')) return undefined;
    throw error;
  }
}
