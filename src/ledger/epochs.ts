/**
 * Epochs of key-encryption keys: which bodies are wrapped under which, and wrapping them anew so that an old key can
 * be destroyed. Reads through the ledger's port; the data keys themselves, and every hash, stay what they are.
 */
import { decodeBodies, encodeBodies, parseRecordKey } from './block.ts';
import type { LedgerStore, RecordStore } from './store.ts';
import { type KeyEncryptionKey, rewrapKeys } from './vault.ts';

/** How many bodies records are wrapped under the key-encryption key of this id. */
export async function countWrapped(store: RecordStore, kekId: string): Promise<number> {
  let count = 0;
  for await (const { key, value } of store.scan({})) {
    if (parseRecordKey(key)?.kind === 'bodies' && decodeBodies(value).kekId === kekId) count += 1;
  }
  return count;
}

/** How many records are rewritten at a time. */
const rewrittenMax = 64;

/**
 * Wraps all bodies of `from` under `to`; resolves with how many records there were. A crash leaves each record under
 * one of the two: call it again.
 */
export async function rewrapBodies(
  store: LedgerStore,
  ledgerId: string,
  from: KeyEncryptionKey,
  to: KeyEncryptionKey,
): Promise<number> {
  const ledger = Buffer.from(ledgerId, 'hex');
  const rewrap = (key: Buffer, value: Buffer): Buffer => {
    const bodies = decodeBodies(value);
    const place = parseRecordKey(key);
    // Read again at the moment of writing: another may have rewritten it since it was found.
    if (place === null || bodies.kekId !== from.id) return value;
    return encodeBodies(rewrapKeys(from, to, ledger, place.seq, bodies));
  };
  const found: Buffer[] = [];
  for await (const { key, value } of store.scan({})) {
    if (parseRecordKey(key)?.kind === 'bodies' && decodeBodies(value).kekId === from.id) found.push(key);
  }
  for (let at = 0; at < found.length; at += rewrittenMax)
    await store.rewriteBodies(found.slice(at, at + rewrittenMax), rewrap);
  return found.length;
}
