/** Where a value lies in the journal, as LevelDB keeps it. FORMAT.md, "Keys of the database". Pure. */
import type { Extent } from './journal.ts';

const magic = Buffer.from('HPR1');
export const referenceBytes = 20;

/** "HPR1" || u32 segment || u64 offset || u32 length of the value. */
export function encodeReference({ segment, offset, bytes }: Extent): Buffer {
  const value = Buffer.alloc(referenceBytes);
  magic.copy(value);
  value.writeUInt32BE(segment, 4);
  value.writeBigUInt64BE(BigInt(offset), 8);
  value.writeUInt32BE(bytes, 16);
  return value;
}

/** Null when it is none. */
export function decodeReference(value: Buffer): Extent | null {
  if (value.length !== referenceBytes || !value.subarray(0, 4).equals(magic)) return null;
  return {
    segment: value.readUInt32BE(4),
    offset: Number(value.readBigUInt64BE(8)),
    bytes: value.readUInt32BE(16),
  };
}
