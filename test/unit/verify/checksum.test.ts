import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../src/ledger/verify/checksum.ts';

describe('the checksum of a frame', () => {
  it('is the check value that the catalogue of CRCs gives for CRC-32/ISO-HDLC', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  });

  it('is that of zlib for bytes of any length, wherever in a buffer they begin', () => {
    const sliced = fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 9 }));
    fc.assert(
      fc.property(sliced, ([bytes, from]) => crc32(bytes.subarray(from)) === zlibCrc32(bytes.subarray(from))),
    );
  });
});
