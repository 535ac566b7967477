import { describe, expect, it } from 'vitest';
import {
  decodeBlock,
  decodeBodies,
  encodeBlock,
  encodeBodies,
  parseRecordKey,
  recordKey,
} from '../../../src/ledger/block.ts';
import { readBlock, readBodies } from '../../../src/ledger/verify/framing.ts';

const leaves = [Buffer.from('{"a":1}'), Buffer.alloc(0), Buffer.from('é'.repeat(100))];
const note = Buffer.from('note\n');
const block = encodeBlock(leaves, note);
const bodies = {
  kekId: '0123abcd',
  nonce: Buffer.alloc(12, 7),
  wrapped: Buffer.alloc(2 * 64 + 16, 9),
  items: [
    { seq: 5, partIndex: 0, ciphertext: Buffer.from('first') },
    { seq: 2 ** 40, partIndex: 255, ciphertext: Buffer.alloc(0) },
  ],
};
const bodiesBytes = encodeBodies(bodies);

describe('a block', () => {
  it('is read back as it was written', () => {
    expect(decodeBlock(block)).toEqual({ leaves, note });
  });

  it('reads the same to the independent reader', () => {
    const read = readBlock(block);
    expect(read.kind).toBe('read');
    if (read.kind === 'read') expect(read.record.leaves.map((leaf) => Buffer.from(leaf))).toEqual(leaves);
  });

  it('has the layout of the format', () => {
    expect(encodeBlock([Buffer.from('leaf')], Buffer.from('n')).toString('hex')).toBe(
      `${Buffer.from('HPB1').toString('hex')}0000000100000004${Buffer.from('leaf').toString('hex')}00000001${Buffer.from('n').toString('hex')}`,
    );
  });

  it('is refused when it is cut anywhere, or followed by anything', () => {
    for (let length = 0; length < block.length; length += 1) {
      expect(() => decodeBlock(block.subarray(0, length)), `cut to ${length}`).toThrow(
        expect.objectContaining({ code: 'ledger_damaged' }),
      );
    }
    expect(() => decodeBlock(Buffer.concat([block, Buffer.alloc(1)]))).toThrow();
  });

  it('is refused with another magic, with no leaves and with more than 65 536', () => {
    expect(() => decodeBlock(Buffer.concat([Buffer.from('HPB2'), block.subarray(4)]))).toThrow();
    expect(() => decodeBlock(encodeBlock([], note))).toThrow();
    const counted = Buffer.from(block);
    counted.writeUInt32BE(65_537, 4);
    expect(() => decodeBlock(counted)).toThrow();
  });
});

describe('a bodies record', () => {
  it('is read back as it was written', () => {
    expect(decodeBodies(bodiesBytes)).toEqual(bodies);
  });

  it('reads the same to the independent reader', () => {
    const read = readBodies(bodiesBytes);
    expect(read.kind).toBe('read');
    if (read.kind === 'read')
      expect(read.record.items.map(({ seq, part }) => [seq, part])).toEqual([
        [5, 0],
        [2 ** 40, 255],
      ]);
  });

  it('is refused when it is cut anywhere, or followed by anything', () => {
    for (let length = 0; length < bodiesBytes.length; length += 1) {
      expect(() => decodeBodies(bodiesBytes.subarray(0, length)), `cut to ${length}`).toThrow(
        expect.objectContaining({ code: 'ledger_damaged' }),
      );
    }
    expect(() => decodeBodies(Buffer.concat([bodiesBytes, Buffer.alloc(1)]))).toThrow();
  });
});

describe('a key', () => {
  it('sorts by seq, then kind, and is read back', () => {
    const keys = [0, 1, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER].flatMap((seq) =>
      (['block', 'bodies', 'snapshot'] as const).map((kind) => ({ seq, kind })),
    );
    const encoded = keys.map(({ seq, kind }) => recordKey(seq, kind));
    expect(encoded.toSorted(Buffer.compare)).toEqual(encoded);
    expect(encoded.map((key) => parseRecordKey(key))).toEqual(keys);
  });

  it.each([
    ['too short', '00'.repeat(8)],
    ['too long', '00'.repeat(10)],
    ['of no known kind', `${'00'.repeat(8)}04`],
    ['beyond 2^53 - 1', `${'ff'.repeat(8)}01`],
  ])('%s is none of ours', (_name, hex) => {
    expect(parseRecordKey(Buffer.from(hex, 'hex'))).toBeNull();
  });
});
