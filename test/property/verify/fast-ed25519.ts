/** Stands in for tweetnacl where thousands of ledgers are verified: the same answers, a hundred times faster. */
import { createPublicKey, verify } from 'node:crypto';

const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export function fastVerify(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}
