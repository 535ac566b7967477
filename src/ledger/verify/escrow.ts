/**
 * The key-encryption keys that a ledger keeps boxed to an escrow key (NaCl box by tweetnacl), for whoever has its
 * secret half. A key says itself whether it is the right one: its id is its hash. Portable; imports only its own folder.
 */
import nacl from 'tweetnacl';
import { kekIdOf } from './bodies.ts';
import { fromBase64, fromUtf8 } from './encoding.ts';
import { readBlock, readRecordKey, recordKinds } from './framing.ts';
import { readLeaf } from './leaf.ts';
import { isRefusal } from './reasons.ts';

/** Opens every box of the ledger that this key opens; memory grows with the epochs alone. Rejects when reading does. */
export async function openEscrow(
  source: AsyncIterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>,
  secretKey: Uint8Array,
): Promise<readonly Uint8Array[]> {
  const opened = new Map<string, Uint8Array>();
  for await (const { key, value } of source) {
    if (readRecordKey(key)?.kind !== recordKinds.block) continue;
    const block = readBlock(value);
    if (block.kind !== 'read') continue;
    for (const [id, box] of block.record.leaves.flatMap(boxesIn)) {
      if (opened.has(id)) continue;
      const kek = openBox(box, secretKey);
      if (kek !== undefined && kekIdOf(kek) === id) opened.set(id, kek);
    }
  }
  return [...opened.values()];
}

function boxesIn(bytes: Uint8Array): readonly (readonly [string, Uint8Array])[] {
  // Most entries are of other types; to read them all as entries would take as long as verifying them.
  if (fromUtf8(bytes)?.includes('"type":"key"') !== true) return [];
  const leaf = readLeaf(bytes);
  return isRefusal(leaf) || leaf.entry.type !== 'escrow' ? [] : leaf.entry.boxes;
}

function openBox(box: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined {
  const { publicKeyLength, nonceLength } = nacl.box;
  const sender = box.slice(0, publicKeyLength);
  const nonce = box.slice(publicKeyLength, publicKeyLength + nonceLength);
  return nacl.box.open(box.slice(publicKeyLength + nonceLength), nonce, sender, secretKey) ?? undefined;
}

/** The secret half of an escrow key: 32 bytes in base64. Undefined for anything else. */
export function parseEscrowKey(text: string): Uint8Array | undefined {
  const key = fromBase64(text.trim());
  return key?.length === nacl.box.secretKeyLength ? key : undefined;
}
