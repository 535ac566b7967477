/**
 * Checkpoints as C2SP signed notes (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), Ed25519 type 0x01.
 * Signing is `node:crypto`: tweetnacl needs 3-7 ms where this needs 0.04.
 */
import { createPublicKey, KeyObject, sign, verify } from 'node:crypto';
import { sha256 } from '../core/bytes.ts';

/** An Ed25519 key that signs: in this process at once, elsewhere after a while. */
export interface SigningKey {
  readonly publicKey: KeyObject;
  /** 64 bytes. Rejects when no signature could be had; what it resolves with is checked by whoever asks. */
  readonly sign: (bytes: Buffer) => Buffer | Promise<Buffer>;
}

export interface Signer extends SigningKey {
  readonly origin: string;
  /** 8 hex; the note's key hash. */
  readonly kid: string;
  /** `<origin>+<8 hex>+<base64>`. */
  readonly verifierKey: string;
}

/** A signer whose key is in this process. */
export interface LocalSigner extends Signer {
  readonly sign: (bytes: Buffer) => Buffer;
}

const ed25519 = Buffer.from([0x01]);
const emDash = '\u2014';
const signatureBytes = 64;

/** A signer under an origin: for an Ed25519 private key, or for one that signs elsewhere. */
export function signerOf(origin: string, key: KeyObject): LocalSigner;
export function signerOf(origin: string, key: KeyObject | SigningKey): Signer;
export function signerOf(origin: string, key: KeyObject | SigningKey): Signer {
  const signs = key instanceof KeyObject ? localKey(key) : key;
  const raw = signs.publicKey.export({ format: 'jwk' }).x;
  if (raw === undefined || signs.publicKey.asymmetricKeyType !== 'ed25519') {
    throw new TypeError('The signing key is not an Ed25519 key.');
  }
  const typed = Buffer.concat([ed25519, Buffer.from(raw, 'base64url')]);
  const kid = sha256(Buffer.concat([Buffer.from(`${origin}\n`), typed])).toString('hex', 0, 4);
  return { ...signs, origin, kid, verifierKey: `${origin}+${kid}+${typed.toString('base64')}` };
}

function localKey(privateKey: KeyObject): SigningKey {
  return { publicKey: createPublicKey(privateKey), sign: (bytes) => sign(null, bytes, privateKey) };
}

/** The signed note over a tree of `size` leaves with this root. */
export function signCheckpoint(signer: LocalSigner, size: number, root: Buffer): Buffer {
  const text = textOf(signer, size, root);
  return Buffer.from(`${text}\n${signatureLine(signer, signer.sign(Buffer.from(text)))}`);
}

/**
 * The note with one signature of each signer, in their order: one, or at the boundary of a rotation the old key and
 * the new one. Rejects when one of them does not sign, or what came back is not its signature.
 */
export async function signCheckpointBy(
  signers: readonly [Signer, ...Signer[]],
  size: number,
  root: Buffer,
): Promise<Buffer> {
  const text = textOf(signers[0], size, root);
  const lines: string[] = [];
  for (const signer of signers) lines.push(signatureLine(signer, await signBy(signer, Buffer.from(text))));
  return Buffer.from(`${text}\n${lines.join('')}`);
}

/** A signature that holds; rejects when the signer gives none. */
export async function signBy(signer: Signer, bytes: Buffer): Promise<Buffer> {
  const made = signer.sign(bytes);
  if (Buffer.isBuffer(made)) return made;
  const signature = await made;
  // Sealed under a wrong signature, entries would be lost to every verifier.
  if (signature.length === signatureBytes && verify(null, bytes, signer.publicKey, signature))
    return signature;
  throw new Error(`What came back is not a signature of the key ${signer.kid}.`);
}

/**
 * True when `note` is exactly a checkpoint of this size and root with a valid signature of this signer.
 * @param after the key hash of the key before it, at the boundary of a rotation: its line then comes first.
 */
export function isCheckpointOf(
  signer: Signer,
  note: Buffer,
  size: number,
  root: Buffer,
  after: string | null = null,
): boolean {
  const text = textOf(signer, size, root);
  const whole = note.toString('utf8');
  if (!whole.startsWith(`${text}\n`) || !whole.endsWith('\n')) return false;
  const lines = whole.slice(text.length + 1, -1).split('\n');
  const [own, before] = after === null ? [lines[0]] : [lines[1], lines[0]];
  if (lines.length !== (after === null ? 1 : 2)) return false;
  if (after !== null && signatureIn(signer.origin, after, before) === null) return false;
  const signature = signatureIn(signer.origin, signer.kid, own);
  return signature !== null && verify(null, Buffer.from(text), signer.publicKey, signature);
}

function textOf({ origin }: Signer, size: number, root: Buffer): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

function signatureLine({ origin, kid }: Signer, signature: Buffer): string {
  const line = Buffer.concat([Buffer.from(kid, 'hex'), signature]).toString('base64');
  return `${emDash} ${origin} ${line}\n`;
}

function signatureIn(origin: string, kid: string, line: string | undefined): Buffer | null {
  const head = `${emDash} ${origin} `;
  if (line?.startsWith(head) !== true) return null;
  const encoded = line.slice(head.length);
  const bytes = Buffer.from(encoded, 'base64');
  // Node reads base64 loosely; a checkpoint has one form.
  const isWhole = bytes.length === 4 + signatureBytes && bytes.toString('base64') === encoded;
  return isWhole && bytes.toString('hex', 0, 4) === kid ? bytes.subarray(4) : null;
}

/** The root that one of our own checkpoints states; its signature is not checked here. */
export function rootInNote(note: Buffer): Buffer {
  return Buffer.from(note.toString('utf8').split('\n')[2] ?? '', 'base64');
}
