/**
 * The checksums of one of LevelDB's write-ahead logs. A record without its own LevelDB leaves out when it opens, and says
 * nothing. Layout: LevelDB, doc/log_format.md. Pure.
 */
import { crc32c, unmasked } from './level-table.ts';

const blockBytes = 32 * 1024;
/** Checksum, length, and which part of a record it is. */
const headerBytes = 7;
const lengthAt = 4;
/** The checksum is over this byte and what follows. */
const typeAt = 6;

/** What is wrong with the log, in words; null where each record has its checksum. One that was cut off at the end is what a kill leaves. */
export function logDefect(bytes: Buffer): string | null {
  let at = 0;
  while (at + headerBytes <= bytes.length) {
    const leftInBlock = blockBytes - (at % blockBytes);
    const length = leftInBlock < headerBytes ? 0 : bytes.readUInt16LE(at + lengthAt);
    const end = at + headerBytes + length;
    // No record begins in the last bytes of a block, nor where all is zero.
    if (leftInBlock < headerBytes || bytes.subarray(at, at + headerBytes).every((byte) => byte === 0)) {
      at += leftInBlock;
    } else if (end > at + leftInBlock) {
      return `the record at byte ${at} is said to end past its block`;
    } else if (end > bytes.length) {
      return null;
    } else {
      const sealed = bytes.subarray(at + typeAt, end);
      if (crc32c(sealed) !== unmasked(bytes.readUInt32LE(at)))
        return `the record at byte ${at} does not have its checksum`;
      at = end;
    }
  }
  return null;
}
