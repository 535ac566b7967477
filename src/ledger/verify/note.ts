/**
 * C2SP signed notes, tlog-checkpoints and verifier keys, Ed25519 only (RFC 8032). tweetnacl accepts
 * signatures whose S was moved by the group order, so S < L is checked before it is asked. Portable.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import nacl from 'tweetnacl';
import { ascii, equalBytes, fromBase64, fromHex, fromUtf8, toHex } from './encoding.ts';
import type { Refusal } from './reasons.ts';

export interface VerifierKey {
  readonly text: string;
  readonly origin: string;
  /** 8 hex. */
  readonly keyHash: string;
  readonly publicKey: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyHash: string;
  readonly signature: Uint8Array;
}

export interface Checkpoint {
  /** What is signed, its last newline included. */
  readonly text: Uint8Array;
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly signatures: readonly NoteSignature[];
}

export const noteBytesMax = 1_048_576;
export const signatureLinesMax = 100;
/** The key of a log. */
const ed25519Type = 0x01;
/** The key of a witness: c2sp.org/tlog-cosignature. */
export const cosignatureType = 0x04;

/** Reads `<origin>+<8 hex>+<base64(type || public key)>`, Ed25519 of a log unless `type` says otherwise, and checks that its hash is its own. */
export function parseVerifierKey(text: string, type = ed25519Type): VerifierKey | Refusal {
  const malformed = (why: string): Refusal => ({ code: 'verifier_key_malformed', message: why });
  const match = /^([^+\p{White_Space}]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/u.exec(text);
  const [, origin = '', keyHash = '', encoded = ''] = match ?? [];
  const typed = match === null ? undefined : fromBase64(encoded);
  if (typed === undefined) return malformed('the verifier key is not <origin>+<8 hex>+<base64>');
  if (typed[0] !== type) {
    const wanted = type === ed25519Type ? 'Ed25519 (0x01)' : 'Ed25519 cosignature (0x04)';
    return { code: 'algorithm_unsupported', message: `the verifier key is not of type ${wanted}` };
  }
  if (typed.length !== 33) return malformed('an Ed25519 verifier key has 32 bytes');
  const hash = toHex(
    sha256
      .create()
      .update(ascii.encode(`${origin}\n`))
      .update(typed)
      .digest()
      .subarray(0, 4),
  );
  if (hash !== keyHash) return malformed(`the verifier key says ${keyHash} but hashes to ${hash}`);
  return { text, origin, keyHash, publicKey: typed.slice(1) };
}

/** Reads a checkpoint of exactly three lines with any number of signatures, none of them checked yet. */
export function parseCheckpoint(bytes: Uint8Array): Checkpoint | Refusal {
  const malformed = (why: string): Refusal => ({ code: 'note_malformed', message: why });
  const whole = bytes.length > noteBytesMax ? undefined : fromUtf8(bytes);
  if (whole === undefined || hasControls(whole))
    return malformed('it is not UTF-8 text of bearable length without control characters');
  const textEnd = whole.indexOf('\n\n') + 1;
  if (textEnd === 0) {
    const bare = whole.endsWith('\n') && readText(whole) !== undefined;
    return bare
      ? { code: 'signature_missing', message: 'it ends after its text' }
      : malformed('no blank line');
  }
  const text = whole.slice(0, textEnd);
  const read = readText(text);
  if (read === undefined) return malformed('its text is not origin, size and root');
  const lines = whole.slice(textEnd + 1);
  if (lines === '') return { code: 'signature_missing', message: 'no signature follows its text' };
  if (!lines.endsWith('\n')) return malformed('its last line has no end');
  const signatures: NoteSignature[] = [];
  for (const line of lines.slice(0, -1).split('\n')) {
    const signature = readSignatureLine(line);
    if (signature === undefined || signatures.length === signatureLinesMax) {
      return malformed('a signature line is not "\u2014 <name> <base64>"');
    }
    signatures.push(signature);
  }
  return { ...read, text: ascii.encode(text), signatures };
}

/** Checks the first signature whose name and hash belong to one of `keys`; undefined when it holds. */
export function checkSignature(note: Checkpoint, keys: readonly VerifierKey[]): Refusal | undefined {
  for (const { name, keyHash, signature } of note.signatures) {
    const key = keys.find((candidate) => candidate.origin === name && candidate.keyHash === keyHash);
    if (key === undefined) continue;
    return checkEd25519(note.text, signature, key);
  }
  const hashes = note.signatures.map((signature) => signature.keyHash).join(', ');
  return {
    code: 'key_unknown',
    message: `signed under ${hashes}, which is not a trusted key of ${note.origin}`,
  };
}

/** Checks one signature over `message`; undefined when it holds. */
export function checkEd25519(
  message: Uint8Array,
  signature: Uint8Array,
  key: VerifierKey,
): Refusal | undefined {
  if (signature.length !== 64) return { code: 'signature_invalid', message: 'it is not 64 bytes long' };
  if (!isBelowGroupOrder(signature.subarray(32))) {
    return { code: 'signature_malleable', message: 'its S is not below the group order' };
  }
  if (nacl.sign.detached.verify(message, signature, key.publicKey)) return undefined;
  return { code: 'signature_invalid', message: `it is not a signature of this text by ${key.keyHash}` };
}

function readText(text: string): { origin: string; size: number; root: Uint8Array } | undefined {
  const match = /^([!-*,-~]{1,255})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text);
  const [, origin = '', digits = '', encoded = ''] = match ?? [];
  const root = match === null ? undefined : fromBase64(encoded);
  const size = Number(digits);
  return root === undefined || !Number.isSafeInteger(size) ? undefined : { origin, size, root };
}

/** One line of a note's end, without its newline. */
export function readSignatureLine(line: string): NoteSignature | undefined {
  const match = /^\u2014 ([^+\p{White_Space}]{1,255}) ([A-Za-z0-9+/]+=*)$/u.exec(line);
  const [, name = '', encoded = ''] = match ?? [];
  const bytes = match === null ? undefined : fromBase64(encoded);
  if (bytes === undefined || bytes.length < 5) return undefined;
  return { name, keyHash: toHex(bytes.subarray(0, 4)), signature: bytes.slice(4) };
}

/** L = 2^252 + 27742317777372353535851937790883648493, big-endian. */
const groupOrder = fromHex(`10${'00'.repeat(15)}14def9dea2f79cd65812631a5cf5d3ed`) ?? new Uint8Array(32);

/** Whether S of an Ed25519 signature, 32 bytes, is in its one encoding (RFC 8032 section 5.1.7). */
export function isBelowGroupOrder(scalarLittleEndian: Uint8Array): boolean {
  const scalar = scalarLittleEndian.slice().reverse();
  if (equalBytes(scalar, groupOrder)) return false;
  for (let index = 0; index < 32; index += 1) {
    const difference = (scalar[index] ?? 0) - (groupOrder[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Whether there is an ASCII control character other than the ends of lines: c2sp.org/signed-note has none. */
function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x0a) return true;
  }
  return false;
}
