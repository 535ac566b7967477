/**
 * Cosignatures of witnesses, c2sp.org/tlog-cosignature, of the Ed25519 type 0x04. The signature of a note's line is
 *
 *     u64 POSIX timestamp || 64-byte signature over "cosignature/v1\ntime <timestamp>\n" || note text
 *
 * Portable; imports only its own folder.
 */
import { ascii } from './encoding.ts';
import {
  type Checkpoint,
  checkEd25519,
  cosignatureType,
  type NoteSignature,
  parseVerifierKey,
  type VerifierKey,
} from './note.ts';
import type { Refusal } from './reasons.ts';

/** A witness's key, `<name>+<8 hex>+<base64(0x04 || public key)>`. */
export function parseWitnessKey(text: string): VerifierKey | Refusal {
  return parseVerifierKey(text, cosignatureType);
}

/** The signature of `note` that is in this witness's name and under its key hash, checked or not. */
export function cosignatureOf(note: Checkpoint, witness: VerifierKey): NoteSignature | undefined {
  return note.signatures.find(({ name, keyHash }) => name === witness.origin && keyHash === witness.keyHash);
}

/** When the witness cosigned this text, in seconds since the Unix epoch; or why it did not. */
export function checkCosignature(
  text: Uint8Array,
  { signature }: NoteSignature,
  witness: VerifierKey,
): number | Refusal {
  const invalid = (why: string): Refusal => ({ code: 'cosignature_invalid', message: why });
  if (signature.length !== 72) return invalid('it is not a time of 8 bytes and a signature of 64');
  const view = new DataView(signature.buffer, signature.byteOffset, 8);
  const seconds = Number(view.getBigUint64(0));
  if (!Number.isSafeInteger(seconds) || seconds === 0) return invalid('its time is none');
  const head = ascii.encode(`cosignature/v1\ntime ${seconds}\n`);
  const message = new Uint8Array(head.length + text.length);
  message.set(head);
  message.set(text, head.length);
  const refusal = checkEd25519(message, signature.subarray(8), witness);
  return refusal === undefined ? seconds : invalid(refusal.message);
}
