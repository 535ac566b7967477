/**
 * Opens one part for a reader who has the key-encryption key: the same checks as a whole verification makes of it, and
 * then the plaintext. Portable; imports only its own folder.
 */
import { dataKeyBytes, hashesToE, openToC, type UnwrapKeys } from './bodies.ts';
import { readBodies } from './framing.ts';
import type { Leaf } from './leaf.ts';
import type { Refusal } from './reasons.ts';

/** Where a part lies: the bodies record of its block, and its entry. */
export interface PartPlace {
  /** The value of the bodies record. */
  readonly record: Uint8Array;
  /** Seq of the block's first entry. */
  readonly firstSeq: number;
  readonly leaf: Leaf;
  /** Of the part in the entry, from 0. */
  readonly index: number;
}

/** The plaintext, or why there is none that the entry vouches for. */
export async function openPart(place: PartPlace, unwrap: UnwrapKeys): Promise<Uint8Array | Refusal> {
  const { record, firstSeq, leaf, index } = place;
  const part = leaf.parts[index];
  const framed = readBodies(record);
  if (framed.kind !== 'read') return { code: 'bodies_malformed', message: framed.reason };
  const { kekId, nonce, wrapped, items } = framed.record;
  const at = items.findIndex((item) => item.seq === leaf.seq && item.part === index);
  const item = items[at];
  const what = `the ${part?.name ?? 'part'} of entry ${leaf.seq}`;
  if (part === undefined || item === undefined)
    return { code: 'body_missing', message: `${what} is not stored` };
  if (!hashesToE(part, item)) return { code: 'body_altered', message: `${what} is not what was sealed` };
  const keys = await unwrap({ ledger: leaf.ledger, firstSeq, kekId, nonce, wrapped });
  if (keys?.length !== items.length * dataKeyBytes) {
    const message = `its data key is wrapped under key-encryption key ${kekId}, which is not the one given`;
    return { code: 'key_wrap_invalid', message };
  }
  const plaintext = await openToC(
    { leaf, part },
    item,
    keys.slice(at * dataKeyBytes, (at + 1) * dataKeyBytes),
  );
  return (
    plaintext ?? {
      code: 'commitment_mismatch',
      message: `${what} does not open to what the entry commits to`,
    }
  );
}
