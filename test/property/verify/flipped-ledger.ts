/** A small ledger with every kind of record, flipped one bit at a time. */
import type { Verdict, VerifyOptions } from '../../../src/ledger/verify/verify.ts';
import { createLedgerBuilder, sealExchange, sealHeldResponse } from '../../support/ledger-builder.ts';
import { type Records, sourceOf } from '../../support/ledger-tampering.ts';

export const builder = createLedgerBuilder();
builder.genesis();
const plain = sealExchange(builder);
builder.commit();
const held = sealHeldResponse(builder);
builder.heartbeat();
builder.commit();
builder.ruling(held.decision, held.hold, { digest: held.digest });
builder.deliver(held.decision, held.hold, held.digest);
builder.close([
  [plain, 'delivered'],
  [held.decision, 'delivered'],
]);
builder.commit();

export const records: Records = builder.records;

export interface Place {
  readonly record: number;
  readonly field: 'key' | 'value';
  readonly byte: number;
}

/** Every byte of every key and value. */
export const places: readonly Place[] = records.flatMap(({ key, value }, record) => [
  ...Array.from(key, (_, byte) => ({ record, field: 'key', byte }) as const),
  ...Array.from(value, (_, byte) => ({ record, field: 'value', byte }) as const),
]);

const lastBlock = records.findLastIndex(({ key }) => key[8] === 1);
/** Base64 digits that hold bits of the signature: of 92, the first five hold the key hash alone. */
const signatureDigits = 92 - 5;
const lineEnd = 1;

/**
 * The bytes that the plain verification does not vouch for: the digits of a superseded signature, and
 * kekId, nonce and wrapped keys of a bodies record.
 */
export function mayPassUnnoticed({ record, field, byte }: Place): boolean {
  const found = records[record];
  if (found === undefined || field === 'key') return false;
  const { key, value } = found;
  if (key[8] === 1) {
    const end = value.length - lineEnd;
    return record !== lastBlock && byte >= end - signatureDigits && byte < end;
  }
  if (key[8] !== 2) return false;
  const wrappedLength = Buffer.from(value).readUInt32BE(25);
  return (byte >= 5 && byte < 25) || (byte >= 29 && byte < 29 + wrappedLength);
}

/** The records with one bit changed, in key order as a database gives them. */
export function flip({ record, field, byte }: Place, bit: number): Records {
  const flipped = records.map((found, index) => {
    if (index !== record) return found;
    const bytes = Uint8Array.from(found[field]);
    bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit);
    return { ...found, [field]: bytes };
  });
  return flipped.sort((a, b) => Buffer.compare(a.key, b.key));
}

export type Verify = (source: ReturnType<typeof sourceOf>, options?: VerifyOptions) => Promise<Verdict>;

export const verifyFlipped = (verify: Verify, place: Place, bit: number, options?: VerifyOptions) =>
  verify(sourceOf(flip(place, bit)), options);

export const nameOf = ({ record, field, byte }: Place, bit: number): string =>
  `record ${record} ${field} byte ${byte} bit ${bit}`;
