/**
 * Checkpoints as C2SP signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), Ed25519 type 0x01.
 * Signing is `node:crypto`: tweetnacl needs 3-7 ms where this needs 0.04.
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { sha256 } from '../core/bytes.ts';

export interface Signer {
  readonly origin: string;
  /** 8 hex; the note's key hash. */
  readonly kid: string;
  /** `<origin>+<8 hex>+<base64>`. */
  readonly verifierKey: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const ed25519 = Buffer.from([0x01]);
const emDash = '\u2014';

/** A signer for an Ed25519 private key under an origin. */
export function signerOf(origin: string, privateKey: KeyObject): Signer {
  const publicKey = createPublicKey(privateKey);
  const raw = publicKey.export({ format: 'jwk' }).x;
  if (raw === undefined || privateKey.asymmetricKeyType !== 'ed25519') {
    throw new TypeError('The signing key is not an Ed25519 key.');
  }
  const typed = Buffer.concat([ed25519, Buffer.from(raw, 'base64url')]);
  const kid = sha256(Buffer.concat([Buffer.from(`${origin}\n`), typed])).toString('hex', 0, 4);
  return { origin, kid, verifierKey: `${origin}+${kid}+${typed.toString('base64')}`, privateKey, publicKey };
}

/** The signed note over a tree of `size` leaves with this root. */
export function signCheckpoint(signer: Signer, size: number, root: Buffer): Buffer {
  const text = `${signer.origin}\n${size}\n${root.toString('base64')}\n`;
  const signature = sign(null, Buffer.from(text), signer.privateKey);
  const line = Buffer.concat([Buffer.from(signer.kid, 'hex'), signature]).toString('base64');
  return Buffer.from(`${text}\n${emDash} ${signer.origin} ${line}\n`);
}

/** True when `note` is exactly a checkpoint of this size and root with a valid signature of this signer. */
export function isCheckpointOf(signer: Signer, note: Buffer, size: number, root: Buffer): boolean {
  const text = `${signer.origin}\n${size}\n${root.toString('base64')}\n`;
  const head = `${text}\n${emDash} ${signer.origin} `;
  const whole = note.toString('utf8');
  if (!whole.startsWith(head) || !whole.endsWith('\n')) return false;
  const encoded = whole.slice(head.length, -1);
  const line = Buffer.from(encoded, 'base64');
  return (
    line.length === 68 &&
    // Node reads base64 loosely; a checkpoint has one form.
    line.toString('base64') === encoded &&
    line.toString('hex', 0, 4) === signer.kid &&
    verify(null, Buffer.from(text), signer.publicKey, line.subarray(4))
  );
}

/** The root that one of our own checkpoints states; its signature is not checked here. */
export function rootInNote(note: Buffer): Buffer {
  return Buffer.from(note.toString('utf8').split('\n')[2] ?? '', 'base64');
}
